"""Identity, no-ops, dead nodes, outputs that nothing reads, branches that are always taken."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal

BRANCHES = "then_branch = t () => (float[2,3] p) { q = Abs(a) p = Mul(q, k) }, else_branch = e () => (float[2,3] p) { p = Neg(x) }"


@pytest.mark.parametrize(
    ("nodes", "left"),
    [
        ("i = Identity(x) y = Relu(i)", ["Relu"]),
        ("r = Relu(x) y = Identity(r)", ["Relu"]),
        ("i = Identity(w) y = Add(x, i)", ["Add"]),
        ("r = Dropout(x, ratio) y = Relu(r)", ["Relu"]),
        ("r, m = Dropout(x, ratio, no) y = Relu(r)", ["Relu"]),
        ("a = Identity(x) b = Identity(a) c = Identity(b) y = Relu(c)", ["Relu"]),
    ],
)
def test_identity(nodes, left):
    source = model(f"g (float[2,3] x) => (float[2,3] y) {{ {nodes} }}", w=f32(2, 3), ratio=np.float32(0.5), no=np.bool_(False))
    assert ops(cleaned(source, "remove-identity")[0]) == left


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("(float[2] x) => (float[2] y) { y = Identity(x) }", "gives a graph output its name"),
        ("(float[2] x) => (float[2] r, float[2] y) { r = Relu(x) y = Identity(r) }", "gives a graph output its name"),
        ("(float[2] x) => (float[2] y) { z = Identity(w) y = Add(x, z) u = Identity(w) y2 = Add(u, u) }", None),
        ("(float[2] x, bool t) => (float[2] y) { z = Mul(x, zero) y = Dropout(z, ratio, t) }", "Dropout in training mode"),
        ("(float[2] x) => (float[2] y, bool[2] m) { y, m = Dropout(x, ratio, no) }", "the mask of Dropout is used"),
    ],
)
def test_identities_that_stay(body, reason):
    source = model("g " + body, w=f32(2), ratio=np.float32(0.5), no=np.bool_(False), zero=np.float32(0))
    if reason is None:
        assert "Identity" not in ops(cleaned(source, "remove-identity")[0])
    else:
        assert refusal(source, "remove-identity") == reason


@pytest.mark.parametrize(
    ("node", "x", "y"),
    [
        ("Cast<to=1>(r)", "2,3", "2,3"),
        ("Transpose<perm=[0,1]>(r)", "2,3", "2,3"),
        ("Pad(r, zeros)", "2,3", "2,3"),
        ("Clip(r)", "2,3", "2,3"),
        ("Clip(r, lowest, highest)", "2,3", "2,3"),
        ("Reshape(r, same)", "2,3", "2,3"),
        ("Reshape(r, copied)", "n,3", "n,3"),
        ("Flatten(r)", "n,3", "n,3"),
        ("Expand(r, same)", "2,3", "2,3"),
        ("Slice(r, zeros2, ends)", "2,3", "2,3"),
        ("Tile(r, ones)", "2,3", "2,3"),
        ("Concat<axis=0>(r)", "n,3", "n,3"),
        ("Max(r)", "n,3", "n,3"),
        ("Split<axis=1>(r, three)", "n,3", "n,3"),
        ("MaxPool<kernel_shape=[1,1]>(r)", "1,2,3,3", "1,2,3,3"),
        ("AveragePool<kernel_shape=[1,1], strides=[1,1]>(r)", "1,2,3,3", "1,2,3,3"),
        ("Add(r, zero)", "n,3", "n,3"),
        ("Add(zero, r)", "n,3", "n,3"),
        ("Sub(r, zero)", "n,3", "n,3"),
        ("Mul(one, r)", "n,3", "n,3"),
        ("Div(r, one)", "n,3", "n,3"),
    ],
)
def test_no_ops(node, x, y):
    source = model(
        f"g (float[{x}] x) => (float[{y}] y) {{ r = Relu(x) o = {node} y = Neg(o) }}", zeros=np.zeros(4, np.int64), same=np.array([2, 3]),
        copied=np.array([0, 3]), zeros2=np.zeros(2, np.int64), ends=np.array([9, 9]), ones=np.ones(2, np.int64), three=np.array([3]),
        zero=np.zeros(1, np.float32), one=np.ones((1, 3) if x == "n,3" else 1, np.float32), lowest=np.float32(-np.inf),
        highest=np.float32(np.inf),
    )
    assert ops(cleaned(source, "remove-no-op")[0]) == ["Relu", "Neg"]


@pytest.mark.parametrize(
    ("node", "x", "y"),
    [
        ("Cast<to=11>(r)", "2,3", "2,3"),
        ("Transpose<perm=[1,0]>(r)", "3,3", "3,3"),
        ("Transpose(r)", "3,3", "3,3"),
        ("Clip(r, zero)", "2,3", "2,3"),
        ("Slice(r, last, first, axis, back)", "2,3", "2,3"),
        ("Sub(zero, r)", "2,3", "2,3"),
        ("Div(one, r)", "2,3", "2,3"),
        ("Add(r, wide)", "1,3", "2,3"),
        ("Add(r, deep)", "2,3", "1,2,3"),
        ("Mul(r, zero)", "2,3", "2,3"),
        ("MaxPool<kernel_shape=[1,1], strides=[2,2]>(r)", "1,2,3,3", "1,2,2,2"),
        ("Pad(r, some)", "2,3", "2,4"),
    ],
)
def test_what_does_something(node, x, y):
    kind = "double" if "to=11" in node else "float"
    source = model(
        f"g (float[{x}] x) => ({kind}[{y}] y) {{ r = Exp(x) o = {node} y = Neg(o) }}",
        zero=np.float32(0), one=np.float32(1), wide=np.zeros((2, 3), np.float32), deep=np.zeros((1, 1, 1), np.float32),
        last=np.array([-1]), first=np.array([-9]), axis=np.array([1]), back=np.array([-1]), some=np.array([0, 0, 0, 1]),
    )
    assert not cleaned(source, "remove-no-op")[1].changes


def test_a_no_op_between_input_and_output_stays():
    assert refusal(model("g (float[2] x) => (float[2] y) { y = Clip(x) }"), "remove-no-op") == "gives a graph output its name"


def test_dead_nodes():
    source = model("g (float[2] x, float[2] u) => (float[2] y) { y = Relu(x) a = Abs(x) b = Add(a, u) c = Mul(b, a) }")
    graph, report = cleaned(source, "remove-dead")
    assert ops(graph) == ["Relu"] and [t.name for t in graph.inputs] == ["x", "u"]
    assert len(report.changes) == 1


def test_outputs_that_nothing_reads():
    source = model("g (float[1,2,4,4] x) => (float[1,2,2,2] y) { y, i = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }")
    graph, _ = cleaned(source, "trim-outputs")
    assert [len(node.outputs) for node in graph.nodes] == [1]
    used = model("g (float[1,2,4,4] x) => (float[1,2,2,2] y, int64[1,2,2,2] i) { y, i = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }")
    assert not cleaned(used, "trim-outputs")[1].changes


@pytest.mark.parametrize(("condition", "left"), [(True, ["Relu", "Abs", "Mul", "Sqrt"]), (False, ["Neg", "Sqrt"])])
def test_constant_conditions(condition, left):
    body = f"g (float[2,3] x) => (float[2,3] y) {{ a = Relu(x) r = If<{BRANCHES}>(c) y = Sqrt(r) }}"
    graph, _ = cleaned(model(body.replace("Sqrt", "Abs"), c=np.bool_(condition), k=f32(2, 3)), "inline-if")
    assert ops(graph) == [op.replace("Sqrt", "Abs") for op in left]


def test_computed_conditions_and_nested_branches_stay():
    body = f"g (float[2,3] x, bool c) => (float[2,3] y) {{ a = Relu(x) y = If<{BRANCHES}>(c) }}"
    assert refusal(model(body, k=f32(2, 3)), "inline-if") == "the condition is not constant"
    nested = "then_branch = t () => (float[2] p) { p = If<then_branch = u () => (float[2] r) { r = Abs(x) }, " \
             "else_branch = v () => (float[2] s) { s = Neg(x) }>(d) }, else_branch = e () => (float[2] q) { q = Neg(x) }"
    source = model(f"g (float[2] x, bool d) => (float[2] y) {{ y = If<{nested}>(c) }}", c=np.bool_(True))
    assert refusal(source, "inline-if") == "the branch has subgraphs of its own"
