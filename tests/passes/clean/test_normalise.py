"""One way to write reshapes and matrix products."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal


def reshape(node, x, y, **constants):
    return model(f"g (float[{x}] x) => (float[{y}] y) {{ y = {node} }}", **constants)


@pytest.mark.parametrize(
    "source",
    [
        reshape("Reshape(x, t)", "2,3,1,1", "2,3", t=np.array([2, 3])),
        reshape("Reshape(x, t)", "n,3,2,2", "n,12", t=np.array([0, -1])),
        reshape("Reshape(x, t)", "n,3,2,2", "n,12", t=np.array([-1, 12])),
        reshape("Squeeze(x, t)", "n,3,1,1", "n,3", t=np.array([2, 3])),
        reshape("Squeeze(x)", "2,3,1,1", "2,3"),
    ],
)
def test_flattening(source):
    graph, _ = cleaned(source, "normalise-reshape", n=3)
    assert ops(graph) == ["Flatten"] and graph.nodes[0].attrs == {"axis": 1}


@pytest.mark.parametrize(
    ("x", "y", "before", "after"),
    [
        ("2,6,4", "2,3,2,4", [2, 3, 2, 4], [0, 3, 2, 4]),
        ("2,6,4", "2,3,8", [2, 3, -1], [0, 3, 8]),
        ("2,6,4", "12,2,2", [12, 2, 2], [-1, 2, 2]),
    ],
)
def test_the_first_axis_is_left_free(x, y, before, after):
    graph, _ = cleaned(reshape("Reshape(x, t)", x, y, t=np.array(before)), "normalise-reshape")
    assert graph.nodes[0].inputs[1].values.tolist() == after


@pytest.mark.parametrize(
    "source",
    [
        reshape("Reshape(x, t)", "n,6,4", "n,24,1", t=np.array([0, -1, 1])),
        reshape("Reshape(x, t)", "2,3,4", "6,4", t=np.array([-1, 4])),
        reshape("Reshape(x, t)", "2,6", "2,6", t=np.array([0, 6])),
        reshape("Reshape<allowzero=1>(x, t)", "2,0,4", "2,4,0", t=np.array([2, 4, 0])),
        reshape("Squeeze(x, t)", "1,3,4", "3,4", t=np.array([0])),
    ],
)
def test_reshapes_that_stay(source):
    assert not cleaned(source, "normalise-reshape", n=3)[1].changes


@pytest.mark.parametrize(
    ("nodes", "left"),
    [
        ("y = MatMul(x, w)", ["Gemm"]),
        ("m = MatMul(x, w) y = Add(m, b)", ["Gemm"]),
        ("m = MatMul(x, w) y = Add(b, m)", ["Gemm"]),
        ("m = MatMul(x, w) y = Add(m, row)", ["Gemm"]),
        ("m = MatMul(x, w) y = Add(m, matrix)", ["Gemm", "Add"]),
        ("d = DequantizeLinear(q, s) m = MatMul(x, d) y = Add(m, b)", ["DequantizeLinear", "Gemm"]),
    ],
)
def test_matrix_products(nodes, left):
    source = model(f"g (float[n,4] x) => (float[n,6] y) {{ {nodes} }}", w=f32(4, 6), b=f32(6), row=f32(1, 6), matrix=f32(2, 6),
                   q=np.arange(24, dtype=np.int8).reshape(4, 6), s=np.float32(0.1))
    graph, _ = cleaned(source, "matmul-to-gemm")
    assert ops(graph) == left
    assert graph.nodes[left.index("Gemm")].name == "MatMul"


def test_a_product_with_other_readers_keeps_its_sum_apart():
    source = model("g (float[2,4] x) => (float[2,6] y, float[2,6] z) { m = MatMul(x, w) y = Add(m, b) z = Relu(m) }", w=f32(4, 6), b=f32(6))
    assert sorted(ops(cleaned(source, "matmul-to-gemm")[0])) == ["Add", "Gemm", "Relu"]


def test_products_that_stay():
    source = model("g (float[2,3,4] x) => (float[2,3,6] y) { y = MatMul(x, w) }", w=f32(4, 6))
    assert refusal(source, "matmul-to-gemm") == "of ranks 3 and 2, expected 2 and 2"
    both = model("g (float[2,4] x, float[4,6] w) => (float[2,6] y) { y = MatMul(x, w) }")
    assert not cleaned(both, "matmul-to-gemm")[1].changes


@pytest.mark.parametrize("node", ["Gemm<alpha=0.5, beta=3.0>(x, w, b)", "Gemm<alpha=0.5>(x, w)", "Gemm<beta=0.0, transA=0>(x, w, b)"])
def test_factors_of_gemm(node):
    graph, _ = cleaned(model(f"g (float[2,4] x) => (float[2,6] y) {{ y = {node} }}", w=f32(4, 6), b=f32(6)), "normalise-gemm")
    assert ops(graph) == ["Gemm"] and not {"alpha", "beta"} & set(graph.nodes[0].attrs)


def test_factors_of_variable_operands_stay():
    source = model("g (float[2,4] x, float[4,6] w) => (float[2,6] y) { y = Gemm<alpha=0.5>(x, w) }")
    assert refusal(source, "normalise-gemm") == "its parameters are not constant"
    assert not cleaned(model("g (float[2,4] x) => (float[2,6] y) { y = Gemm(x, w) }", w=f32(4, 6)), "normalise-gemm")[1].changes
