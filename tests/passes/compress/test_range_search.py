import numpy as np
import pytest
from honed.graph import to_model
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.quantize_math import activation_params
from honed.passes.compress.range_search import search_ranges

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples

RANGES = [(-4.0, 4.0), (-0.1, 0.1), (-1.0, 1.5)]


def quantised_at(model, tensor, params):
    """The model with `tensor` quantised and dequantised for all its readers, by ONNX Runtime's operators."""
    from onnx import ModelProto, helper, numpy_helper

    changed = ModelProto()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        for i, name in enumerate(node.input):
            if name == tensor:
                node.input[i] = "seen"
    constants = [numpy_helper.from_array(np.asarray(params.scale), "s"), numpy_helper.from_array(np.uint8(params.zero_point), "z")]
    changed.graph.initializer.extend(constants)
    pair = [helper.make_node("QuantizeLinear", [tensor, "s", "z"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["seen"])]
    at = next((i + 1 for i, node in enumerate(changed.graph.node) if tensor in node.output), 0)
    nodes = [*changed.graph.node[:at], *pair, *changed.graph.node[at:]]
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    return changed


@pytest.mark.parametrize("tensor", ["x", "relu0_out", "add_out"])
def test_errors_are_those_of_the_whole_model_in_onnx_runtime(tensor):
    graph, x = cleaned(residual_net()), samples(16)
    data = open_calibration(x, input_specs(to_model(graph)))
    found = search_ranges(graph, {tensor: RANGES}, data, run_ort, 16)[tensor]
    exact = run_ort(to_model(graph)).run(None, {"x": x})[0]
    errors = []
    for lo, hi in RANGES:
        result = run_ort(quantised_at(to_model(graph), tensor, activation_params(lo, hi))).run(None, {"x": x})[0]
        errors.append(np.square(result - exact).sum() / np.square(exact).sum())
    assert found.range == RANGES[int(np.argmin(errors))]
    assert found.error == pytest.approx(min(errors), rel=1e-3)


def test_an_outlier_that_no_output_needs_is_clipped_and_one_that_counts_is_not():
    """A channel of outliers, read with weight 0, or with the weight of the others."""
    chosen = []
    for weight in (0.0, 1.0):
        b = Builder()
        w = np.ones((4, 8), np.float32)
        w[:, 0] = weight
        y = b.node("Gemm", [b.node("Relu", ["x"], "r"), b.const("w", w)], "g", transB=1)
        graph = cleaned(b.model(["n", 8], y))
        x = np.abs(samples(64, (8,)))
        x[:, 0] *= 1000
        data = open_calibration(x, input_specs(to_model(graph)))
        chosen.append(search_ranges(graph, {"x": [(0.0, float(x.max())), (0.0, 4.0)]}, data, run_ort, 64)["x"].range[1])
    assert chosen[0] == 4 < 100 < chosen[1]


def test_equal_errors_take_the_first():
    graph, x = cleaned(residual_net()), samples(4)
    data = open_calibration(x, input_specs(to_model(graph)))
    assert search_ranges(graph, {"x": [(0.0, 0.0), (0.0, 0.0), (-4.0, 4.0)]}, data, run_ort, 4)["x"].range == (-4.0, 4.0)
