import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed.graph import to_model
from honed.passes.compress.layers import Layer, as_layer
from honed.passes.compress.reconstruct.columns import columns

from tests.passes.compress.small_models import run_ort

RNG = np.random.default_rng(0)


def node(op, x_shape, w_shape, bias=True, **attrs):
    """A layer, an input for it, and ONNX Runtime's output."""
    weight = RNG.standard_normal(w_shape).astype(np.float32)
    out = weight.shape[0] if op == "Conv" or attrs.get("transB") else weight.shape[1]
    x = RNG.standard_normal(x_shape).astype(np.float32)
    given = gs.Variable("x", np.float32, x_shape)
    inputs = [given, gs.Constant("w", weight)] + ([gs.Constant("b", RNG.standard_normal(out).astype(np.float32))] if bias else [])
    output = gs.Variable("y", np.float32)
    made = gs.Node(op, "layer", attrs, inputs, [output])
    model = to_model(gs.Graph([made], [given], [output], opset=17))
    return as_layer(made), x, run_ort(model).run(None, {"x": x})[0]


CASES = {
    "plain": ("Conv", (3, 4, 7, 6), (8, 4, 3, 3), {}),
    "padded": ("Conv", (3, 4, 7, 6), (8, 4, 3, 5), {"pads": [1, 0, 2, 3]}),
    "strided": ("Conv", (3, 4, 9, 8), (6, 4, 3, 3), {"pads": [1] * 4, "strides": [2, 3]}),
    "dilated": ("Conv", (2, 4, 9, 9), (6, 4, 3, 2), {"dilations": [2, 3], "pads": [2] * 4, "strides": [1, 2]}),
    "grouped": ("Conv", (2, 6, 5, 5), (9, 2, 3, 3), {"group": 3, "pads": [1] * 4}),
    "depthwise": ("Conv", (2, 5, 6, 6), (10, 1, 3, 3), {"group": 5}),
    "pointwise": ("Conv", (2, 5, 6, 6), (7, 5, 1, 1), {"strides": [2, 2]}),
    "upper": ("Conv", (2, 3, 7, 8), (4, 3, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "lower": ("Conv", (2, 3, 7, 8), (4, 3, 4, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    "valid": ("Conv", (2, 3, 7, 8), (4, 3, 4, 3), {"auto_pad": "VALID"}),
    "1-D": ("Conv", (2, 3, 11), (4, 3, 5), {"pads": [2, 1], "strides": [2]}),
    "3-D": ("Conv", (2, 3, 4, 5, 6), (4, 3, 2, 3, 3), {"pads": [0, 1, 1, 1, 1, 1]}),
    "gemm": ("Gemm", (5, 6), (7, 6), {"transB": 1}),
    "gemm as stored": ("Gemm", (5, 6), (6, 7), {}),
    "matmul": ("MatMul", (2, 3, 5, 6), (6, 4), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_times_columns_are_the_layer(case):
    op, x_shape, w_shape, attrs = CASES[case]
    layer, x, y = node(op, x_shape, w_shape, bias=op != "MatMul", **attrs)
    assert isinstance(layer, Layer)
    group, out = layer.group, layer.weight.shape[0]
    weight = layer.weight.reshape(group, out // group, -1)
    bias = np.zeros(out) if layer.bias is None else layer.bias
    count = 0
    for inputs, outputs in columns(layer, x, y):
        count += inputs.shape[2]
        np.testing.assert_allclose(weight @ inputs + bias.reshape(group, -1, 1), outputs, rtol=1e-4, atol=1e-5)
    assert count == y.size // out


def test_columns_come_in_pieces_of_whole_samples(monkeypatch):
    layer, x, y = node("Conv", (5, 4, 6, 6), (3, 4, 3, 3))
    monkeypatch.setattr("honed.passes.compress.reconstruct.columns.PIECE", 2 * 36 * 16)
    assert [inputs.shape for inputs, _ in columns(layer, x, y)] == [(1, 36, 32), (1, 36, 32), (1, 36, 16)]
