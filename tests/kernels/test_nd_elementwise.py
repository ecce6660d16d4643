"""binary, where, cast and clip on dense tensors, against NumPy and ONNX Runtime. Results are exact unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

DTYPES = {"f32": np.float32, "f64": np.float64, "s64": np.int64, "s32": np.int32, "u8": np.uint8, "s8": np.int8, "bool": np.bool_}
NUMERIC = [d for d in DTYPES if d != "bool"]
INTEGERS = ["s64", "s32", "u8", "s8"]
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def truncating_divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f":
        return a / b
    return np.where(b == 0, 0, np.sign(a) * np.sign(b) * (np.abs(a) // np.maximum(np.abs(b), 1))).astype(a.dtype)


OPS: dict[str, tuple[int, Callable[..., np.ndarray]]] = {
    "add": (0, np.add),
    "sub": (1, np.subtract),
    "mul": (2, np.multiply),
    "div": (3, truncating_divide),
    "max": (4, np.maximum),
    "min": (5, np.minimum),
    "mod": (7, np.mod),
    "fmod": (8, np.fmod),
    "equal": (9, np.equal),
    "less": (10, np.less),
    "less_equal": (11, np.less_equal),
    "greater": (12, np.greater),
    "greater_equal": (13, np.greater_equal),
}


def operands(seed: int, dtype: str, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return [rng.integers(0, 2, s).astype(bool) for s in shapes]
    if dtype in INTEGERS:
        low = 0 if dtype == "u8" else -100
        return [rng.integers(low, 100, s, dtype=DTYPES[dtype]) for s in shapes]
    return [(rng.standard_normal(s) * 3).astype(DTYPES[dtype]) for s in shapes]


def binary(op: int, a: np.ndarray, b: np.ndarray, dtype: str, splits: int = 1) -> np.ndarray:
    result = "bool" if 9 <= op <= 16 else dtype
    return Operator("binary", [TensorSpec(dtype)] * 2, [TensorSpec(result)], {"op": op}).run([a, b], splits)[0]


@pytest.mark.parametrize("dtype", NUMERIC)
@pytest.mark.parametrize("name", OPS)
def test_binary_of_numbers(name: str, dtype: str) -> None:
    code, function = OPS[name]
    a, b = operands(1, dtype, (3, 1, 37), (5, 37))
    b[:, :2] = a[0, 0, :2]
    if name in ("mod", "fmod", "div"):
        b[b == 0] = 7
    with np.errstate(over="ignore"):
        expected = function(a, b)
    if name == "mod" and dtype == "f32":
        expected = np.mod(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)  # one rounding instead of two
    np.testing.assert_array_equal(binary(code, a, b, dtype), expected)


@pytest.mark.parametrize("code", range(9, 17))
def test_binary_of_truth_values(code: int) -> None:
    functions = [np.equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or, np.logical_xor]
    a, b = operands(2, "bool", (4, 9), (4, 1))
    np.testing.assert_array_equal(binary(code, a, b, "bool"), functions[code - 9](a, b))


def random_shapes(data: st.DataObject, count: int) -> list[tuple[int, ...]]:
    """Shapes that broadcast: dimensions of 1 and missing leading ones at random."""
    full = data.draw(st.lists(st.integers(0, 5), max_size=5))
    shapes = []
    for _ in range(count):
        shape = [data.draw(st.sampled_from([1, d])) for d in full]
        shapes.append(tuple(shape[data.draw(st.integers(0, len(shape))) :]))
    return shapes


@EXAMPLES
@given(data=st.data(), dtype=st.sampled_from(["f32", "u8", "s64"]), splits=st.integers(1, 3))
def test_binary_broadcasts_as_numpy_does(data: st.DataObject, dtype: str, splits: int) -> None:
    a, b = operands(3, dtype, *random_shapes(data, 2))
    np.testing.assert_array_equal(binary(1, a, b, dtype, splits), a - b)


@pytest.mark.parametrize("shapes", [((70000,), (70000,)), ((70000,), (1,)), ((1,), (70000,)), ((300, 1), (1, 301)), ((2, 40000), (2, 1))])
def test_binary_of_long_rows_in_any_split(shapes: tuple[tuple[int, ...], ...]) -> None:
    a, b = operands(4, "f32", *shapes)
    for splits in (1, 2, 3):
        np.testing.assert_array_equal(binary(0, a, b, "f32", splits), a + b)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_pow_is_within_an_ulp_of_the_exact_value(dtype: str) -> None:
    a, b = operands(5, dtype, (50,), (50,))
    a = abs(a)
    exact = np.power(a.astype(np.longdouble), b)
    assert (abs(binary(6, a, b, dtype) - exact) <= np.spacing(exact.astype(DTYPES[dtype]))).all()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_pow_of_integers_wraps(dtype: str) -> None:
    a, b = operands(6, dtype, (7, 1), (1, 12))
    b = abs(b) % 13
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(binary(6, a, b, dtype), np.power(a, b))
    if dtype != "u8":
        bases = np.array([[-2], [-1], [1], [2]], DTYPES[dtype])
        assert binary(6, bases, np.array([-3, -2], DTYPES[dtype]), dtype).tolist() == [[0, 0], [-1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize("dtype", ["s64", "s32", "s8"])
def test_integers_neither_trap_nor_saturate(dtype: str) -> None:
    least = np.array([np.iinfo(DTYPES[dtype]).min], DTYPES[dtype])
    zero, minus_one = np.zeros_like(least), np.full_like(least, -1)
    assert binary(3, least, minus_one, dtype) == least
    assert binary(3, least, zero, dtype) == zero
    for op in (7, 8):
        assert binary(op, least, minus_one, dtype) == zero
        assert binary(op, least, zero, dtype) == zero
    assert binary(1, zero, least, dtype) == least


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_max_and_min_give_nan_where_either_is(dtype: str) -> None:
    a, b = np.array([np.nan, 1, np.nan], DTYPES[dtype]), np.array([1, np.nan, np.nan], DTYPES[dtype])
    assert np.isnan(binary(4, a, b, dtype)).all() and np.isnan(binary(5, a, b, dtype)).all()


@pytest.mark.parametrize("dtype", ["f32", "f64", "s64", "s32", "s8"])
def test_prelu_scales_what_is_negative(dtype: str) -> None:
    x, slope = operands(7, dtype, (2, 3, 4), (3, 1))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(binary(17, x, slope, dtype), np.where(x < 0, x * slope, x))


def test_binary_refuses_what_is_not_defined() -> None:
    f32, boolean = TensorSpec("f32"), TensorSpec("bool")
    with pytest.raises(KernelError, match="dimension 1 is 3 in one input and 4 in another: they do not broadcast"):
        binary(0, np.zeros((2, 3), np.float32), np.zeros(4, np.float32), "f32")
    with pytest.raises(KernelError, match="operation 0 of bool"):
        Operator("binary", [boolean] * 2, [boolean], {"op": 0})
    with pytest.raises(KernelError, match="output 0 is f32, expected bool"):
        Operator("binary", [f32] * 2, [f32], {"op": 9})
    with pytest.raises(KernelError, match="input 1 is bool, expected f32"):
        Operator("binary", [f32, boolean], [f32], {"op": 0})
    with pytest.raises(KernelError, match="attribute op is 18"):
        Operator("binary", [f32] * 2, [f32], {"op": 18})


@EXAMPLES
@given(data=st.data(), dtype=st.sampled_from(sorted(DTYPES)), splits=st.integers(1, 3))
def test_where_broadcasts_three_ways(data: st.DataObject, dtype: str, splits: int) -> None:
    condition_shape, *shapes = random_shapes(data, 3)
    condition, (a, b) = operands(8, "bool", condition_shape)[0], operands(9, dtype, *shapes)
    op = Operator("where", [TensorSpec("bool"), TensorSpec(dtype), TensorSpec(dtype)], [TensorSpec(dtype)])
    np.testing.assert_array_equal(op.run([condition, a, b], splits)[0], np.where(condition, a, b))


def cast(x: np.ndarray, source: str, target: str, splits: int = 1) -> np.ndarray:
    return Operator("cast", [TensorSpec(source)], [TensorSpec(target)]).run([x], splits)[0]


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_cast_between_any_types(source: str, target: str) -> None:
    x = operands(10, source, (3, 41))[0]
    if target == "u8" and source in ("f32", "f64"):
        x = abs(x)
    for splits in (1, 3):
        np.testing.assert_array_equal(cast(x, source, target, splits), x.astype(DTYPES[target]))


@pytest.mark.parametrize("source", ["f32", "f64"])
@pytest.mark.parametrize("target", INTEGERS)
def test_cast_to_integers_truncates_and_saturates(source: str, target: str) -> None:
    info = np.iinfo(DTYPES[target])
    x = np.array([np.nan, -np.inf, np.inf, -1e30, 1e30, -1.9, 1.9, 126.9], DTYPES[source])
    expected = [0, info.min, info.max, info.min, info.max, max(-1, info.min), 1, 126]
    assert cast(x, source, target).tolist() == expected


def test_cast_agrees_with_onnx_runtime_on_integers_that_wrap() -> None:
    x = np.array([-(2**40) - 3, -129, -1, 255, 256, 2**31], np.int64)
    for target, proto in [("s32", TensorProto.INT32), ("u8", TensorProto.UINT8), ("s8", TensorProto.INT8), ("bool", TensorProto.BOOL)]:
        node = helper.make_node("Cast", ["x"], ["y"], to=proto)
        info = [helper.make_tensor_value_info("x", TensorProto.INT64, [6]), helper.make_tensor_value_info("y", proto, [6])]
        model = helper.make_model(
            helper.make_graph([node], "g", info[:1], info[1:]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        )
        expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
        np.testing.assert_array_equal(cast(x, "s64", target), expected)


@pytest.mark.parametrize("dtype", NUMERIC)
def test_clip_between_bounds(dtype: str) -> None:
    x = operands(11, dtype, (2, 33))[0]
    number = int if dtype in INTEGERS else float
    for attrs in ({}, {"lo": number(1)}, {"hi": number(2)}, {"lo": number(1), "hi": number(2)}, {"lo": number(5), "hi": number(3)}):
        y = Operator("clip", [TensorSpec(dtype)], [TensorSpec(dtype)], attrs).run([x], 2)[0]
        expected = np.minimum(np.maximum(x, attrs.get("lo", x.min())), attrs.get("hi", x.max()))
        np.testing.assert_array_equal(y, expected)


def test_clip_keeps_nan_and_refuses_bounds_outside_the_type() -> None:
    assert np.isnan(Operator("clip", [TensorSpec()], [TensorSpec()], {"lo": 0.0, "hi": 1.0}).run([np.array([np.nan], np.float32)])[0])
    with pytest.raises(KernelError, match="attribute hi is 256"):
        Operator("clip", [TensorSpec("u8")], [TensorSpec("u8")], {"hi": 256})
    with pytest.raises(KernelError, match="clip of bool"):
        Operator("clip", [TensorSpec("bool")], [TensorSpec("bool")])
