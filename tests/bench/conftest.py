from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper


@pytest.fixture
def doubler(tmp_path: Path) -> Path:
    """A model: y = x + x, of shape [N, 4]."""
    node = helper.make_node("Add", ["x", "x"], ["y"], name="double")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in "xy")
    model = helper.make_model(helper.make_graph([node], "double", [x], [y]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "doubler.onnx")
    return tmp_path / "doubler.onnx"
