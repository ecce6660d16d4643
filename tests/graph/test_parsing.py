"""Parsing without a second copy of the weights: the protobuf package says what a file holds."""

import tracemalloc

import numpy as np
import onnx
import pytest
from honed import graph as hg
from honed.graph.parsing import parse
from onnx import TensorProto, numpy_helper

from tests.onnx_text import f32, model

TEXT = "g (float[1,16,4,4] x) => (float[1,32,4,4] z) { y = Conv<pads = [1, 1, 1, 1]>(x, w, b) z = Relu(y) }"
WEIGHT = f32(32, 16, 3, 3)


def conv_model() -> onnx.ModelProto:
    return model(TEXT, w=WEIGHT, b=f32(32))


def outcome(source) -> bytes | str:
    """What loading gives: the graph as ONNX, or that it is refused."""
    try:
        return hg.to_model(hg.load(source)).SerializeToString(deterministic=True)
    except hg.ModelError:
        return "refused"


@pytest.mark.parametrize("from_file", [False, True])
def test_large_weights_come_apart_from_the_model(from_file, tmp_path):
    content = conv_model().SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    rest, weights = parse(path if from_file else content)
    (weight,) = weights
    assert weight.tensor.name == "w" and not weight.values.flags.writeable
    np.testing.assert_array_equal(weight.values, WEIGHT)
    expected = conv_model()
    del expected.graph.initializer[[t.name for t in expected.graph.initializer].index("w")]
    assert rest == expected


def as_floats(tensor: TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.float_data.extend(WEIGHT.reshape(-1).tolist())


def as_strings(tensor: TensorProto) -> None:
    tensor.CopyFrom(TensorProto(name="w", data_type=TensorProto.STRING, dims=[2000], string_data=[b"a"] * 2000))


@pytest.mark.parametrize(
    "change",
    [
        as_floats,
        as_strings,
        lambda t: t.CopyFrom(numpy_helper.from_array(WEIGHT.astype(np.float16), "w")),
        lambda t: t.ClearField("raw_data"),
        lambda t: setattr(t, "raw_data", t.raw_data[:-1]),
        lambda t: setattr(t, "data_type", TensorProto.INT64),
        lambda t: setattr(t, "data_type", 99),
        lambda t: t.dims.__setitem__(0, -32),
        lambda t: t.dims.extend([1 << 62, 4]),
        lambda t: setattr(t, "doc_string", "x" * 5000),
        lambda t: t.float_data.append(1.0),
    ],
)
def test_other_forms_of_weights_mean_what_protobuf_says(change):
    source = conv_model()
    change(next(t for t in source.graph.initializer if t.name == "w"))
    assert outcome(source.SerializeToString()) == outcome(source)


def field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size >= 0x80:
        size, length = size >> 7, length + bytes([size & 0x7F | 0x80])
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


@pytest.mark.parametrize(
    "more",
    [
        field(7, field(1, onnx.helper.make_node("Relu", ["z"], ["u"]).SerializeToString())),  # a graph in two parts
        field(7, field(5, numpy_helper.from_array(WEIGHT, "w").SerializeToString())),
        field(7, field(5, numpy_helper.from_array(WEIGHT + 1, "w").SerializeToString())),
        field(7, field(5, numpy_helper.from_array(WEIGHT.ravel()[:8], "w").SerializeToString())),
        b"\x3b\x3c",  # a group, which is skipped
        b"\x3a\xff\xff\xff\xff\x0f",  # a length beyond the end
        b"\x3a" + b"\xff" * 11,  # a number without end
        b"\xbd\x3e\x01\x02\x03\x04",  # an unknown fixed 32-bit field
        b"\xb9\x3e\x01",  # one of 64 bits, cut short
        field(7, b"\xb9\x3e\x01") + field(2, b"honed"),  # the same at the end of a message, with as many bytes behind it as it lacks
    ],
)
def test_odd_messages_mean_what_protobuf_says(more):
    content = conv_model().SerializeToString() + more
    try:
        expected = outcome(onnx.ModelProto.FromString(content))
    except Exception:
        expected = "refused"
    assert outcome(content) == expected


def test_of_data_that_is_there_twice_the_last_counts():
    source = conv_model()
    weight = next(t for t in source.graph.initializer if t.name == "w")
    source.graph.initializer.remove(weight)
    content = source.SerializeToString() + field(7, field(5, field(9, bytes(WEIGHT.nbytes)) + weight.SerializeToString()))
    assert outcome(content) == outcome(onnx.ModelProto.FromString(content)) != "refused"


def test_damage_means_what_protobuf_says():
    content = conv_model().SerializeToString()
    at = content.index(WEIGHT.tobytes())
    places = [i for i in range(len(content)) if not at <= i < at + WEIGHT.nbytes]
    rng, refused = np.random.default_rng(0), 0
    for _ in range(200):
        damaged = bytearray(content)
        for place in rng.choice(places, 2):
            damaged[place] = rng.integers(256)
        try:
            expected = outcome(onnx.ModelProto.FromString(bytes(damaged)))
        except Exception:
            expected = "refused"
        assert outcome(bytes(damaged)) == expected
        refused += expected == "refused"
    assert 20 < refused < 200


def test_weights_are_in_memory_once(tmp_path):
    path, wide = tmp_path / "m.onnx", f32(1024, 1024)
    path.write_bytes(model("g (float[1,1024] x) => (float[1,1024] y) { y = MatMul(x, w) }", w=wide).SerializeToString())
    hg.load(path)
    tracemalloc.start()
    try:
        hg.load(path)
        assert tracemalloc.get_traced_memory()[1] < 1.3 * wide.nbytes
    finally:
        tracemalloc.stop()
