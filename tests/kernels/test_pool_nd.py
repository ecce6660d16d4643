"""max_pool_nd and average_pool_nd against ONNX Runtime."""

from functools import cache

import numpy as np
import onnxruntime as ort
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

NUMPY = {"f32": np.float32, "u8": np.uint8, "s8": np.int8}


@cache
def session(op, dtype, rank, outputs, attrs):
    names = ["y", "places"][:outputs]
    types = [helper.np_dtype_to_tensor_dtype(np.dtype(d)) for d in (dtype, np.int64)]
    node = helper.make_node(op, ["x"], names, **dict(attrs))
    x = helper.make_tensor_value_info("x", types[0], [None] * (rank + 2))
    ys = [helper.make_tensor_value_info(name, kind, [None] * (rank + 2)) for name, kind in zip(names, types, strict=False)]
    model = helper.make_model(helper.make_graph([node], "g", [x], ys), opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def reference(op, x, windows, outputs=1, **attrs):
    """ONNX Runtime."""
    kernel, strides, dilations, pads = (tuple(int(v) for v in values) for values in windows)
    attrs = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads, **attrs}
    return session(op, x.dtype.type, x.ndim - 2, outputs, tuple(sorted(attrs.items()))).run(None, {"x": x})


def pool(name, x, windows, dtype="f32", outputs=1, splits=1, **attrs):
    consts = [np.array(values, np.int64) for values in windows]
    return Operator(name, [TensorSpec(dtype)], [TensorSpec(dtype), TensorSpec("s64")][:outputs], attrs, consts).run([x], splits)


@st.composite
def cases(draw):
    """A shape, and windows that fit into it, their pads smaller than they are."""
    rank = draw(st.integers(1, 3))

    def many(lo, hi):
        return draw(st.lists(st.integers(lo, hi), min_size=rank, max_size=rank))

    kernel, strides, dilations, room = many(1, 3), many(1, 3), many(1, 2), many(0, 5)
    pads = [min(p, k - 1) for p, k in zip(many(0, 2) + many(0, 2), kernel * 2, strict=True)]
    size = [(k - 1) * d + 1 + extra for k, d, extra in zip(kernel, dilations, room, strict=True)]
    return [2, 3, *size], [kernel, strides, dilations, pads]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(case=cases(), dtype=st.sampled_from(sorted(NUMPY)), ceil=st.booleans(), column_major=st.booleans(), splits=st.integers(1, 3))
def test_maxima_and_their_places(case, dtype, ceil, column_major, splits):
    shape, windows = case
    x = np.random.default_rng(0).permutation(256)[: np.prod(shape)] if np.prod(shape) <= 256 else np.arange(np.prod(shape)) * 37 % 251
    x = x.astype(np.uint8).view(NUMPY[dtype]).reshape(shape) if dtype != "f32" else x.astype(np.float32).reshape(shape)
    expected = reference("MaxPool", x, windows, 2, ceil_mode=int(ceil), storage_order=int(column_major))
    found = pool("max_pool_nd", x, windows, dtype, 2, splits, ceil_mode=int(ceil), column_major=int(column_major))
    for y, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(pool("max_pool_nd", x, windows, dtype, ceil_mode=int(ceil))[0], expected[0])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(case=cases(), ceil=st.booleans(), include=st.booleans(), splits=st.integers(1, 3))
def test_averages(case, ceil, include, splits):
    shape, windows = case
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    attrs = {"ceil_mode": int(ceil), "count_include_pad": int(include)}
    expected = reference("AveragePool", x, windows, **attrs)[0]
    # Up to 27 numbers, summed in double here and in float there.
    np.testing.assert_allclose(pool("average_pool_nd", x, windows, splits=splits, **attrs)[0], expected, atol=4e-6)


def test_six_dimensions():
    x = np.random.default_rng(0).normal(size=(1, 2, 2, 3, 2, 2, 2, 3)).astype(np.float32)
    windows = [[2, 3, 2, 2, 2, 3], [1] * 6, [1] * 6, [0] * 12]
    [y, places] = pool("max_pool_nd", x, windows, outputs=2)
    np.testing.assert_array_equal(y.reshape(2), x.reshape(2, -1).max(1))
    np.testing.assert_array_equal(places.reshape(2), x.reshape(2, -1).argmax(1) + np.array([0, 144]))
    np.testing.assert_allclose(pool("average_pool_nd", x, windows)[0].reshape(2), x.reshape(2, -1).mean(1, dtype=np.float64), rtol=1e-6)


def test_windows_of_padding_alone_and_of_what_is_no_number():
    windows = [[2], [1], [1], [2, 0]]
    x = np.array([[[np.nan, -np.inf, 3]]], np.float32)
    y, places = pool("max_pool_nd", x, windows, outputs=2)
    assert y.tolist() == [[[-np.inf, -np.inf, -np.inf, 3]]]
    assert places.tolist() == [[[0, 0, 0, 2]]]


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([[], [], [], []], "windows without a dimension"),
        ([[2, 2], [1], [1, 1], [0] * 4], "constant 1 has 1 elements, expected 2"),
        ([[2, 0], [1, 1], [1, 1], [0] * 4], "constant 0 holds 0, expected 1 to 2048"),
        ([[2, 2], [1, 1], [1, 1], [0, 0, 0, -1]], "constant 3 holds -1, expected 0 to"),
        ([[2, 2], [1, 1], [1, 1]], "constant 3 has 0 elements, expected 4"),
        ([[2], [1], [1], [0, 0]], "1-D windows over a tensor of rank 4"),
        ([[9, 1], [1, 1], [1, 1], [0] * 4], "a window of 9 does not fit into 4 pixels"),
    ],
)
def test_refusals(windows, message):
    for name in ("max_pool_nd", "average_pool_nd"):
        with pytest.raises(KernelError, match=message):
            pool(name, np.zeros((1, 1, 4, 4), np.float32), windows)


def test_refused_types():
    windows = [np.array(v) for v in ([2], [1], [1], [0, 0])]
    with pytest.raises(KernelError, match="maxima of f64"):
        Operator("max_pool_nd", [TensorSpec("f64")], [TensorSpec("f64")], {}, windows)
    with pytest.raises(KernelError, match="output 1 is f32, expected s64"):
        Operator("max_pool_nd", [TensorSpec()], [TensorSpec(), TensorSpec()], {}, windows)
    with pytest.raises(KernelError, match="input 0 is u8, expected f32"):
        Operator("average_pool_nd", [TensorSpec("u8")], [TensorSpec("u8")], {}, windows)
