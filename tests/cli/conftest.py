import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from honed.cli import app
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner, Result


def run(*arguments: object) -> Result:
    """Runs `honed ARGUMENTS` in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run_json(*arguments: object) -> Any:
    """What `honed ARGUMENTS --json` prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def assert_fails(result: Result, *expected: str) -> None:
    """Exit code 1 and one line on standard error that contains every expected text."""
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    for text in expected:
        assert text in lines[0]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small classifier: input `x` [N, 3, 16, 16], three convolutions with an addition, output `y` [N, 10]."""
    rng = np.random.default_rng(7)

    def weight(name: str, shape: Sequence[int]) -> onnx.TensorProto:
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 10
        return numpy_helper.from_array((rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], name="stem", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c0"], ["r0"], name="stem_relu"),
        helper.make_node("Conv", ["r0", "w1", "b1"], ["c1"], name="body", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c1", "r0"], ["a1"], name="add"),
        helper.make_node("Relu", ["a1"], ["r1"], name="body_relu"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], name="point", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], name="point_relu"),
        helper.make_node("GlobalAveragePool", ["r2"], ["g"], name="pool"),
        helper.make_node("Flatten", ["g"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], name="classifier", transB=1),
    ]
    shapes = {"w0": (16, 3, 3, 3), "b0": (16,), "w1": (16, 16, 3, 3), "b1": (16,)}
    shapes |= {"w2": (32, 16, 1, 1), "b2": (32,), "w3": (10, 32), "b3": (10,)}
    graph = helper.make_graph(
        nodes, "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])],
        [weight(name, shape) for name, shape in shapes.items()],
    )  # fmt: skip
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def array_file(tmp_path: Path) -> Callable[..., Path]:
    """save(name, *shape): a .npy file of standard normal f32."""

    def save(name: str, *shape: int) -> Path:
        path = tmp_path / f"{name}.npy"
        np.save(path, np.random.default_rng(3).standard_normal(shape).astype(np.float32))
        return path

    return save
