"""Loading and saving: every form in which a file may bring its weights, and every way in which it may be broken."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from honed import graph as hg
from onnx import TensorProto, helper, numpy_helper

WEIGHT = np.random.default_rng(0).standard_normal((8, 3, 3, 3)).astype(np.float32)
X = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)


def conv_model(initializers=None, nodes=(), inputs=(), opset=17, **kwargs) -> onnx.ModelProto:
    conv = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])
    shape = helper.make_tensor_value_info
    graph = helper.make_graph([*nodes, conv], "g", [shape("x", TensorProto.FLOAT, [1, 3, 8, 8]), *inputs],
                              [shape("y", TensorProto.FLOAT, [1, 8, 6, 6])],
                              [numpy_helper.from_array(WEIGHT, "w")] if initializers is None else initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **kwargs)
    return model


def run(model, feed=None):
    data = model if isinstance(model, (bytes, str)) else model.SerializeToString()
    return ort.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, feed or {"x": X})


def assert_same_as_original(model):
    graph = hg.load(model)
    hg.verify(graph, "imported")
    assert not any(node.op == "Constant" for node in graph.nodes)
    for expected, actual in zip(run(model), run(hg.to_model(graph)), strict=True):
        np.testing.assert_array_equal(expected, actual)
    return graph


def test_load_from_path_bytes_and_proto_give_the_same_graph(tmp_path):
    model = conv_model()
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    texts = {hg.to_model(hg.load(source)).SerializeToString() for source in (path, str(path), path.read_bytes(), model)}
    assert len(texts) == 1


def test_load_leaves_the_proto_as_it_is():
    model = conv_model()
    before = model.SerializeToString()
    hg.load(model)
    assert model.SerializeToString() == before


def test_constants_are_read_only():
    graph = hg.load(conv_model())
    with pytest.raises(ValueError):
        graph.nodes[0].inputs[1].values[0] = 0
