"""Kernels on the shapes of real layers."""

import dataclasses
import json

import numpy as np
import onnxruntime
import pytest
from honed import Error
from honed.bench import kernels
from honed.bench.shapes import Layer
from onnx import TensorProto, helper, numpy_helper

LAYERS = {
    "1x1": Layer(8, 12, 1, 1, 1, 0, 9),
    "3x3": Layer(5, 8, 1, 3, 1, 1, 7),
    "3x3 unpadded": Layer(4, 8, 1, 3, 1, 0, 8),
    "3x3 stride 2": Layer(4, 8, 1, 3, 2, 1, 9),
    "7x7 stride 2": Layer(3, 8, 1, 7, 2, 3, 16),
    "1x1 stride 2": Layer(4, 8, 1, 1, 2, 0, 7),
    "depthwise": Layer(8, 8, 8, 3, 1, 1, 8),
    "groups": Layer(8, 8, 2, 3, 2, 1, 8),
    "wider than its input": Layer(4, 4, 1, 1, 1, 2, 5),
}


def by_onnx_runtime(layer: Layer, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    shape = (1, layer.in_channels, layer.size, layer.size)
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[layer.stride] * 2, pads=[layer.pad] * 4, group=layer.group)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in (("x", shape), ("y", None))]
    graph = helper.make_graph([node], "g", values[:1], values[1:], [numpy_helper.from_array(weights.astype(np.float32), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x.astype(np.float32)})[0]


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_the_exact_result_is_that_of_onnx_runtime(layer):
    rng = np.random.default_rng(0)
    x, weights = rng.integers(-9, 10, (1, layer.in_channels, layer.size, layer.size)), rng.integers(-9, 10, layer.weight_shape)
    np.testing.assert_array_equal(kernels.exact_convolution(layer, x, weights), by_onnx_runtime(layer, x, weights))


@pytest.mark.parametrize("int8", [True, False], ids=["int8", "fp32"])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_every_candidate_is_checked_and_one_is_selected(layer, int8):
    measurements = kernels.Case(layer, 0.5, "1x1", int8).measure("scalar", 0)
    assert [m.selected for m in measurements] == [True] + [False] * (len(measurements) - 1)
    assert all(m.kernel.endswith("__scalar") and m.median_ms > 0 for m in measurements)
    assert any("sparse" in m.kernel for m in measurements)


@pytest.mark.parametrize("int8", [True, False], ids=["int8", "fp32"])
def test_a_wrong_result_is_an_error(int8):
    case = kernels.Case(LAYERS["3x3"], 0.5, "1x1", int8)
    case.exact[0, 3, 2, 1] += 1
    with pytest.raises(Error, match=r"5→8 3×3/1 at 7: honed_\w+ is off by"):
        case.measure("scalar", 0)


@pytest.mark.parametrize(("pattern", "block"), kernels.PATTERNS.items())
def test_zeros_come_in_blocks_of_the_pattern(pattern, block):
    layer = Layer(64, 64, 1, 3, 1, 1, 8)
    weights = kernels.draw_weights(layer.weight_shape, 0.75, pattern, True, np.random.default_rng(1))
    assert (weights == 0).mean() == pytest.approx(0.75, abs=0.02)
    zeros = (weights == 0).reshape(64 // block, block, -1)
    assert (zeros.all(axis=1) == zeros.any(axis=1)).all()


def test_json_names_every_layer(capsys):
    with pytest.raises(SystemExit) as stopped:
        kernels.main(["fmnist_resnet18", "--seconds", "0", "--json", "--sparsity", "0.9", "--pattern", "4x1"])
    assert stopped.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert len({json.dumps(row["layer"]) for row in report["measurements"]}) == 11
    assert report["environment"]["cpu"]


def test_a_slow_selection_is_named():
    fast = kernels.Measurement(LAYERS["1x1"], "honed_fast", False, 1.0, 1.0, 1.0)
    slow = dataclasses.replace(fast, kernel="honed_slow", selected=True, median_ms=1.2)
    assert kernels.misselected([slow, fast], 25) == []
    assert kernels.misselected([slow, fast], 5) == ["8→12 1×1/1 at 9: honed_slow takes 20 % longer than honed_fast"]


def test_text_marks_the_selected_kernel(capsys):
    with pytest.raises(SystemExit):
        kernels.main(["fmnist_resnet18", "--seconds", "0"])
    out = capsys.readouterr().out
    assert out.count("<--") == 11 and "GMAC/s" in out
