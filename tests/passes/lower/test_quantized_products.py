"""Convolutions and products of quantised models: every bit as the formula of docs/architecture.md says, from exact integers."""

from dataclasses import dataclass

import numpy as np
import pytest
from honed.passes.lower import lower

from tests.passes.lower.networks import RNG, Net, check, normal, run, types


@dataclass(frozen=True)
class Case:
    """A quantised convolution. clip: None, or the bounds between it and QuantizeLinear."""

    x_dtype: type = np.uint8
    x_zero: int = 117
    w_dtype: type = np.int8
    w_zero: int = 0
    per_channel: bool = True
    bias: str | None = "integers"
    clip: tuple[float, float] | None = None
    y_dtype: type = np.uint8
    y_zero: int = 3
    w_shape: tuple[int, ...] = (5, 4, 3, 3)
    group: int = 1
    stride: int = 1
    dilation: int = 1
    pads: tuple[int, int, int, int] = (1, 1, 1, 1)


X_SCALE, Y_SCALE = np.float32(0.037), np.float32(0.71)
CASES = {
    "plain": Case(),
    "per tensor": Case(per_channel=False),
    "signed": Case(x_dtype=np.int8, x_zero=-9, y_dtype=np.int8, y_zero=-20),
    "u8 weights": Case(w_dtype=np.uint8, w_zero=131),
    "u8 weights with zero 0": Case(w_dtype=np.uint8, w_zero=0),
    "s8 weights with a zero point": Case(w_zero=-100),
    "float bias": Case(bias="float"),
    "no bias": Case(bias=None),
    "bias of another scale": Case(bias="other"),
    "relu": Case(clip=(0.0, np.inf), y_zero=128),
    "relu6": Case(clip=(0.0, 6.0), y_zero=11),
    "clip": Case(clip=(-3.3, 5.1), y_zero=100),
    "strided": Case(stride=2, pads=(0, 1, 2, 1)),
    "dilated": Case(dilation=2, pads=(2, 2, 2, 2)),
    "grouped": Case(group=2, w_shape=(6, 2, 3, 3)),
    "depthwise": Case(group=4, w_shape=(4, 1, 3, 3)),
    "depthwise with multiplier": Case(group=4, w_shape=(8, 1, 3, 3), stride=2),
    "pointwise": Case(w_shape=(7, 4, 1, 1), pads=(0, 0, 0, 0)),
}


def fma(a, b, c):
    """float32 a · b + c, rounded once: the product is exact in 64 bits of mantissa, and the sum as good as."""
    return (a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)).astype(np.float32)


def convolve(x, w, case):
    """Exact sums of x [1, C, H, W] and w in int64."""
    top, left, bottom, right = case.pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    extent = [(k - 1) * case.dilation + 1 for k in w.shape[2:]]
    rows, cols = ((n - e) // case.stride + 1 for n, e in zip(x.shape[2:], extent, strict=True))
    out = np.zeros((1, w.shape[0], rows, cols), np.int64)
    per_group = w.shape[0] // case.group
    for oc in range(w.shape[0]):
        first = oc // per_group * w.shape[1]
        for c, ky, kx in np.ndindex(w.shape[1:]):
            rows_of = slice(ky * case.dilation, ky * case.dilation + (rows - 1) * case.stride + 1, case.stride)
            cols_of = slice(kx * case.dilation, kx * case.dilation + (cols - 1) * case.stride + 1, case.stride)
            out[0, oc] += w[oc, c, ky, kx] * x[0, first + c, rows_of, cols_of]
    return out


@dataclass
class Numbers:
    """The integers and scales of a case."""

    x: np.ndarray
    w: np.ndarray
    w_scales: np.ndarray
    bias: np.ndarray | None


def numbers(case, x_shape=(1, 4, 8, 9)):
    rng = RNG(3)
    limits = np.iinfo(case.x_dtype)
    x = rng.integers(limits.min, limits.max + 1, x_shape).astype(case.x_dtype)
    limits = np.iinfo(case.w_dtype)
    w = rng.integers(limits.min, limits.max + 1, case.w_shape).astype(case.w_dtype)
    scales = (rng.uniform(0.001, 0.02, case.w_shape[0] if case.per_channel else 1)).astype(np.float32)
    integers = rng.integers(-20000, 20000, case.w_shape[0]).astype(np.int32)
    bias = {None: None, "float": normal([case.w_shape[0]], 5, 30.0)}.get(case.bias, integers)
    return Numbers(x, w, scales, bias)


def expected(case, n):
    """init, scale and offset in double, rounded once; then the formula."""
    w = n.w.astype(np.int64) - case.w_zero
    acc = convolve(n.x.astype(np.int64) - case.x_zero, w, case)
    product = np.float64(X_SCALE) * np.broadcast_to(n.w_scales, case.w_shape[0]).astype(np.float64)
    y_zero = case.y_zero + (128 if case.y_dtype is np.int8 else 0)
    offset = np.full(case.w_shape[0], float(y_zero))
    if case.bias == "integers":
        acc = acc + n.bias.astype(np.int64)[:, None, None]
    elif case.bias is not None:
        real = n.bias.astype(np.float64) if case.bias == "float" else np.float32(n.bias * np.float32(0.004)).astype(np.float64)
        offset = offset + real / np.float64(Y_SCALE)
    scale, offset = (product / np.float64(Y_SCALE)).astype(np.float32), offset.astype(np.float32)
    q = fma(acc.astype(np.float32), scale[:, None, None], offset[:, None, None])
    lo, hi = (0.0, 255.0) if case.clip is None else (float(np.clip(np.rint(np.float32(b) / Y_SCALE) + y_zero, 0, 255)) for b in case.clip)
    return (np.rint(np.clip(q, lo, hi)).astype(np.int64) - y_zero + case.y_zero).astype(case.y_dtype)


def qdq_model(case, n):
    net = Net()
    x = net.dequantize(net.input("x", n.x.shape, case.x_dtype), X_SCALE, case.x_zero, case.x_dtype)
    w = net.dequantize(net.const(n.w), n.w_scales, np.full(n.w_scales.shape, case.w_zero), case.w_dtype, axis=0)
    inputs = [x, w]
    if case.bias == "float":
        inputs.append(net.const(n.bias))
    elif case.bias is not None:
        scales = X_SCALE * n.w_scales if case.bias == "integers" else np.full(case.w_shape[0], 0.004, np.float32)
        inputs.append(net.dequantize(net.const(n.bias), scales, np.zeros(len(scales)), np.int32, axis=0))
    attrs = {"strides": [case.stride] * 2, "dilations": [case.dilation] * 2, "pads": list(case.pads), "group": case.group}
    y = net.node("Conv", *inputs, name="conv", **attrs)
    if case.clip == (0.0, np.inf):
        y = net.node("Relu", y)
    elif case.clip is not None:
        y = net.node("Clip", y, *(net.const(b, np.float32) for b in case.clip))
    return net.model(net.quantize(y, Y_SCALE, case.y_zero, case.y_dtype))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_convolution_is_exact(case):
    n = numbers(case)
    program, [y] = run(qdq_model(case, n), {"x": n.x}, strict=True)
    np.testing.assert_array_equal(y, expected(case, n))
    assert not [t for t in types(program) if t.endswith("f32")]


@pytest.mark.parametrize("case", [CASES[n] for n in ("plain", "per tensor", "signed", "no bias", "grouped", "strided")])
def test_qlinear_convolution_is_exact(case):
    n, net = numbers(case), Net()
    inputs = [net.input("x", n.x.shape, case.x_dtype), net.const(X_SCALE), net.const(case.x_zero, case.x_dtype), net.const(n.w)]
    inputs += [net.const(n.w_scales), net.const(np.full(n.w_scales.shape, case.w_zero), case.w_dtype)]
    inputs += [net.const(Y_SCALE), net.const(case.y_zero, case.y_dtype)] + ([] if n.bias is None else [net.const(n.bias)])
    attrs = {"strides": [case.stride] * 2, "pads": list(case.pads), "group": case.group}
    _, [y] = run(net.model(net.node("QLinearConv", *inputs, **attrs)), {"x": n.x}, strict=True)
    np.testing.assert_array_equal(y, expected(case, n))


def test_float_output_where_nothing_quantizes_it():
    """Sums below 2^24 are exact in float32, and so is the fused scaling."""
    case, net = Case(), Net()
    n = numbers(case)
    x = net.dequantize(net.input("x", n.x.shape, np.uint8), X_SCALE, case.x_zero)
    w = net.dequantize(net.const(n.w), n.w_scales, np.zeros(5), np.int8, axis=0)
    y = net.node("Relu", net.node("Conv", x, w, pads=[1, 1, 1, 1]))
    program, [y] = run(net.model(y), {"x": n.x}, strict=True)
    acc = convolve(n.x.astype(np.int64) - case.x_zero, n.w.astype(np.int64), case)
    scale = (np.float64(X_SCALE) * n.w_scales.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(y, np.maximum(acc.astype(np.float32) * scale[:, None, None], 0))
    assert any("u8s8" in t for t in types(program))


@pytest.mark.parametrize("bias", ["integers", "float", None])
@pytest.mark.parametrize("trans_b", [0, 1])
def test_gemm_is_exact(bias, trans_b):
    case, net = Case(bias=bias, w_shape=(5, 12, 1, 1), pads=(0, 0, 0, 0)), Net()
    n = numbers(case, (1, 12, 1, 3))
    rows = n.x[0, :, 0].T
    w = n.w[:, :, 0, 0] if trans_b else n.w[:, :, 0, 0].T
    x = net.dequantize(net.input("x", rows.shape, np.uint8), X_SCALE, case.x_zero)
    inputs = [x, net.dequantize(net.const(w), n.w_scales, np.zeros(5), np.int8, axis=1 - trans_b)]
    if bias == "float":
        inputs.append(net.const(n.bias))
    elif bias is not None:
        inputs.append(net.dequantize(net.const(n.bias), X_SCALE * n.w_scales, np.zeros(5), np.int32, axis=0))
    model = net.model(net.quantize(net.node("Gemm", *inputs, transB=trans_b), Y_SCALE, case.y_zero))
    program, [y] = run(model, {"x": rows}, strict=True)
    np.testing.assert_array_equal(y, expected(case, n)[0, :, 0].T)
    assert types(program) == ["gemm_u8s8"]


def test_factors_of_a_quantised_gemm():
    net = Net()
    w = RNG(1).integers(-127, 128, (5, 6)).astype(np.int8)
    bias = net.dequantize(net.const(RNG(2).integers(-900, 900, 5).astype(np.int32)), 0.0003, 0, np.int32)
    x = net.round_trip(net.input("x", [3, 6]), 0.03, 120)
    y = net.node("Gemm", x, net.dequantize(net.const(w), 0.01, 0, np.int8), bias, transB=1, alpha=0.5, beta=3.0)
    program = check(net.model(y), {"x": normal((3, 6))}, atol=1e-5)
    assert types(program) == ["quantize", "gemm_u8s8"]


def test_matmul_with_more_than_two_dimensions():
    net = Net()
    w = RNG(1).integers(-127, 128, (6, 5)).astype(np.int8)
    x = net.round_trip(net.input("x", [2, 3, 6]), 0.03, 120)
    y = net.node("MatMul", x, net.dequantize(net.const(w), np.full(5, 0.01), np.zeros(5), np.int8, axis=1))
    program = check(net.model(net.dequantize(net.quantize(y, 0.05, 128), 0.05, 128)), {"x": normal((2, 3, 6))}, atol=1e-6)
    assert types(program) == ["quantize", "gemm_u8s8", "dequantize"]


def test_pixels_after_a_global_pool_multiply_as_rows():
    net = Net()
    w = RNG(1).integers(-127, 128, (6, 5, 1, 1)).astype(np.int8)
    pooled = net.node("GlobalAveragePool", net.round_trip(net.input("x", ["n", 5, 4, 4]), 0.03, 120))
    y = net.node("Conv", net.round_trip(pooled, 0.01, 128), net.dequantize(net.const(w), 0.01, 0, np.int8))
    program = check(net.model(net.dequantize(net.quantize(y, 0.02, 128), 0.02, 128)), {"x": normal((2, 5, 4, 4))}, atol=1e-6)
    assert types(program) == ["quantize", "global_average_pool", "flatten", "gemm_u8s8", "reshape", "dequantize"]


def test_sums_that_may_overflow_are_computed_in_float():
    net = Net()
    w = np.full((1, 70000), 127, np.int8)
    x = net.dequantize(net.input("x", [1, 70000], np.uint8), 0.01, 0)
    y = net.node("Gemm", x, net.dequantize(net.const(w), 0.01, 0, np.int8), transB=1)
    program = lower(net.model(net.quantize(y, 100.0, 0)))
    assert "gemm_f32" in types(program)
    assert [op.info["slow"] for op in program.ops if "slow" in op.info] == ["computed in float: sums can overflow 32 bits"]
