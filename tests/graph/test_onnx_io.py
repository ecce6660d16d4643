"""Loading and saving: every form in which a file may bring its weights, and every way in which it may be broken."""

import os

import numpy as np
import onnx
import pytest
from honed import graph as hg
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_text import f32, feed_of, model, run

CONV = "g (float[1,3,8,8] x) => (float[1,8,6,6] y) { y = Conv(x, w) }"
WEIGHT = f32(8, 3, 3, 3)


def conv_model(**kwargs):
    return model(CONV, w=WEIGHT, **kwargs)


def assert_same_as_original(source):
    graph = hg.load(source)
    hg.verify(graph, "imported")
    feed = feed_of(source)
    for expected, actual in zip(run(source, feed), run(hg.to_model(graph), feed), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-6)
    return graph


def test_path_bytes_and_proto_give_the_same_graph(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(conv_model().SerializeToString())
    models = {hg.to_model(hg.load(source)).SerializeToString() for source in (path, str(path), path.read_bytes(), conv_model())}
    assert len(models) == 1


def test_the_given_proto_stays_as_it_is():
    source = model("g (float[2] x) => (float[2] y) { c = Constant<value_floats = [1.0, 2.0]>() y = Add(x, c) }")
    before = source.SerializeToString()
    hg.load(source)
    assert source.SerializeToString() == before


def test_constants_are_read_only():
    graph = hg.load(conv_model())
    with pytest.raises(ValueError):
        graph.nodes[0].inputs[1].values[0] = 0


@pytest.mark.parametrize(
    ("attribute", "kind", "expected"),
    [
        ("value = float[2] {1.5, 2.5}", "float[2]", np.array([1.5, 2.5], np.float32)),
        ("value_float = 1.5", "float", np.array(1.5, np.float32)),
        ("value_floats = [1.5, 2.5]", "float[2]", np.array([1.5, 2.5], np.float32)),
        ("value_int = 3", "int64", np.array(3)),
        ("value_ints = [3, 4]", "int64[2]", np.array([3, 4])),
    ],
)
def test_constant_nodes_become_constants(attribute, kind, expected):
    source = model(f"g ({kind} x) => ({kind} y) {{ c = Constant<{attribute}>() y = Add(x, c) }}")
    graph = assert_same_as_original(source)
    assert [node.op for node in graph.nodes] == ["Add"]
    value = graph.nodes[0].inputs[1].values
    assert value.dtype == expected.dtype and np.array_equal(value, expected)


def test_constant_of_strings():
    node = helper.make_node("Constant", [], ["y"], value_strings=["a", "b"])
    keep = helper.make_node("Identity", ["y"], ["z"])
    graph = helper.make_graph([node, keep], "g", [], [helper.make_tensor_value_info("z", TensorProto.STRING, [2])])
    loaded = hg.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    assert [bytes(v) if isinstance(v, bytes) else v.encode() for v in loaded.nodes[0].inputs[0].values] == [b"a", b"b"]


@pytest.mark.parametrize("coordinates", [False, True])
def test_sparse_constants_become_dense(coordinates):
    dense = np.zeros((3, 4), np.float32)
    dense[0, 1], dense[2, 3] = 5, -2
    index = np.array([[0, 1], [2, 3]]) if coordinates else np.array([1, 11])
    values = numpy_helper.from_array(np.array([5, -2], np.float32), "c")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(index, "i"), [3, 4])
    source = model("g (float[3,4] x) => (float[3,4] y) { y = Add(x, c) }")
    source.graph.node.insert(0, helper.make_node("Constant", [], ["c"], sparse_value=sparse))
    graph = assert_same_as_original(source)
    np.testing.assert_array_equal(graph.nodes[0].inputs[1].values, dense)
    del source.graph.node[0]
    source.graph.sparse_initializer.append(sparse)
    np.testing.assert_array_equal(hg.load(source).nodes[0].inputs[1].values, dense)


def test_sparse_constants_are_checked_before_they_grow():
    values = numpy_helper.from_array(np.ones(1, np.float32), "c")
    indices = numpy_helper.from_array(np.array([0]), "i")
    source = model("g (float[3,4] x) => (float[3,4] y) { y = Add(x, c) }")
    for dims, pattern in (([1 << 20, 1 << 20], "exceeds"), ([-3, 4], "negative dimension"), ([0, 4], "do not address")):
        sparse = helper.make_sparse_tensor(values, indices, dims)
        del source.graph.sparse_initializer[:]
        source.graph.sparse_initializer.append(sparse)
        with pytest.raises(hg.ModelError, match=pattern):
            hg.load(source)


@pytest.mark.parametrize("channels", [8, 64])
def test_initialisers_listed_as_inputs_are_no_inputs(channels):
    weight = f32(channels, 3, 3, 3)
    source = model(CONV.replace("1,8,6,6", f"1,{channels},6,6"), ir=3, w=weight)
    source.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, weight.shape))
    graph = assert_same_as_original(source)
    assert [tensor.name for tensor in graph.inputs] == ["x"]


def test_an_initialiser_may_be_there_twice_if_it_is_the_same():
    source = conv_model()
    source.graph.initializer.append(source.graph.initializer[0])
    assert len(hg.to_model(hg.load(source)).graph.initializer) == 1
    source.graph.initializer[1].CopyFrom(numpy_helper.from_array(WEIGHT + 1, "w"))
    with pytest.raises(hg.ModelError, match="two initialisers named 'w'"):
        hg.load(source)


def test_functions_are_inlined():
    source = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17, "local" : 1]>
        g (float[2,3] x) => (float[2,3] y) { y = local.twice(x) }
        <domain: "local", opset_import: ["" : 17]> twice (a) => (b) { two = Constant<value_float = 2.0>() b = Mul(a, two) }
    """)
    graph = assert_same_as_original(source)
    assert [node.op for node in graph.nodes] == ["Mul"]


@pytest.mark.parametrize("opset", [7, 9, 11, 12])
def test_old_opsets_are_converted(opset):
    body = "g (float[2,3,4,4] x) => (float[2,1,4] y) { d = ReduceMean<axes = [3], keepdims = 0>(x) y = ReduceSum<axes = [1]>(d) }"
    graph = assert_same_as_original(model(body, opset=opset, ir=7))
    assert graph.opset == 13 and len(graph.nodes[1].inputs) == 2


@pytest.mark.parametrize("size", [4, 4096])
def test_graph_outputs_may_be_constants_or_inputs(size):
    body = f"g (float[{size}] x) => (float[{size}] w, float[{size}] x, float[{size}] y) {{ z = Add(x, w) y = Mul(z, w) }}"
    source = model(body, w=f32(size))
    graph = assert_same_as_original(source)
    assert [tensor.name for tensor in graph.outputs] == ["w", "x", "y"]


def test_nodes_get_unique_names():
    source = model("g (float[2] x) => (float[2] y) { a = Relu(x) b = Abs(a) c = Relu(b) y = Neg(c) }")
    source.graph.node[1].name = source.graph.node[3].name = "same"
    assert [node.name for node in hg.load(source).nodes] == ["Relu", "same", "Relu_1", "same_1"]


def test_names_opsets_metadata_and_versions_survive():
    source = conv_model(opset=16)
    helper.set_model_props(source, {"key": "value"})
    source.producer_name = "maker"
    saved = hg.to_model(hg.load(source))
    assert {(entry.domain, entry.version) for entry in saved.opset_import} == {("", 16), ("com.microsoft", 1)}
    assert [(p.key, p.value) for p in saved.metadata_props] == [("key", "value")]
    assert (saved.producer_name, saved.ir_version) == ("maker", 8)
    assert saved.graph.output[0] == source.graph.output[0] and saved.graph.input[0] == source.graph.input[0]
    assert hg.metadata(hg.copy(hg.load(source))) == {"key": "value"}


def test_a_file_in_a_form_of_its_own_loads_again(tmp_path):
    graph = hg.load(conv_model())
    for external in (False, True):
        path = tmp_path / "m.onnx"
        hg.save(graph, path, external_data=external)
        assert (tmp_path / "m.onnx.data").exists() == external
        again = hg.load(path)
        np.testing.assert_array_equal(again.nodes[0].inputs[1].values, WEIGHT)
        assert hg.format_graph(again) == hg.format_graph(graph)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        hg.save(hg.load(conv_model()), path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def externalise(tmp_path, **entries):
    source = conv_model()
    tensor = source.graph.initializer[0]
    (tmp_path / "w.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in ({"location": "w.bin"} | entries).items():
        tensor.external_data.add(key=key, value=str(value))
    path = tmp_path / "m.onnx"
    path.write_bytes(source.SerializeToString())
    return path


def test_external_data_is_read(tmp_path):
    np.testing.assert_array_equal(hg.load(externalise(tmp_path)).nodes[0].inputs[1].values, WEIGHT)


@pytest.mark.parametrize(
    ("entries", "pattern"),
    [
        ({"location": "none.bin"}, "'none.bin' is missing"),
        ({"location": "../w.bin"}, "outside the model's folder"),
        ({"location": "/etc/hostname"}, "outside the model's folder"),
        ({"location": "link"}, "outside the model's folder"),
        ({"location": ""}, "no file is named"),
        ({"offset": 8}, "bytes 8 to 872 of 'w.bin', which has 864"),
        ({"offset": -8}, "bytes -8 to 856"),
        ({"offset": "x"}, "invalid literal"),
        ({"length": 8}, "8 bytes, expected 864"),
    ],
)
def test_external_data_that_is_wrong(tmp_path, entries, pattern):
    (tmp_path / "folder").mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(WEIGHT.nbytes))
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "w.bin")
    path = externalise(tmp_path / "folder", **entries)
    with pytest.raises(hg.ModelError, match=pattern) as error:
        hg.load(path)
    assert "initializer 'w'" in str(error.value) and str(path) in str(error.value)


def test_external_data_needs_a_file():
    source = conv_model()
    source.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(hg.ModelError, match="not loaded from a file"):
        hg.load(source)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, 9), "initializer 'w': 864 bytes, expected 972 for shape"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, 1 << 40), "864 bytes, expected"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, -1), "negative dimension"),
        (lambda m: setattr(m.graph.initializer[0], "data_type", 77), "data type 77"),
        (lambda m: setattr(m, "ir_version", 99), "IR version 99"),
        (lambda m: setattr(m.opset_import[0], "version", 999), "opset 999"),
        (lambda m: m.opset_import.__delitem__(0), "imports no version"),
        (lambda m: m.graph.node[0].input.__setitem__(0, "nothing"), "nothing"),
        (lambda m: setattr(m.graph.node[0], "op_type", "Convolution"), "Convolution"),
        (lambda m: m.graph.node.append(m.graph.node[0]), "y"),
        (lambda m: setattr(m.graph.output[0], "name", "z"), "z"),
        (lambda m: m.graph.ClearField("output"), "no IR version, graph or outputs"),
    ],
)
def test_broken_models(change, pattern):
    source = conv_model()
    change(source)
    with pytest.raises(hg.ModelError, match=pattern):
        hg.load(source)


def test_inputs_that_are_no_tensors():
    source = model("g (float[2] x, seq(float[2]) s) => (float[2] y) { y = Relu(x) }")
    with pytest.raises(hg.ModelError, match="graph input 's' is a sequence_type, expected a tensor"):
        hg.load(source)


@pytest.mark.parametrize("text", [b"batchsize", b"producer_x", b"key_of_metadata"])
def test_text_that_is_not_utf8(text):
    source = model("g (float[batchsize] x) => (float[batchsize] y) { y = Relu(x) }")
    source.producer_name = "producer_x"
    helper.set_model_props(source, {"key_of_metadata": "value"})
    with pytest.raises(hg.ModelError, match="holds text that is not UTF-8"):
        hg.load(source.SerializeToString().replace(text, b"\xff" * len(text)))


def test_files_that_are_no_models(tmp_path):
    for name, data in (("text", b"hello, this is no model"), ("empty", b""), ("cut", conv_model().SerializeToString()[:500])):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(hg.ModelError, match=rf"{name}: not an ONNX model"):
            hg.load(path)
    with pytest.raises(hg.ModelError, match="none: cannot be read"):
        hg.load(tmp_path / "none")


def test_random_damage_gives_model_errors_or_sound_graphs():
    data = bytearray(conv_model().SerializeToString())
    rng = np.random.default_rng(0)
    errors = 0
    for _ in range(300):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            damaged[at] = rng.integers(256)
        try:
            hg.verify(hg.load(bytes(damaged)), "imported")
        except hg.ModelError:
            errors += 1
    assert errors > 5


def test_weights_that_are_not_finite_are_named():
    broken = WEIGHT.copy()
    broken[0, 0, 0, 0], broken[1, 0, 0, 0] = np.nan, np.nan
    with pytest.raises(hg.ModelError, match="'w' of Conv 'Conv' holds 2 NaN"):
        hg.load(model(CONV, w=broken))
    broken[:2] = np.inf
    with pytest.raises(hg.ModelError, match="'w' of Conv 'Conv' holds 54 infinities"):
        hg.load(model(CONV, w=broken))


def test_infinite_bounds_and_masks_are_no_error():
    body = "g (float[2] x) => (float[2] y) { c = Clip(x, , top) y = Add(c, mask) }"
    hg.load(model(body, top=np.float32(np.inf), mask=np.array([0, -np.inf], np.float32)))
