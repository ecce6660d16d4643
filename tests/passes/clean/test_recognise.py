"""Operators recognised from their parts, or from other words."""

import math

import numpy as np
import pytest
from honed import graph as hg
from honed.passes import Driver
from honed.passes.clean.recognise_gelu import RecogniseGelu
from honed.passes.clean.recognise_silu import RecogniseSilu

from tests.onnx_text import f32, feed_of, model, run
from tests.passes.clean.check import cleaned, ops, refusal

SCALARS = {"zero": 0, "one": 1, "two": 2, "three": 3, "six": 6, "half": 0.5, "sixth": 1 / 6, "root2": math.sqrt(2),
           "rroot2": 1 / math.sqrt(2), "top": math.inf, "eps": 1e-5}
NUMBERS = {name: np.float32(value) for name, value in SCALARS.items()}


def net(nodes, shape="2,3,4", outputs="", opset=17, **more):
    used = {name: value for name, value in (NUMBERS | more).items() if name in nodes}
    return model(f"g (float[{shape}] x) => (float[{shape}] y{outputs}) {{ {nodes} }}", opset=opset, ir=8, **used)


def becomes(source, name, *left, **attrs):
    graph, _ = cleaned(source, name, seeds=(0, 1, 2))
    assert ops(graph) == list(left)
    for key, value in attrs.items():
        assert graph.nodes[-1].attrs[key] == pytest.approx(value, rel=1e-6)
    return graph


@pytest.mark.parametrize(
    ("nodes", "left", "attrs"),
    [
        ("y = Clip(x, zero)", "Relu", {}),
        ("y = Clip(x, zero, top)", "Relu", {}),
        ("y = Max(x, zero)", "Relu", {}),
        ("y = Max(zero, x)", "Relu", {}),
        ("y = LeakyRelu<alpha=0.0>(x)", "Relu", {}),
        ("y = PRelu(x, zero)", "Relu", {}),
        ("y = PRelu(x, half)", "LeakyRelu", {"alpha": 0.5}),
    ],
)
def test_relu(nodes, left, attrs):
    becomes(net(nodes), "recognise-relu", left, **attrs)


@pytest.mark.parametrize("nodes", ["y = Clip(x, zero, six)", "y = Clip(x, one)", "y = Max(x, half)", "y = LeakyRelu(x)", "y = Max(x, x)"])
def test_not_relu(nodes):
    assert not cleaned(net(nodes), "recognise-relu")[1].changes


def test_integers_have_no_relu():
    source = model("g (int32[4] x) => (int32[4] y) { y = Clip(x, low) }", low=np.int32(0))
    assert not cleaned(source, "recognise-relu")[1].changes


@pytest.mark.parametrize(
    "nodes",
    [
        "r = Max(x, zero) y = Min(r, six)",
        "r = Min(x, six) y = Max(zero, r)",
        "r = Relu(x) y = Min(r, six)",
        "r = Relu(x) y = Clip(r, , six)",
        "r = Clip(x, zero, six) y = Clip(r, half, three)",
    ],
)
def test_clip(nodes):
    graph = becomes(net(nodes), "recognise-clip", "Clip")
    low, high = (float(tensor.values) for tensor in graph.nodes[0].inputs[1:])
    assert (low, high) == ((0.5, 3) if "half" in nodes else (0, 6))


def test_clips_that_stay():
    assert not cleaned(net("r = Max(x, six) y = Min(r, zero)"), "recognise-clip")[1].changes
    assert not cleaned(net("r = Max(x, zero) y = Max(r, six)"), "recognise-clip")[1].changes
    source = net("r = Max(x, zero) y = Min(r, six) z = Neg(r)", outputs=", float[2,3,4] z")
    assert refusal(source, "recognise-clip") == "the output of Max has other users"


@pytest.mark.parametrize(
    ("nodes", "alpha", "beta"),
    [
        ("a = Add(x, three) c = Clip(a, zero, six) y = Div(c, six)", 1 / 6, 0.5),
        ("a = Add(three, x) c = Clip(a, zero, six) y = Mul(c, sixth)", 1 / 6, 0.5),
        ("a = Add(x, one) c = Clip(a, zero, two) y = Div(c, two)", 0.5, 0.5),
        ("m = Mul(x, sixth) a = Add(m, half) y = Clip(a, zero, one)", 1 / 6, 0.5),
        ("m = Div(x, six) a = Add(m, half) y = Clip(a, zero, one)", 1 / 6, 0.5),
        ("a = Add(x, half) y = Clip(a, zero, one)", 1, 0.5),
    ],
)
def test_hard_sigmoid(nodes, alpha, beta):
    becomes(net(nodes), "recognise-hard-sigmoid", "HardSigmoid", alpha=alpha, beta=beta)


@pytest.mark.parametrize(
    "nodes",
    [
        "a = Add(x, three) c = Clip(a, zero, six) y = Div(c, three)",
        "a = Add(x, three) c = Clip(a, zero, six) y = Div(six, c)",
        "a = Add(x, three) c = Clip(a, one, six) y = Div(c, six)",
        "a = Add(x, half) y = Clip(a, zero, two)",
        "a = Add(x, x) y = Clip(a, zero, one)",
    ],
)
def test_not_hard_sigmoid(nodes):
    assert not cleaned(net(nodes), "recognise-hard-sigmoid")[1].changes


def test_scalars_that_add_a_dimension():
    body = "g (float[2,3,4] x) => (float[1,2,3,4] y) { a = Add(x, deep) c = Clip(a, zero, six) y = Div(c, six) }"
    source = model(body, deep=np.full((1, 1, 1, 1), 3, np.float32), zero=NUMBERS["zero"], six=NUMBERS["six"])
    assert not cleaned(source, "recognise-hard-sigmoid")[1].changes


def test_hard_sigmoid_whose_parts_are_used():
    source = net("a = Add(x, three) c = Clip(a, zero, six) y = Div(c, six) z = Neg(c)", outputs=", float[2,3,4] z")
    assert refusal(source, "recognise-hard-sigmoid") == "the values in between have other users"


@pytest.mark.parametrize(
    "nodes",
    [
        "a = Add(x, three) c = Clip(a, zero, six) d = Div(c, six) y = Mul(x, d)",
        "a = Add(x, three) c = Clip(a, zero, six) d = Mul(c, sixth) y = Mul(d, x)",
        "a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, six)",
        "a = Add(x, three) c = Clip(a, zero, six) m = Mul(c, x) y = Mul(m, sixth)",
        "h = HardSigmoid<alpha=0.16666667, beta=0.5>(x) y = Mul(h, x)",
    ],
)
def test_hard_swish(nodes):
    source = net(nodes)
    graph, _ = cleaned(source, "recognise-hard-sigmoid", "recognise-hard-swish", seeds=(0, 1, 2))
    assert ops(graph) == ["HardSwish"]


def test_not_hard_swish():
    h = "h = HardSigmoid<alpha=0.16666667, beta=0.5>(x)"
    assert not cleaned(net(f"{h} n = Neg(x) y = Mul(h, n)"), "recognise-hard-swish")[1].changes
    assert not cleaned(net("h = HardSigmoid<alpha=0.2>(x) y = Mul(h, x)"), "recognise-hard-swish")[1].changes
    for shift, divisor in (("two", "six"), ("three", "three")):
        nodes = f"a = Add(x, {shift}) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, {divisor})"
        assert not cleaned(net(nodes), "recognise-hard-swish")[1].changes
    assert refusal(net(f"{h} y = Mul(h, x)", opset=13), "recognise-hard-swish") == "HardSwish needs opset 14"
    source = net(f"{h} y = Mul(h, x) z = Neg(h)", outputs=", float[2,3,4] z")
    assert refusal(source, "recognise-hard-swish") == "the values in between have other users"


GELU = [
    "d = Div(x, root2) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
    "d = Mul(x, rroot2) e = Erf(d) a = Add(one, e) m = Mul(half, x) y = Mul(m, a)",
    "d = Div(x, root2) e = Erf(d) a = Add(e, one) m = Mul(a, half) y = Mul(x, m)",
]


@pytest.mark.parametrize("nodes", GELU)
def test_gelu(nodes):
    graph = becomes(net(nodes, opset=20), "recognise-gelu", "Gelu")
    assert not graph.nodes[0].domain
    old = net(nodes)
    assert refusal(old, "recognise-gelu") == "Gelu needs opset 20"
    graph = hg.load(old)
    Driver(graph).run([RecogniseGelu(contrib=True)])
    assert ops(graph) == ["Gelu"] and graph.nodes[0].domain == "com.microsoft"
    np.testing.assert_allclose(run(hg.to_model(graph), feed_of(old))[0], run(old, feed_of(old))[0], atol=1e-6)


@pytest.mark.parametrize(
    "nodes",
    [
        "d = Div(x, two) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
        "d = Div(x, root2) e = Erf(d) a = Add(e, two) m = Mul(x, a) y = Mul(m, half)",
        "d = Div(x, root2) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, two)",
        "n = Neg(x) d = Div(x, root2) e = Erf(d) a = Add(e, one) m = Mul(n, a) y = Mul(m, half)",
    ],
)
def test_not_gelu(nodes):
    assert not cleaned(net(nodes, opset=20), "recognise-gelu")[1].changes


def test_silu():
    nodes = "s = Sigmoid(x) y = Mul(s, x)"
    becomes(net(nodes, opset=24), "recognise-silu", "Swish")
    old = net(nodes)
    assert refusal(old, "recognise-silu") == "Swish needs opset 24"
    graph = hg.load(old)
    Driver(graph).run([RecogniseSilu(contrib=True)])
    assert [(node.op, node.domain, node.attrs) for node in graph.nodes] == [("QuickGelu", "com.microsoft", {"alpha": 1.0})]
    np.testing.assert_allclose(run(hg.to_model(graph), feed_of(old))[0], run(old, feed_of(old))[0], atol=1e-6)
    assert not cleaned(net("s = Sigmoid(x) n = Neg(x) y = Mul(s, n)"), "recognise-silu")[1].changes
    shared = net("s = Sigmoid(x) y = Mul(x, s) z = Neg(s)", outputs=", float[2,3,4] z", opset=24)
    assert refusal(shared, "recognise-silu") == "the output of Sigmoid has other users"


NORM = """m = ReduceMean<axes=[-1]>(x) d = Sub(x, m) p = Pow(d, two) v = ReduceMean<axes=[-1]>(p) e = Add(v, eps) s = Sqrt(e)"""
PARAMETERS = {"gamma": f32(4), "beta": f32(4, seed=1), "matrix": f32(3, 4), "other": f32(3, 1)}


@pytest.mark.parametrize(
    ("nodes", "left", "inputs"),
    [
        (f"{NORM} y = Div(d, s)", ["LayerNormalization"], 2),
        (f"{NORM} q = Div(d, s) y = Mul(q, gamma)", ["LayerNormalization"], 2),
        (f"{NORM} q = Div(d, s) w = Mul(gamma, q) y = Add(w, beta)", ["LayerNormalization"], 3),
        (f"{NORM} q = Div(d, s) w = Mul(q, other) y = Add(w, beta)", ["LayerNormalization", "Mul", "Add"], 2),
        (NORM.replace("Pow(d, two)", "Mul(d, d)") + " q = Div(d, s) w = Mul(q, gamma) y = Add(w, beta)", ["LayerNormalization"], 3),
        (NORM.replace("[-1]", "[1,2]") + " q = Div(d, s) w = Mul(q, matrix) y = Add(w, beta)", ["LayerNormalization"], 3),
    ],
)
def test_layer_norm(nodes, left, inputs):
    graph = becomes(net(nodes, **PARAMETERS), "recognise-layer-norm", *left)
    assert len(graph.nodes[0].inputs) == inputs and graph.nodes[0].attrs["axis"] == (-2 if "[1,2]" in nodes else -1)


def test_layer_norm_with_axes_as_an_input():
    nodes = NORM.replace("<axes=[-1]>(x)", "(x, last)").replace("<axes=[-1]>(p)", "(p, last)") + " y = Div(d, s)"
    becomes(net(nodes, opset=18, last=np.array([-1])), "recognise-layer-norm", "LayerNormalization")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (net(NORM.replace("[-1]", "[1]") + " y = Div(d, s)"), "the mean is over axes [1], expected the last ones"),
        (net(NORM + " y = Div(d, s)", opset=16), "LayerNormalization needs opset 17"),
        (net(NORM + " y = Div(d, s)", shape="2,3,n"), "the size ['n'] of the normalised axes is not known"),
    ],
)
def test_layer_norm_refusals(source, reason):
    assert refusal(source, "recognise-layer-norm") == reason


def test_not_layer_norm():
    for nodes in (NORM.replace("v = ReduceMean<axes=[-1]>", "v = ReduceMean<axes=[-2]>").replace("Pow(d, two)", "Pow(d, two)"),
                  NORM.replace("Pow(d, two)", "Pow(d, six)"), NORM.replace("Sub(x, m)", "Sub(m, x)")):
        assert not cleaned(net(nodes + " y = Div(d, s)", shape="2,4,4"), "recognise-layer-norm")[1].changes


def pooled(node, x="2,3,5,4", y="2,3,1,1", kind="float", opset=17, **weights):
    return model(f"g ({kind}[{x}] x) => ({kind}[{y}] y) {{ y = {node} }}", opset=opset, **weights)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (pooled("ReduceMean<axes=[2,3]>(x)"), ["GlobalAveragePool"]),
        (pooled("ReduceMean<axes=[-1,-2]>(x)", x="n,3,h,w", y="n,3,1,1"), ["GlobalAveragePool"]),
        (pooled("ReduceMean<axes=[2,3], keepdims=0>(x)", y="2,3"), ["GlobalAveragePool", "Flatten"]),
        (pooled("ReduceMean(x, axes)", opset=18, axes=np.array([2, 3])), ["GlobalAveragePool"]),
        (pooled("ReduceMax<axes=[2,3], keepdims=0>(x)", y="2,3"), ["GlobalMaxPool", "Flatten"]),
        (pooled("ReduceMean<axes=[2]>(x)", x="2,3,5", y="2,3,1"), ["GlobalAveragePool"]),
        (pooled("AveragePool<kernel_shape=[5,4]>(x)"), ["GlobalAveragePool"]),
        (pooled("MaxPool<kernel_shape=[5,4], strides=[2,2]>(x)"), ["GlobalMaxPool"]),
    ],
)
def test_global_pool(source, left):
    becomes(source, "recognise-global-pool", *left)


@pytest.mark.parametrize(
    "source",
    [
        pooled("ReduceMean<axes=[1,2]>(x)", y="2,1,1,4"),
        pooled("ReduceMean<axes=[3]>(x)", y="2,3,5,1"),
        pooled("ReduceMean(x)", y="1,1,1,1"),
        pooled("AveragePool<kernel_shape=[5,3]>(x)", y="2,3,1,2"),
        pooled("AveragePool<kernel_shape=[5,4], pads=[1,0,0,0]>(x)", y="2,3,2,1"),
        pooled("MaxPool<kernel_shape=[3,2], dilations=[2,3]>(x)"),
    ],
)
def test_not_global_pool(source):
    assert not cleaned(source, "recognise-global-pool")[1].changes


def test_integers_are_not_pooled():
    assert refusal(pooled("ReduceMax<axes=[2,3]>(x)", kind="int32"), "recognise-global-pool") == "global pooling of int32"
