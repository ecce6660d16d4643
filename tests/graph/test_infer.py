"""Shapes and types of inner tensors, symbols among them."""

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed import graph as hg

from tests.onnx_text import f32, feed_of, model, run

U8 = np.uint8(3)
SCALE = np.float32(0.05)


def shapes(graph):
    return {name: list(t.shape) for name, t in graph.tensors().items() if isinstance(t, gs.Variable) and t.shape is not None}


def test_symbols_of_the_inputs_are_kept():
    body = "g (float[batch,3,height,8] x) => (float[batch,10] y) { c = Conv(x, w) p = GlobalAveragePool(c) f = Flatten(p) y = Gemm(f, v) }"
    found = shapes(hg.load(model(body, w=f32(8, 3, 3, 3), v=f32(8, 10))))
    assert found["c"][:2] == ["batch", 8] and found["c"][3] == 6 and isinstance(found["c"][2], str)
    assert found["p"] == ["batch", 8, 1, 1] and found["f"] == ["batch", 8] and found["y"] == ["batch", 10]


def test_symbols_are_replaced_by_numbers():
    graph = hg.load(model("g (float[n,3,h,8] x) => (float[n,8,k,6] y) { c = Conv(x, w) y = Relu(c) }", w=f32(8, 3, 3, 3)))
    hg.infer_shapes(graph, {"n": 4, "h": 10})
    assert shapes(graph) == {"x": [4, 3, 10, 8], "c": [4, 8, 8, 6], "y": [4, 8, 8, 6]}


def test_reshape_targets_are_followed_through_shape_arithmetic():
    body = """g (float[n,6,4] x) => (float[n,3,8] y) {
        s = Shape(x) n0 = Gather<axis=0>(s, zero) n1 = Unsqueeze(n0, zeros) t = Concat<axis=0>(n1, rest) r = Reshape(x, t) y = Relu(r) }"""
    graph = hg.load(model(body, zero=np.int64(0), zeros=np.zeros(1, np.int64), rest=np.array([3, 8])))
    assert shapes(graph)["r"] == ["n", 3, 8]


@pytest.mark.parametrize(
    ("body", "weights"),
    [
        ("(uint8[1,4,6,6] x) => (uint8[1,4,6,6] y) { t = com.microsoft.QLinearAdd(x, s, z, x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4,6,6] x) => (uint8[1,4,6,6] y) { t = com.microsoft.QLinearMul(x, s, z, x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4,6,6] x) => (uint8[1,4,1,1] y) { t = com.microsoft.QLinearGlobalAveragePool(x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4,6,6] x) => (uint8[1,4,3,3] y) { "
         "t = com.microsoft.QLinearAveragePool<kernel_shape=[2,2], strides=[2,2]>(x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4,6,6] x) => (uint8[1,4,6,6] y) { t = com.microsoft.QLinearLeakyRelu<alpha=0.1>(x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4,6,6] x) => (uint8[1,4,6,6] y) { t = com.microsoft.QLinearSigmoid(x, s, z, s, z) y = Identity(t) }", {}),
        ("(uint8[1,4] x) => (uint8[1,8] y) { t = com.microsoft.QLinearConcat<axis=1>(s, z, x, s, z, x, s, z) y = Identity(t) }", {}),
        ("(uint8[2,6] x) => (uint8[2,4] y) { t = com.microsoft.QGemm<transB=1>(x, s, z, w, s, z, , s, z) y = Identity(t) }", {"w": (4, 6)}),
        ("(uint8[2,6] x) => (float[2,4] y) { t = com.microsoft.QGemm<transB=1>(x, s, z, w, s, z) y = Identity(t) }", {"w": (4, 6)}),
    ],
)
def test_operators_of_onnx_runtime(body, weights):
    constants = {name: np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) for name, shape in weights.items()}
    source = model("g " + body, s=SCALE, z=U8, **constants)
    tensor = hg.load(source).tensors()["t"]
    (result,) = run(source, feed_of(source))
    assert list(tensor.shape) == list(result.shape) and tensor.dtype == result.dtype


def test_what_the_file_says_of_inner_tensors_is_not_believed():
    source = model("g (float[1,4] x) => (float[1,4] y) <float[9,9] t> { t = Relu(x) y = Abs(t) }")
    assert shapes(hg.load(source))["t"] == [1, 4]


def test_sizes_that_depend_on_values_are_not_believed_either():
    source = model("g (float[4] x) => (int64[1,k] y) <int64[1,7] t> { t = NonZero(x) y = Abs(t) }")
    assert shapes(hg.load(source))["t"] != [1, 7]


def test_contradictions_name_the_node():
    with pytest.raises(hg.ModelError, match="Conv"):
        hg.load(model("g (float[1,3,8,8] x) => (float[1,8,6,5] y) { y = Conv(x, w) }", w=f32(8, 3, 3, 3)))
    with pytest.raises(hg.ModelError, match="Add"):
        hg.load(model("g (float[1,3] x) => (float[1,3] y) { y = Add(x, w) }", w=f32(5)))
