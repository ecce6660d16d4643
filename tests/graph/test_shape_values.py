"""Partial evaluation of shape computations, against ONNX Runtime where it is complete."""

import numpy as np
import pytest
from honed import graph as hg
from honed.graph.shape_values import ShapeValue, shape_values

from tests.onnx_text import f32, feed_of, model, run

CONSTANTS = {"i0": np.int64(0), "v0": np.array([0]), "v1": np.array([1]), "v2": np.array([2]), "v3": np.array([3]), "m1": np.array([-1]),
             "far": np.array([1 << 60])}


def values_of(nodes, shape="n,6,h,4"):
    source = model(f"g (float[{shape}] x) => (float[{shape}] y) {{ {nodes} y = Relu(x) }}", **CONSTANTS)
    graph = hg.load(source)
    names = {id(t): name for name, t in graph.tensors().items()}
    return {names[key]: value for key, value in shape_values(graph).items()}


@pytest.mark.parametrize(
    ("nodes", "dims"),
    [
        ("r = Shape(x)", ("n", 6, "h", 4)),
        ("r = Shape<start=1, end=-1>(x)", (6, "h")),
        ("s = Shape(x) r = Gather(s, v1)", (6,)),
        ("s = Shape(x) r = Gather(s, m1)", (4,)),
        ("s = Shape(x) r = Slice(s, v1, far)", (6, "h", 4)),
        ("s = Shape(x) r = Slice(s, v0, far, v0, v2)", ("n", "h")),
        ("s = Shape(x) r = Concat<axis=0>(s, v3)", ("n", 6, "h", 4, 3)),
        ("s = Shape(x) a = Gather(s, i0) r = Unsqueeze(a, v0)", ("n",)),
        ("s = Shape(x) a = Gather(s, v1) b = Squeeze(a, v0) r = Mul(b, v2)", (12,)),
        ("s = Shape(x) a = Gather(s, v1) b = Div(a, v2) r = Sub(b, v1)", (2,)),
        ("s = Shape(x) a = Gather(s, v0) r = Mul(a, v1)", ("n",)),
        ("s = Shape(x) a = Gather(s, v0) r = Mul(a, v2)", (None,)),
        ("s = Shape(x) a = Gather(s, v0) b = Add(a, v1) r = Concat<axis=0>(b, v1)", (None, 1)),
        ("s = Shape(x) a = Cast<to=6>(s) r = Cast<to=7>(a)", ("n", 6, "h", 4)),
        ("s = Shape(x) a = Gather(s, v1) r = Reshape(a, m1)", (6,)),
        ("s = Shape<start=3>(x) r = ReduceProd<keepdims=1>(s)", (4,)),
    ],
)
def test_symbols_and_numbers(nodes, dims):
    assert values_of(nodes)["r"].dims == dims


@pytest.mark.parametrize("nodes", ["s = Shape(x) r = Slice(s, v3, v0, v0, m1)", "r = Cast<to=7>(x)"])
def test_what_is_not_followed(nodes):
    assert "r" not in values_of(nodes)


def test_size_and_static_values_agree_with_onnx_runtime():
    nodes = "s = Shape(x) n = Size(x) a = Gather(s, v2) b = Div(a, v2) c = Sub(v1, b) d = Concat<axis=0>(s, c, a)"
    source = model(f"g (float[2,6,7,4] x) => (int64 n, int64[d0] b, int64[d1] c, int64[d2] d) {{ {nodes} }}", **CONSTANTS)
    graph = hg.load(source)
    found = shape_values(graph)
    for output, expected in zip(graph.outputs, run(source, feed_of(source)), strict=True):
        actual = found[id(output)].array(np.int64)
        np.testing.assert_array_equal(actual, expected)
        assert actual.shape == expected.shape


def test_division_truncates_as_onnx_runtime_does():
    source = model("g (float[7] x) => (int64[1] y) { s = Shape(x) t = Sub(v0, s) y = Div(t, v2) }", **CONSTANTS)
    graph = hg.load(source)
    np.testing.assert_array_equal(shape_values(graph)[id(graph.outputs[0])].array(np.int64), run(source, {"x": f32(7)})[0])


def test_scalars_become_scalars():
    assert ShapeValue((3,), True).array(np.int64).shape == () and ShapeValue((3,)).array(np.int64).shape == (1,)
