"""reduce, argmax and argmin against NumPy and SciPy in wider types."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
from honed.kernels._native import KernelError, Operator, TensorSpec
from hypothesis import given, settings
from hypothesis import strategies as st

DTYPES = {"f32": np.float32, "f64": np.float64, "s64": np.int64, "s32": np.int32, "u8": np.uint8, "s8": np.int8, "bool": np.bool_}
PLACES = ["f32", "s64", "s32", "u8", "s8"]
OPS: dict[str, tuple[int, Callable[..., np.ndarray]]] = {
    "sum": (0, np.sum),
    "mean": (1, np.mean),
    "max": (2, np.max),
    "min": (3, np.min),
    "prod": (4, np.prod),
    "l1": (5, lambda x, axis, keepdims: abs(x).sum(axis, keepdims=keepdims)),
    "l2": (6, lambda x, axis, keepdims: np.sqrt((x * x).sum(axis, keepdims=keepdims))),
    "sum_square": (7, lambda x, axis, keepdims: (x * x).sum(axis, keepdims=keepdims)),
    "log_sum": (8, lambda x, axis, keepdims: np.log(x.sum(axis, keepdims=keepdims))),
    "log_sum_exp": (9, scipy.special.logsumexp),
}
AXES = [(), (0,), (1,), (-1,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def reduce(op: int, x: np.ndarray, axes: tuple[int, ...], dtype: str = "f32", keepdims: int = 1, splits: int = 1) -> np.ndarray:
    consts = [np.array(axes, np.int64)] if axes else []
    return Operator("reduce", [TensorSpec(dtype)], [TensorSpec(dtype)], {"op": op, "keepdims": keepdims}, consts).run([x], splits)[0]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("name", OPS)
def test_reduce_of_floats_is_rounded_once(name: str, axes: tuple[int, ...]) -> None:
    code, function = OPS[name]
    x = (np.random.default_rng(0).random((7, 70, 33)) + 0.5).astype(np.float32)
    if name == "prod":
        x = np.exp((x - 1) / 100).astype(np.float32)
    exact = function(x.astype(np.float64), axis=axes or None, keepdims=True)
    for splits in (1, 3):
        # Sums of doubles in different orders: hardly ever, and never by more than one ulp, is the f32 next to it another.
        np.testing.assert_allclose(reduce(code, x, axes, splits=splits), exact.astype(np.float32), rtol=2.0**-23, atol=0)
    np.testing.assert_array_equal(reduce(code, x, axes, splits=3), reduce(code, x, axes))


@pytest.mark.parametrize("axes", [(1,), (2,), (0, 2)], ids=str)
@pytest.mark.parametrize("name", OPS)
def test_reduce_of_doubles(name: str, axes: tuple[int, ...]) -> None:
    code, function = OPS[name]
    x = np.exp(np.random.default_rng(0).standard_normal((5, 7, 33)) / 4)
    np.testing.assert_allclose(reduce(code, x, axes, "f64"), function(x, axis=axes, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("dtype", ["u8", "s8", "bool"])
@pytest.mark.parametrize(("name", "of_nothing"), [("max", (0, -128, False)), ("min", (255, 127, True))])
def test_extremes_of_bytes(name: str, of_nothing: tuple[int, int, bool], dtype: str, axes: tuple[int, ...]) -> None:
    code, function = OPS[name]
    bytes_ = np.random.default_rng(1).integers(0, 256, (3, 5, 19)).astype(np.uint8)
    x = bytes_ > 127 if dtype == "bool" else bytes_.view(DTYPES[dtype])
    for splits in (1, 3):
        np.testing.assert_array_equal(reduce(code, x, axes, dtype, splits=splits), function(x, axis=axes or None, keepdims=True))
    assert reduce(code, x[:, :0], (1,), dtype).flat[0] == of_nothing[("u8", "s8", "bool").index(dtype)]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("dtype", ["s64", "s32"])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod"])
def test_reduce_of_integers_is_exact(name: str, dtype: str, axes: tuple[int, ...]) -> None:
    code, function = OPS[name]
    x = np.random.default_rng(1).integers(-9, 9, (3, 5, 19), dtype=DTYPES[dtype])
    expected = function(x, axis=axes or None, keepdims=True)
    np.testing.assert_array_equal(reduce(code, x, axes, dtype), np.trunc(expected).astype(DTYPES[dtype]))


@EXAMPLES
@given(data=st.data(), splits=st.integers(1, 3), keepdims=st.booleans(), dtype=st.sampled_from(["f32", "s32"]))
def test_reduce_over_any_axes_of_any_shape(data: st.DataObject, splits: int, keepdims: bool, dtype: str) -> None:
    shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    axes = tuple(data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True)))
    x = np.random.default_rng(2).integers(-50, 50, shape).astype(DTYPES[dtype])
    for code, function in [OPS["sum"], OPS["max"]]:
        y = reduce(code, x, axes, dtype, int(keepdims), splits)
        np.testing.assert_array_equal(y, function(x, axis=axes or None, keepdims=keepdims))


def test_reduce_of_long_rows() -> None:
    x = np.random.default_rng(3).standard_normal((2, 100_003)).astype(np.float32)
    for axes in [(1,), (0,), (0, 1)]:
        np.testing.assert_allclose(reduce(0, x, axes), x.astype(np.float64).sum(axes, keepdims=True), rtol=1e-6)


def test_reduce_of_nothing_and_of_what_is_no_number() -> None:
    empty = np.zeros((2, 0), np.float32)
    assert reduce(0, empty, (1,)).tolist() == [[0], [0]]
    assert reduce(4, empty, (1,)).tolist() == [[1], [1]]
    assert reduce(2, empty, (1,)).tolist() == [[-np.inf], [-np.inf]]
    assert np.isnan(reduce(1, empty, (1,))).all()
    assert reduce(1, empty.astype(np.int32), (1,), "s32").tolist() == [[0], [0]]
    assert reduce(0, empty, (0,)).shape == (1, 0)
    x = np.array([[1, np.nan, 3], [-np.inf, -np.inf, -np.inf]], np.float32)
    for op in (2, 3, 9):
        for y in (reduce(op, x, (1,))[:, 0], reduce(op, x.T.copy(), (0,))[0]):
            assert np.isnan(y[0]) and y[1] == -np.inf


def test_reduce_refuses() -> None:
    with pytest.raises(KernelError, match="reduction 6 of s32"):
        Operator("reduce", [TensorSpec("s32")], [TensorSpec("s32")], {"op": 6})
    with pytest.raises(KernelError, match="reduction 0 of bool"):
        Operator("reduce", [TensorSpec("bool")], [TensorSpec("bool")], {"op": 0})
    with pytest.raises(KernelError, match="axis 1 is named twice"):
        reduce(0, np.zeros((2, 2), np.float32), (1, -1))


@EXAMPLES
@given(data=st.data(), splits=st.integers(1, 3), dtype=st.sampled_from(PLACES), last=st.booleans(), keepdims=st.booleans())
def test_argmax_and_argmin(data: st.DataObject, splits: int, dtype: str, last: bool, keepdims: bool) -> None:
    shape = data.draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(4).integers(0, 4, shape).astype(DTYPES[dtype])
    for name, function in [("argmax", np.argmax), ("argmin", np.argmin)]:
        attrs = {"axis": axis, "keepdims": int(keepdims), "select_last_index": int(last)}
        y = Operator(name, [TensorSpec(dtype)], [TensorSpec("s64")], attrs).run([x], splits)[0]
        flipped = np.flip(x, axis) if last else x
        expected = function(flipped, axis, keepdims=keepdims)
        np.testing.assert_array_equal(y, x.shape[axis] - 1 - expected if last else expected)


def test_argmax_refuses() -> None:
    with pytest.raises(KernelError, match="nothing to pick"):
        Operator("argmax", [TensorSpec()], [TensorSpec("s64")]).run([np.zeros((0, 2), np.float32)])
    with pytest.raises(KernelError, match="output 0 is f32, expected s64"):
        Operator("argmax", [TensorSpec()], [TensorSpec()])
    with pytest.raises(KernelError, match="places in bool"):
        Operator("argmax", [TensorSpec("bool")], [TensorSpec("s64")])
