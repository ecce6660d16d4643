"""Nodes whose inputs are constant."""

import numpy as np
import pytest
from honed import graph as hg
from honed.graph.evaluate import EvaluationError
from honed.passes import Driver
from honed.passes.clean import fold_constants
from honed.passes.clean.fold_constants import FoldConstants

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal

NAME = "fold-constants"


@pytest.mark.parametrize(
    "nodes",
    [
        "k = Transpose<perm=[1,0]>(w) y = Gemm(x, k)",
        "t = Transpose<perm=[1,0]>(w) u = Mul(t, two) k = Add(u, two) y = MatMul(x, k)",
        "q = QuantizeLinear(v, s, z) k = DequantizeLinear(q, s, z) y = MatMul(x, k)",
        "a, b = Split<axis=1>(both, sizes) k = Sub(a, b) y = MatMul(x, k)",
        "c = Cast<to=1>(ints) k = Reshape(c, shape) y = MatMul(x, k)",
    ],
)
def test_constants_are_computed(nodes):
    source = model(
        f"g (float[2,4] x) => (float[2,6] y) {{ {nodes} }}", w=f32(6, 4), v=f32(4, 6), two=np.float32(2), s=np.float32(0.02),
        z=np.int8(0), both=f32(4, 12), sizes=np.array([6, 6]), ints=np.arange(24), shape=np.array([4, 6]),
    )
    graph, _ = cleaned(source, NAME)
    assert ops(graph) in (["Gemm"], ["MatMul"], ["DequantizeLinear", "MatMul"])


def test_dequantization_of_weights_stays_unless_asked_for():
    source = model("g (float[2,4] x) => (float[2,6] y) { k = DequantizeLinear(q, s) y = MatMul(x, k) }",
                   q=np.arange(24, dtype=np.int8).reshape(4, 6), s=np.float32(0.1))
    assert ops(cleaned(source, NAME)[0]) == ["DequantizeLinear", "MatMul"]
    graph = hg.load(source)
    Driver(graph).run([FoldConstants(dequantize=True)], to_fixpoint=True)
    assert ops(graph) == ["MatMul"]
    np.testing.assert_array_equal(graph.nodes[0].inputs[1].values, np.arange(24, dtype=np.float32).reshape(4, 6) * np.float32(0.1))


@pytest.mark.parametrize(
    ("body", "constants", "reason"),
    [
        ("(float[1000,1000] x) => (float[1000,1000] y) { k = Expand(one, shape) y = Add(x, k) }",
         {"one": np.float32(1), "shape": np.array([1000, 1000])}, "the result would take 4000000 bytes"),
        ("(float[1000000] x) => (float[1000000] y) { k = ConstantOfShape(shape) y = Add(x, k) }",
         {"shape": np.array([1000000])}, "the result would take 4000000 bytes"),
        ("(float[1,4,6,6] x) => (float[1,4,6,6] y) { k = Conv(a, b) y = Add(x, k) }", {"a": f32(1, 4, 6, 6), "b": f32(4, 4, 1, 1)},
         "a constant Conv is slow to fold"),
        ("(float[4] x) => (float[n] y) { k = NonZero(a) f = Flatten<axis=0>(k) c = Cast<to=1>(f) y = Concat<axis=1>(c, c) }",
         {"a": np.ones(4, np.float32)}, "the size of the result is not known"),
    ],
)
def test_refusals(body, constants, reason):
    if "NonZero" in body:
        body = body.replace("(float[n] y)", "(float[n,m] y)")
    assert refusal(model("g " + body, **constants), NAME) == reason


def test_random_values_and_subgraphs_stay():
    body = "g (float[2] x) => (float[2] y) { k = RandomNormal<shape=[2]>() z = Mul(k, zero) y = Add(x, z) }"
    source = model(body, zero=np.zeros(1, np.float32))
    assert refusal(source, NAME) == "random"
    branches = "then_branch = t () => (float[2] p) { p = Abs(x) }, else_branch = e () => (float[2] q) { q = Neg(x) }"
    assert not cleaned(model(f"g (float[2] x) => (float[2] y) {{ y = If<{branches}>(c) }}", c=np.bool_(True)), NAME)[1].changes


def test_a_constant_graph_output_keeps_its_name():
    graph, _ = cleaned(model("g (float[2] x) => (float[2] y, float[2] z) { y = Relu(x) z = Add(a, a) }", a=f32(2)), NAME)
    assert ops(graph) == ["Relu", "Identity"]


def test_what_cannot_be_evaluated_is_left(monkeypatch):
    def fail(*_):
        raise EvaluationError("no such type")

    monkeypatch.setattr(fold_constants, "evaluate", fail)
    source = model("g (float[2] x) => (float[2] y) { k = Abs(w) y = Add(x, k) }", w=f32(2))
    assert refusal(source, NAME) == "cannot be evaluated: no such type"
