"""layer_norm, group_norm, batch_norm and lrn against onnx.reference in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

SHAPES = [(2, 6), (1, 6, 1), (3, 6, 17), (2, 6, 5, 31), (1, 6, 2, 3, 4)]


def reference(op: str, inputs: list[np.ndarray], **attrs: object) -> np.ndarray:
    """onnx.reference on the inputs as doubles."""
    names = [f"x{i}" for i in range(len(inputs))]
    values = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, x.shape) for n, x in zip(names, inputs, strict=True)]
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)
    graph = helper.make_graph([helper.make_node(op, names, ["y"], **attrs)], "one", values, [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    return ReferenceEvaluator(model).run(None, {n: x.astype(np.float64) for n, x in zip(names, inputs, strict=True)})[0]


def numbers(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(s) * 2 + 1).astype(np.float32) for s in shapes]


def run(name: str, x: np.ndarray, consts: list[np.ndarray], splits: int = 1, **attrs: float) -> np.ndarray:
    return Operator(name, [TensorSpec()], [TensorSpec()], attrs, consts).run([x], splits)[0]


def close(actual: np.ndarray, exact: np.ndarray) -> None:
    """Everything but the result is double."""
    np.testing.assert_allclose(actual, exact, rtol=2.0**-23, atol=1e-12)


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_layer_norm(axis: int) -> None:
    (x,) = numbers(0, (3, 4, 5, 7))
    scale, bias = numbers(1, x.shape[axis:], x.shape[axis:])
    for splits in (1, 3):
        close(run("layer_norm", x, [scale, bias], splits, axis=axis), reference("LayerNormalization", [x, scale, bias], axis=axis))
    close(run("layer_norm", x, [scale], axis=axis, epsilon=0.5), reference("LayerNormalization", [x, scale], axis=axis, epsilon=0.5))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("splits", [1, 3])
def test_mean_and_deviation_of_layer_norm(axis: int, splits: int) -> None:
    (x,) = numbers(7, (40, 5, 7))
    (scale,) = numbers(8, x.shape[axis:])
    attrs = {"axis": axis, "epsilon": 0.5}
    y, mean, deviation = Operator("layer_norm", [TensorSpec()], [TensorSpec()] * 3, attrs, [scale]).run([x], splits)
    axes, wide = tuple(range(axis % 3, 3)), x.astype(np.float64)
    close(mean, wide.mean(axes, keepdims=True))
    close(deviation, 1 / np.sqrt(wide.var(axes, keepdims=True) + 0.5))
    np.testing.assert_array_equal(y, run("layer_norm", x, [scale], **attrs))
    with pytest.raises(KernelError, match="no elements to take the mean of"):
        Operator("layer_norm", [TensorSpec()], [TensorSpec()] * 3, {}, [scale[:0].reshape(-1)]).run([x[..., :0]])


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm(groups: int, shape: tuple[int, ...]) -> None:
    x, scale, bias = numbers(2, shape, (6,), (6,))
    # onnx.reference computes GroupNormalization itself in f32: groups as channels of an InstanceNormalization are exact.
    ones = np.ones(groups, np.float32)
    normalised = reference("InstanceNormalization", [x.reshape(shape[0], groups, -1), ones, ones * 0], epsilon=1e-5).reshape(shape)
    per_channel = (6,) + (1,) * (len(shape) - 2)
    exact = normalised * scale.reshape(per_channel) + bias.reshape(per_channel)
    for splits in (1, 3):
        close(run("group_norm", x, [scale, bias], splits, num_groups=groups), exact)


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_group_norm_of_single_channels_is_instance_normalization(shape: tuple[int, ...]) -> None:
    x, scale, bias = numbers(3, shape, (6,), (6,))
    exact = reference("InstanceNormalization", [x, scale, bias], epsilon=1e-2)
    close(run("group_norm", x, [scale, bias], epsilon=1e-2), exact)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm(shape: tuple[int, ...]) -> None:
    x, scale, bias, mean, variance = numbers(4, shape, *[(6,)] * 4)
    constants = [scale, bias, mean, abs(variance)]
    for splits in (1, 3):
        close(run("batch_norm", x, constants, splits), reference("BatchNormalization", [x, *constants]))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("beta", [0.75, 0.6])
def test_lrn(size: int, beta: float) -> None:
    (x,) = numbers(5, (6, 6, 5, 33))  # onnx.reference leaves channels beyond the number of images out
    attrs = {"size": size, "beta": beta, "alpha": 0.25, "bias": 2.0}
    for splits in (1, 3):
        close(run("lrn", x, [], splits, **attrs), reference("LRN", [x], **attrs))


def test_normalisations_refuse_what_does_not_fit() -> None:
    x, six, seven = numbers(6, (2, 6, 4), (6,), (7,))
    with pytest.raises(KernelError, match="4 elements from axis 2 on, expected 6 as the scale has"):
        run("layer_norm", x, [six])
    with pytest.raises(KernelError, match="constant 1 has 7 elements of f32, expected 6"):
        run("layer_norm", x, [six, seven])
    with pytest.raises(KernelError, match="6 channels in 4 groups"):
        run("group_norm", x, [six, six], num_groups=4)
    with pytest.raises(KernelError, match=r"f32 dense \[2,6,4\]: expected 7 channels"):
        run("batch_norm", x, [seven] * 4)
    with pytest.raises(KernelError, match="epsilon is -1"):
        run("batch_norm", x, [six] * 4, epsilon=-1.0)
    with pytest.raises(KernelError, match="attribute size is 0"):
        run("lrn", x, [])
