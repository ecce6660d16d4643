"""In which numbers a model computes."""

import honed
import numpy as np
import onnx
import pytest
from honed.bench.precision import onnx_precision, precision
from honed.inspection import describe_precision
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A network of two convolutions: as it is, in int8, and with the second one in fp32."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(1)
    weights = [numpy_helper.from_array(rng.standard_normal((8, 8, 3, 3)).astype(np.float32), f"w{i}") for i in range(2)]
    nodes = [helper.make_node("Conv", [x, w], [y], name=f"conv_{y}", pads=[1] * 4) for x, w, y in (("x", "w0", "a"), ("a", "w1", "y"))]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 8, 8]) for name in "xy")
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], weights), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "fp32.onnx")
    data = rng.standard_normal((4, 8, 8, 8)).astype(np.float32)
    honed.optimize(model, {"quantize": {}}, data).save(folder / "int8.onnx")
    honed.optimize(model, {"quantize": {"skip": ["conv_y"]}}, data).save(folder / "mixed.onnx")
    return folder


@pytest.mark.parametrize(("name", "expected"), [("fp32", "fp32"), ("int8", "int8"), ("mixed", "int8 1 of 2")])
def test_engines_agree_on_the_precision(models, name, expected):
    assert onnx_precision(models / f"{name}.onnx") == expected
    assert precision("onnxruntime", models / f"{name}.onnx") == expected
    assert precision("honed", models / f"{name}.onnx") == expected


def test_precision_of_a_compiled_model(models):
    honed.compile(models / "int8.onnx", models / "int8.honed")
    assert precision("honed", models / "int8.honed") == "int8"


def test_integer_operators_count_as_int8(tmp_path):
    nodes = [helper.make_node("MatMulInteger", ["x", "w"], ["y"], name="product")]
    x, y = helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 4]), helper.make_tensor_value_info("y", TensorProto.INT32, [1, 2])
    weight = numpy_helper.from_array(np.ones((4, 2), np.int8), "w")
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], [weight]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    assert onnx_precision(tmp_path / "model.onnx") == "int8"


def test_a_model_without_weights_is_fp32():
    assert describe_precision(0, int8=0) == "fp32"


def test_layers_are_counted_by_what_they_multiply():
    assert describe_precision(21, int8=20, bf16=1) == "int8 20 of 21, bf16 1 of 21"
    assert describe_precision(3, int8=0, bf16=3) == "bf16"
