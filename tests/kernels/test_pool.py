from functools import cache

import numpy as np
import onnxruntime as ort
import pytest
from honed.kernels._native import KernelError, Operator
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.kernels.conv_cases import fma
from tests.kernels.elementwise_cases import GAPS, dense, outputs, planar

STEM = {"kernel": (3, 3), "stride": (2, 2), "pads": (1, 1, 1, 1)}
CASES = [
    STEM,
    {"kernel": (2, 2), "stride": (2, 2)},
    {"kernel": (3, 3), "pads": (1, 1, 1, 1)},
    {"kernel": (3, 3), "stride": (2, 2), "ceil": 1},
    {"kernel": (2, 2), "stride": (2, 2), "pads": (0, 0, 1, 1), "ceil": 1},
    {"kernel": (1, 1), "stride": (2, 2)},
    {"kernel": (5, 4), "stride": (1, 3), "pads": (2, 1, 2, 3)},
    {"kernel": (3, 2), "stride": (3, 2), "dilation": (2, 3), "pads": (1, 1, 2, 0)},
    {"kernel": (2, 3), "stride": (1, 2), "dilation": (3, 2), "pads": (1, 1, 1, 2), "ceil": 1},
    {"kernel": (13, 13), "stride": (1, 1), "pads": (6, 6, 6, 6)},
]
SHAPES = [(1, 2, 14, 14), (2, 3, 13, 37), (1, 1, 40, 150), (3, 2, 7, 7)]
NUMPY = {"f32": np.float32, "u8": np.uint8}


def attributes(kernel, stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), ceil=0, **more):
    names = ("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left", "pad_bottom", "pad_right")
    return dict(zip(names, (*kernel, *stride, *dilation, *pads), strict=True)) | {"ceil_mode": ceil} | more


@cache
def session(op, dtype, attrs):
    node = helper.make_node(op, ["x"], ["y"], **dict(attrs))
    tensor = TensorProto.FLOAT if dtype == np.float32 else TensorProto.UINT8
    ends = [[helper.make_tensor_value_info(n, tensor, [None] * 4)] for n in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "g", *ends), opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def reference(op, x, kernel, stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), ceil=0, **more):
    """ONNX Runtime."""
    attrs = {"kernel_shape": kernel, "strides": stride, "dilations": dilation, "pads": pads, "ceil_mode": ceil, **more}
    return session(op, x.dtype.type, tuple(sorted(attrs.items()))).run(None, {"x": x})[0]


def pixels(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape).astype(np.uint8) if dtype == "u8" else rng.normal(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize("dtype", ["f32", "u8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_max_pool_is_onnx(dtype, shape, case):
    x = pixels(shape, dtype)
    expected = reference("MaxPool", x, **case)
    for inner, outer in zip(GAPS, GAPS[1:] + GAPS[:1], strict=True):
        for y in outputs("max_pool", [x], [planar(dtype, inner, 200)], planar(dtype, outer, 200), attributes(**case)):
            np.testing.assert_array_equal(y, expected)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    axes=st.tuples(*[st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 40))] * 2),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    ceil=st.booleans(),
    include=st.booleans(),
    gaps=st.tuples(*[st.integers(0, 3)] * 4),
    dtype=st.sampled_from(["f32", "u8"]),
)
def test_pools_for_any_window(axes, pads, ceil, include, gaps, dtype):
    (kernel, stride, dilation, size) = zip(*axes, strict=True)
    pads = tuple(min(p, k - 1) for p, k in zip(pads, kernel * 2, strict=True))  # ONNX Runtime demands pads < kernel
    assume(all(n + a + b > (k - 1) * d for n, k, d, a, b in zip(size, kernel, dilation, pads[:2], pads[2:], strict=True)))
    case = {"kernel": kernel, "stride": stride, "dilation": dilation, "pads": pads, "ceil": int(ceil)}
    x = pixels((2, 3, *size), dtype)
    expected = reference("MaxPool", x, **case)
    has_pixel = reference("MaxPool", np.ones_like(x), **case) == 1
    for y in outputs("max_pool", [x], [planar(dtype, gaps[:2], 9)], planar(dtype, gaps[2:], 9), attributes(**case)):
        np.testing.assert_array_equal(y[has_pixel], expected[has_pixel])
        assert (y[~has_pixel] == (0 if dtype == "u8" else -np.inf)).all()
    check_average(x, case, int(include), gaps)


def check_average(x, case, include, gaps):
    zero_point, dtype = 9, "u8" if x.dtype == np.uint8 else "f32"
    f32 = x.astype(np.float32) - (zero_point if dtype == "u8" else 0)
    mean = reference("AveragePool", f32, **case, count_include_pad=include)
    runs = list(
        outputs(
            "average_pool",
            [x],
            [planar(dtype, gaps[:2], zero_point)],
            planar(dtype, gaps[2:], 3),
            attributes(**case, count_include_pad=include) | ({"scale": 1.3, "offset": 30.25, "clamp_hi": 250.0} if dtype == "u8" else {}),
        )
    )
    if dtype == "u8":
        # Every partial sum is an integer below 2**24: ONNX Runtime's mean of f32 is the correctly rounded quotient as well.
        q = fma(mean, np.full_like(mean, 1.3), np.full_like(mean, 30.25))
        expected = np.rint(np.clip(q, 0, 250))
    for y in runs:
        np.testing.assert_array_equal(y, runs[0])
        if dtype == "u8":
            np.testing.assert_array_equal(y[np.isfinite(mean)], expected[np.isfinite(mean)])
        else:
            scale = reference("AveragePool", np.abs(f32), **case, count_include_pad=include)
            assert (np.abs(y - mean) <= 1e-5 * scale)[np.isfinite(mean)].all()


@pytest.mark.parametrize("dtype", ["f32", "u8"])
@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_average_pool_is_onnx(dtype, include, case):
    for shape, gaps in zip(SHAPES, [(0, 0, 1, 1), (2, 3, 0, 0), (1, 1, 3, 2), (1, 2, 3, 0)], strict=True):
        if min(shape[2:]) >= max(case["kernel"]):
            check_average(pixels(shape, dtype), case, include, gaps)


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("shape", [(1, 3, 7, 7), (2, 5, 1, 1), (1, 2, 31, 67), (3, 4, 2, 130), (0, 3, 4, 4)])
def test_global_pools(shape, gaps):
    f32, u8 = pixels(shape, "f32"), pixels(shape, "u8")
    mean = f32.astype(np.float64).mean((2, 3), keepdims=True)
    bound = 1e-6 * np.abs(f32).astype(np.float64).mean((2, 3), keepdims=True) + 1e-12
    runs = list(outputs("global_average_pool", [f32], [planar("f32", gaps)], dense()))
    for y in runs:
        np.testing.assert_array_equal(y, runs[0])
        assert (np.abs(y - mean) <= bound).all()
    sums = u8.astype(np.int64).sum((2, 3), keepdims=True) - 131 * shape[2] * shape[3]
    step = np.float32(0.04) / (np.float32(0.05) * np.float32(shape[2] * shape[3]))
    expected = np.clip(np.rint(sums.astype(np.float32) * step) + 64, 60, 255)
    attrs = {"input_scale": 0.04, "output_scale": 0.05, "zero_point": 64, "clamp_lo": 60.0}
    for y in outputs("global_average_pool", [u8], [planar("u8", gaps, 131)], dense("u8"), attrs):
        np.testing.assert_array_equal(y, expected)
    for dtype, x in (("f32", f32), ("u8", u8 // 2)):
        for y in outputs("global_max_pool", [x], [planar(dtype, gaps, 255)], dense(dtype)):
            np.testing.assert_array_equal(y, x.max((2, 3), keepdims=True))


def test_max_pool_passes_over_nan():
    x = pixels((1, 1, 9, 20), "f32")
    x[0, 0, ::2, ::3] = np.nan
    expected = reference("MaxPool", np.nan_to_num(x, nan=-np.inf), **STEM)
    for y in outputs("max_pool", [x], [planar()], planar(), attributes(**STEM)):
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    "attrs, message",
    [
        ({"kernel_h": 0}, "kernel_h is 0, expected 1 to 2048"),
        ({"kernel_w": 1 << 40}, "kernel_w is 1099511627776"),
        ({"stride_w": 0}, "stride_w is 0"),
        ({"dilation_h": -1}, "dilation_h is -1"),
        ({"pad_left": -1}, "pad_left is -1, expected 0 to 32768"),
        ({"ceil_mode": 2}, "ceil_mode is 2, expected 0 to 1"),
    ],
)
@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
def test_hostile_attributes(name, attrs, message):
    with pytest.raises(KernelError, match=message):
        Operator(name, [planar()], [planar()], attributes((2, 2)) | attrs)


def test_refusals():
    with pytest.raises(KernelError, match="input 0 is dense, expected planar"):
        Operator("max_pool", [dense()], [planar()], attributes((2, 2)))
    with pytest.raises(KernelError, match="output 0 is planar, expected dense"):
        Operator("global_average_pool", [planar()], [planar()])
    with pytest.raises(KernelError, match="input 0 is s32, expected f32 or u8"):
        Operator("max_pool", [planar("s32")], [planar("s32")], attributes((2, 2)))
    with pytest.raises(KernelError, match="a window of 5 does not fit into 3 pixels with padding 0 and 1"):
        operator = Operator("max_pool", [planar()], [planar()], attributes((3, 3), dilation=(2, 2), pads=(0, 0, 1, 1)))
        operator.run([np.zeros((1, 1, 3, 3), np.float32)])
    with pytest.raises(KernelError, match="planes of 0 x 4 pixels, expected at least one pixel"):
        Operator("global_max_pool", [planar()], [dense()]).run([np.zeros((1, 1, 0, 4), np.float32)])
