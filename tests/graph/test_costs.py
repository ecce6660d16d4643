"""Multiply-adds, parameters, bytes and zeros against counts by hand."""

import numpy as np
import pytest
from honed import graph as hg

from tests.onnx_text import f32, model


def node_costs(body, dims=None, **weights):
    found = hg.costs(hg.load(model("g " + body, **weights)), dims)
    return found, {node.op: node for node in found.nodes}


@pytest.mark.parametrize(
    ("body", "weights", "macs", "parameters"),
    [
        ("(float[1,4,8,8] x) => (float[1,6,3,3] y) { y = Conv<strides=[2,2]>(x, w, b) }",
         {"w": (6, 4, 3, 3), "b": (6,)}, 6 * 9 * 36, 6 * 36 + 6),
        ("(float[2,4,8,8] x) => (float[2,4,6,6] y) { y = Conv<group=4>(x, w) }", {"w": (4, 1, 3, 3)}, 2 * 4 * 36 * 9, 36),
        ("(float[1,4,5,5] x) => (float[1,6,10,10] y) { y = ConvTranspose<strides=[2,2], group=2>(x, w) }",
         {"w": (4, 3, 2, 2)}, 4 * 25 * 3 * 4, 48),
        ("(float[3,7] x) => (float[3,5] y) { y = Gemm<transB=1>(x, w, b) }", {"w": (5, 7), "b": (5,)}, 3 * 7 * 5, 40),
        ("(float[7,3] x) => (float[3,5] y) { y = Gemm<transA=1>(x, w) }", {"w": (7, 5)}, 3 * 7 * 5, 35),
        ("(float[2,3,7] x) => (float[2,3,5] y) { y = MatMul(x, w) }", {"w": (7, 5)}, 2 * 3 * 7 * 5, 35),
        ("(float[2,3] x) => (float[2,3] y) { y = Mul(x, w) }", {"w": (2, 3)}, 0, 6),
    ],
)
def test_layers(body, weights, macs, parameters):
    total, nodes = node_costs(body, **{name: f32(*shape) for name, shape in weights.items()})
    (node,) = nodes.values()
    assert (node.macs, node.parameters, node.weight_bytes) == (macs, parameters, 4 * parameters)
    assert (total.macs, total.parameters, total.weight_bytes) == (macs, parameters, 4 * parameters)


def test_activations():
    total, nodes = node_costs("(float[1,2,4,4] x) => (float[1,3,2,2] y) { c = Conv(x, w) y = Relu(c) }", w=f32(3, 2, 3, 3))
    assert nodes["Conv"].activation_bytes == 4 * (32 + 12) == total.peak_activation_bytes
    assert nodes["Relu"].activation_bytes == 4 * 24
    assert nodes["Conv"].output_shape == (1, 3, 2, 2)


def test_zeros_of_float_and_quantised_weights():
    w = f32(4, 3, 1, 1)
    w[1:] = 0
    assert node_costs("(float[1,3,2,2] x) => (float[1,4,2,2] y) { y = Conv(x, w) }", w=w)[1]["Conv"].sparsity == 0.75
    q = np.full((4, 3, 1, 1), 5, np.int8)
    q[1], q[2] = 7, -3
    zero = np.array([5, 7, 0, 0], np.int8)
    _, nodes = node_costs(
        "(float[1,3,2,2] x) => (float[1,4,2,2] y) { d = DequantizeLinear<axis=0>(q, s, z) y = Conv(x, d) }",
        q=q, s=np.ones(4, np.float32), z=zero,
    )
    assert (nodes["Conv"].parameters, nodes["Conv"].zero_parameters, nodes["Conv"].weight_bytes) == (12, 6, 12)
    assert nodes["DequantizeLinear"].parameters == 0
    body = "(uint8[1,3,2,2] x) => (uint8[1,4,2,2] y) { y = QLinearConv(x, s, u, q, t, z, s, u) }"
    _, nodes = node_costs(body, q=q, t=np.ones(4, np.float32), z=np.full(4, 5, np.int8), s=np.float32(1), u=np.uint8(0))
    assert (nodes["QLinearConv"].macs, nodes["QLinearConv"].zero_parameters) == (48, 6)


def test_symbols_take_the_given_values_and_the_graph_keeps_them():
    body = "g (float[n,2,h,4] x) => (float[n,3,k,2] y) { y = Conv(x, w) }"
    graph = hg.load(model(body, w=f32(3, 2, 3, 3)))
    assert hg.costs(graph, {"h": 6}).macs == 3 * 4 * 2 * 18
    assert hg.costs(graph, {"h": 6, "n": 5}).macs == 5 * 3 * 4 * 2 * 18
    assert hg.costs(graph, default=4).macs == 4 * 3 * 2 * 2 * 18
    assert graph.inputs[0].shape == ["n", 2, "h", 4]


def test_shared_weights_count_once_in_the_total():
    total, _ = node_costs("(float[2,3] x) => (float[2,3] y) { a = MatMul(x, w) y = MatMul(a, w) }", w=f32(3, 3))
    assert total.parameters == 9 and [node.parameters for node in total.nodes] == [9, 9]
