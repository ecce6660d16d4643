"""Equal constants, equal nodes, reshapes of reshapes, transposes of transposes."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal


def test_equal_constants():
    source = model("g (float[50,30] x) => (float[50,30] y) { a = Add(x, v) b = Mul(a, w) c = Mul(b, u) y = Add(c, t) }",
                   v=f32(50, 30), w=f32(50, 30), u=f32(50, 30, seed=1), t=f32(50, 30).astype(np.float32).copy())
    graph, report = cleaned(source, "merge-constants")
    first, second, third, fourth = (node.inputs[1] for node in graph.nodes)
    assert first is second is fourth and first is not third and len(report.changes) == 2


def test_constants_that_only_look_equal():
    near = f32(50, 100)
    near[10, 10] += 1  # between the sampled elements
    source = model("g (float[50,100] x) => (float[50,100] y) { a = Add(x, v) b = Add(a, w) y = Mul(b, s) }",
                   v=f32(50, 100), w=near, s=np.float32(1))
    assert not cleaned(source, "merge-constants")[1].changes
    kinds = model("g (float[2] x, double[2] d) => (float[2] y, double[2] z) { y = Add(x, v) z = Add(d, w) }",
                  v=np.zeros(2, np.float32), w=np.zeros(2))
    assert not cleaned(kinds, "merge-constants")[1].changes


def test_equal_nodes():
    source = model("g (float[1,3,6,6] x) => (float[1,4,4,4] y) { a = Conv(x, w) b = Relu(a) c = Conv(x, w) d = Relu(c) y = Add(b, d) }",
                   w=f32(4, 3, 3, 3))
    graph, report = cleaned(source, "merge-nodes")
    assert ops(graph) == ["Conv", "Relu", "Add"] and [c.op for c in report.changes] == ["Conv", "Relu"]


@pytest.mark.parametrize(
    "body",
    [
        "(float[2,3] x) => (float[2,3] y) { a = LeakyRelu<alpha=0.1>(x) b = LeakyRelu<alpha=0.2>(x) y = Add(a, b) }",
        "(float[2,3] x) => (float[2,3] y) { a = Sub(x, w) b = Sub(w, x) y = Add(a, b) }",
        "(float[2,3] x) => (float[2,3] y) { a = RandomNormalLike(x) b = RandomNormalLike(x) c = Mul(a, zero) d = Mul(b, zero) "
        "y = Sum(c, d, x) }",
        "(float[2,3] x) => (float[2,3] y, float[2,3] z) { y = Identity(x) z = Identity(x) }",
    ],
)
def test_different_nodes(body):
    assert not cleaned(model("g " + body, w=f32(2, 3), zero=np.float32(0)), "merge-nodes")[1].changes


def test_graph_outputs_are_not_merged_away():
    source = model("g (float[2] x) => (float[2] y, float[2] z) { y = Relu(x) z = Relu(x) }")
    assert refusal(source, "merge-nodes") == "computes the same as Relu, and is a graph output"


TARGETS = {"t12": np.array([1, 12]), "t34": np.array([3, 4]), "z34": np.array([0, 2, -1]), "axes": np.array([0]),
           "copy": np.array([0, 0, -1])}


@pytest.mark.parametrize(
    ("nodes", "x", "y", "left"),
    [
        ("a = Reshape(r, t12) y = Reshape(a, t34)", "2,6", "3,4", ["Relu", "Reshape"]),
        ("a = Unsqueeze(r, axes) y = Reshape(a, t34)", "2,6", "3,4", ["Relu", "Reshape"]),
        ("a = Flatten(r) y = Reshape(a, z34)", "n,3,4", "n,2,6", ["Relu", "Reshape"]),
        ("a = Reshape(r, z34) y = Flatten(a)", "n,3,4", "n,12", ["Relu", "Flatten"]),
    ],
)
def test_reshapes(nodes, x, y, left):
    graph, _ = cleaned(model(f"g (float[{x}] x) => (float[{y}] y) {{ r = Relu(x) {nodes} }}", **TARGETS), "merge-reshapes")
    assert ops(graph) == left


@pytest.mark.parametrize(
    ("nodes", "x", "y", "reason"),
    [
        ("a = Reshape(r, t34) y = Reshape(a, copy)", "2,6", "3,4,1", "copies dimensions that Reshape makes"),
        ("a = Reshape(r, z34) y = Reshape(a, copy)", "n,3,4", "n,2,6", "copies dimensions that Reshape makes"),
        ("a = Reshape(r, t34) y = Flatten(a)", "2,6", "3,4", "Reshape changes the first axis"),
        ("a = Reshape(r, t34) y = Reshape(a, given)", "2,6", "u,v", "the target shape is not constant"),
    ],
)
def test_reshapes_that_stay(nodes, x, y, reason):
    targets = dict(TARGETS)
    if "given" in nodes:
        nodes = nodes.replace("given", "g2").replace("a =", "g1 = Shape(r) g2 = Abs(g1) a =")
    assert refusal(model(f"g (float[{x}] x) => (float[{y}] y) {{ r = Relu(x) {nodes} }}", **targets), "merge-reshapes") == reason


def test_transposes():
    source = model("g (float[2,3,4] x) => (float[4,2,3] y) { a = Transpose<perm=[1,2,0]>(x) y = Transpose<perm=[1,2,0]>(a) }")
    graph, _ = cleaned(source, "merge-transposes")
    assert [list(node.attrs["perm"]) for node in graph.nodes] == [[2, 0, 1]]
    back = model("g (float[2,3,4] x) => (float[2,3,4] y) { r = Relu(x) a = Transpose<perm=[2,0,1]>(r) y = Transpose<perm=[1,2,0]>(a) }")
    assert ops(cleaned(back, "merge-transposes", "remove-no-op")[0]) == ["Relu"]


def test_a_transpose_with_other_readers_stays():
    nodes = "a = Transpose<perm=[1,0]>(x) y = Transpose<perm=[1,0]>(a) z = Relu(a)"
    source = model(f"g (float[2,3] x) => (float[2,3] y, float[3,2] z) {{ {nodes} }}")
    assert refusal(source, "merge-transposes") == "the output of Transpose has other users"
