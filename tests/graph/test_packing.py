"""Weights of 4 bits: what is written, what is read, against ONNX Runtime and the ONNX package's own unpacking."""

import numpy as np
import onnx
import pytest
from honed import graph as hg
from honed.graph import packing
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_text import f32, feed_of, model, run

BODY = "g (float[2,{k}] x) => (float[2,{n}] y) {{ f = DequantizeLinear<axis = 1{more}>(w, s{zero}) y = MatMul(x, f) }}"


def dense(weight, scale, zero=None, more="", opset=21):
    weights = {"w": weight, "s": scale} | ({} if zero is None else {"z": zero})
    body = BODY.format(k=weight.shape[0], n=weight.shape[1], zero="" if zero is None else ", z", more=more)
    return model(body, opset, 10, **weights)


def narrow(values, name, signed):
    return helper.make_tensor(name, TensorProto.INT4 if signed else TensorProto.UINT4, values.shape, values.reshape(-1).tolist())


def with_narrow(source, *names):
    """`source` with the named initialisers in 4 bits, as the ONNX package packs them."""
    for i, tensor in enumerate(source.graph.initializer):
        if tensor.name in names:
            values = numpy_helper.to_array(tensor)
            source.graph.initializer[i].CopyFrom(narrow(values, tensor.name, values.dtype == np.int8))
    return source


def integers(shape, signed, seed=0):
    lo, hi = (-8, 8) if signed else (0, 16)
    return np.random.default_rng(seed).integers(lo, hi, shape).astype(np.int8 if signed else np.uint8)


def initializers(source):
    return {tensor.name: tensor for tensor in source.graph.initializer}


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("shape", [(32, 16), (27, 19)])
def test_weights_are_written_two_to_a_byte_and_run_as_before(shape, signed):
    source = dense(integers(shape, signed), np.float32(0.5))
    written = hg.to_model(hg.load(source))
    onnx.checker.check_model(written, full_check=True)
    tensor = initializers(written)["w"]
    assert tensor.data_type == (TensorProto.INT4 if signed else TensorProto.UINT4)
    assert len(tensor.raw_data) == (shape[0] * shape[1] + 1) // 2
    assert np.array_equal(numpy_helper.to_array(tensor).astype(np.int16), integers(shape, signed))
    feed = feed_of(source)
    for optimise in (False, True):
        assert np.array_equal(run(written, feed, optimise)[0], run(source, feed, optimise)[0])


def test_what_is_written_is_read_again_and_written_alike():
    source = dense(integers((32, 16), True), np.abs(f32(16)))
    first = hg.to_model(hg.load(source))
    graph = hg.load(first)
    assert [node.op for node in graph.nodes] == ["DequantizeLinear", "MatMul"]
    assert graph.nodes[0].inputs[0].values.dtype == np.int8
    assert hg.to_model(graph).SerializeToString() == first.SerializeToString()


@pytest.mark.parametrize(
    ("weight", "opset"),
    [
        (integers((32, 16), True), 20),
        (integers((8, 8), True), 21),
        (np.full((32, 16), 8, np.int8), 21),
        (np.full((32, 16), -9, np.int8), 21),
        (np.full((32, 16), 16, np.uint8), 21),
    ],
)
def test_what_does_not_fit_or_does_not_pay_stays(weight, opset):
    written = hg.to_model(hg.load(dense(weight, np.float32(0.5), opset=opset)))
    assert np.array_equal(numpy_helper.to_array(initializers(written)["w"]), weight)
    assert "Cast" not in [node.op_type for node in written.graph.node]


@pytest.mark.parametrize("use", ["q = Identity(w)", "q = Neg(w)"])
def test_weights_with_other_readers_stay(use):
    body = "g (float[2,32] x) => (float[2,16] y, int8[32,16] q) { f = DequantizeLinear(w, s) y = MatMul(x, f) " + use + " }"
    written = hg.to_model(hg.load(model(body, 21, 10, w=integers((32, 16), True), s=np.float32(0.5))))
    assert initializers(written)["w"].data_type == TensorProto.INT8


def test_two_readers_share_the_expanded_weights():
    body = "g (float[32,16] x) => (float[32,16] y) { a = DequantizeLinear(w, s) b = DequantizeLinear(w, s, z) c = Add(a, b) y = Add(x, c) }"
    source = model(body, 21, 10, w=integers((32, 16), True), s=np.float32(0.5), z=np.int8(3))
    written = hg.to_model(hg.load(source))
    assert [node.op_type for node in written.graph.node].count("Cast") == 1
    assert np.array_equal(run(written, feed_of(source))[0], run(source, feed_of(source))[0])


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("shape", [(33, 16), (7, 3)])
@pytest.mark.parametrize("form", ["tensor", "axis", "block"])
def test_models_of_others_with_4_bits_that_dequantize_linear_reads(shape, signed, form):
    """The zero point has the type of the weights, and an odd number of elements."""
    sizes = {"tensor": (), "axis": shape[1:], "block": (shape[0], -(-shape[1] // 2))}[form]
    zero = integers(sizes, signed, 1)
    more = ", block_size = 2" if form == "block" else ""
    source = dense(integers(shape, signed), 0.1 + np.abs(f32(*sizes)), zero, more)
    expected = run(source, feed_of(source))[0]
    graph = hg.load(with_narrow(source, "w", "z"))
    assert {t.values.dtype for t in graph.nodes[0].inputs if t.name in "wz"} == {np.dtype(np.int8 if signed else np.uint8)}
    assert np.array_equal(run(hg.to_model(graph), feed_of(source))[0], expected)


def test_activations_of_4_bits_keep_their_type():
    """QuantizeLinear rounds to the type of its zero point: 8 bits would be other numbers."""
    activations = "q = QuantizeLinear(x, s, z) a = DequantizeLinear(q, s, z)"
    body = f"g (float[2,3] x) => (float[2,3] y) {{ {activations} f = DequantizeLinear(w, s, z) y = Add(a, f) }}"
    source = with_narrow(model(body, 21, 10, w=integers((2, 3), True), s=np.float32(0.1), z=np.int8(2)), "w", "z")
    graph = hg.load(source)
    kinds = [node.inputs[2].values.dtype for node in graph.nodes[:3]]
    assert [str(kind) for kind in kinds] == ["int4", "int4", "int8"]
    assert np.array_equal(run(hg.to_model(graph), feed_of(source))[0], run(source, feed_of(source))[0])


def test_bytes_in_a_file():
    weight = integers((27, 19), True)
    assert packing.stored_bytes(weight, 20) == 513 and packing.stored_bytes(weight, 21) == 257
    assert packing.stored_bytes(weight.astype(np.int32), 21) == 4 * 513
