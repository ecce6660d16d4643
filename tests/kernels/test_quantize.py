import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.kernels.elementwise_cases import SHAPES, dense, layouts, outputs

TYPES = {"u8": (np.uint8, TensorProto.UINT8), "s8": (np.int8, TensorProto.INT8), "s32": (np.int32, TensorProto.INT32)}


def reference(op: str, x: np.ndarray, scale: float, zero_point: int, dtype: str) -> np.ndarray:
    """ONNX's reference evaluator."""
    node = helper.make_node(op, ["x", "s", "z"], ["y"])
    x_type = TensorProto.FLOAT if op == "QuantizeLinear" else TYPES[dtype][1]
    y_type = TYPES[dtype][1] if op == "QuantizeLinear" else TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info(n, t, None) for n, t in (("x", x_type), ("s", TensorProto.FLOAT), ("z", TYPES[dtype][1]))]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", y_type, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    feed = {"x": x, "s": np.float32(scale), "z": TYPES[dtype][0](zero_point)}
    return ReferenceEvaluator(model).run(None, feed)[0]


def values(shape: tuple[int, ...], scale: float, seed: int = 0) -> np.ndarray:
    """Multiples of half a step, which are ties, among others; some far out of range."""
    rng = np.random.default_rng(seed)
    ties = rng.integers(-600, 600, shape) * np.float32(0.5 * scale)
    return np.where(rng.random(shape) < 0.5, ties, rng.normal(0, 90 * scale, shape)).astype(np.float32)


@pytest.mark.parametrize("dtype, zero_point", [("u8", 0), ("u8", 128), ("u8", 255), ("s8", 0), ("s8", -128), ("s8", 127)])
@pytest.mark.parametrize("shape", [*SHAPES, (5,), (), (3, 5000)])
def test_quantize_is_onnx_in_every_layout(dtype, zero_point, shape):
    x = values(shape, 0.05)
    expected = reference("QuantizeLinear", x, 0.05, zero_point, dtype)
    for specs in layouts(shape, ["f32", dtype], zero_point):
        for y in outputs("quantize", [x], specs[:1], specs[1], {"scale": 0.05, "zero_point": zero_point}):
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype, zero_point", [("u8", 0), ("u8", 131), ("s8", -3), ("s32", 0)])
@pytest.mark.parametrize("shape", [*SHAPES, (5,)])
def test_dequantize_is_onnx_in_every_layout(dtype, zero_point, shape):
    info = np.iinfo(TYPES[dtype][0])
    x = np.random.default_rng(1).integers(info.min, info.max, shape, endpoint=True).astype(TYPES[dtype][0])
    expected = reference("DequantizeLinear", x, 0.037, zero_point, dtype)
    for specs in layouts(shape, [dtype, "f32"], zero_point):
        for y in outputs("dequantize", [x], specs[:1], specs[1], {"scale": 0.037, "zero_point": zero_point}):
            np.testing.assert_array_equal(y, expected)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(scale=st.floats(2.0**-100, 2.0**100, width=32), zero_point=st.integers(0, 255), seed=st.integers(0, 99))
def test_quantize_for_any_scale(scale, zero_point, seed):
    x = values((1, 500), scale, seed)
    expected = reference("QuantizeLinear", x, scale, zero_point, "u8")
    for y in outputs("quantize", [x], [dense()], dense("u8"), {"scale": scale, "zero_point": zero_point}):
        np.testing.assert_array_equal(y, expected)


def test_quantize_saturates_infinity_and_takes_nan_as_the_lowest():
    x = np.array([np.inf, -np.inf, np.nan, 3e38, -3e38] * 5, np.float32)
    for y in outputs("quantize", [x], [dense()], dense("u8"), {"scale": 1e-3, "zero_point": 7}):
        np.testing.assert_array_equal(y, [255, 0, 0, 255, 0] * 5)


def test_empty_tensors_run_nothing():
    operator = Operator("quantize", [dense()], [dense("u8")], {"scale": 1.0})
    assert operator.run([np.empty((0, 3), np.float32)])[0].shape == (0, 3)
    assert operator.num_tasks == 0


@pytest.mark.parametrize(
    "output, attrs, message",
    [
        ("u8", {"scale": 0.0}, "scale is 0, expected more than 0"),
        ("u8", {"scale": float("nan")}, "expected a finite number"),
        ("u8", {"scale": 1}, "is an integer, expected a float"),
        ("u8", {"scale": 1.0, "zero_point": 256}, "zero_point is 256, expected 0 to 255"),
        ("s8", {"scale": 1.0, "zero_point": -129}, "expected -128 to 127"),
        ("s32", {"scale": 1.0}, "output 0 is s32, expected u8 or s8"),
    ],
)
def test_quantize_refuses(output, attrs, message):
    with pytest.raises(KernelError, match=message):
        Operator("quantize", [dense()], [dense(output)], attrs)


def test_dequantize_refuses_a_zero_point_of_s32():
    with pytest.raises(KernelError, match="zero_point is 1, expected 0 to 0"):
        Operator("dequantize", [dense("s32")], [dense()], {"scale": 1.0, "zero_point": 1})
