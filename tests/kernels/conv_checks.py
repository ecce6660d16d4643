"""What every convolution kernel is checked for, whatever its family: exact integers, bounded floats, residuals, float output."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from honed.kernels._native import Operator, TensorSpec

from tests.kernels.conv_cases import POINTWISE, Conv, exact, fma, requantized

Packer = Callable[..., list[np.ndarray]]


def mask(conv: Conv, sparsity: float, block: int, rng: np.random.Generator) -> np.ndarray:
    """False for a share of the weights; `block` adjacent output channels share their zeros."""
    blocks = -(-conv.out_channels // block)
    return np.repeat(rng.random((blocks, *conv.weight_shape[1:])) >= sparsity, block, 0)[: conv.out_channels]


def int8_operands(conv: Conv, sparsity: float = 0.0, block: int = 1):
    """x u8, w (s8 values), init, scale, offset: results spread over the whole range of u8 and beyond."""
    rng = np.random.default_rng(7)
    w = rng.integers(-128, 128, conv.weight_shape) * mask(conv, sparsity, block, rng)
    x = rng.integers(0, 256, (conv.batch, conv.in_channels, conv.height, conv.width)).astype(np.uint8)
    sums = max(1.0, np.sqrt(np.prod(conv.weight_shape[1:]))) * 128 * 128
    scale = (rng.uniform(0.5, 2, conv.out_channels) * 128 / sums).astype(np.float32)
    offset = rng.uniform(90, 160, conv.out_channels).astype(np.float32)
    init = rng.integers(-1000, 1000, conv.out_channels).astype(np.int32)
    return x, w, init, scale, offset


def run_int8(kind: str, pack: Packer, conv: Conv, operands, isa, splits=1, zero_point=0, residual=None, **kwargs):
    x, w, init, scale, offset = operands
    folded = (init - zero_point * w.sum((1, 2, 3))).astype(np.int32)
    consts = [*pack(w, **conv.attrs), folded, scale, offset]
    op = conv.operator(kind, consts, isa, dtype="u8", zero_point=zero_point, out_zero_point=113, **kwargs)
    return op.run([conv.operator_input(x, zero_point)] + ([] if residual is None else [residual]), splits)[0]


def sums(conv: Conv, operands, zero_point: int = 0) -> np.ndarray:
    x, w, init, _, _ = operands
    return exact(conv, x, w, zero_point) + init.reshape(1, -1, 1, 1)


def check_bits(kind: str, pack: Packer, conv: Conv, isa: str, sparsity: float = 0.0, block: int = 1) -> None:
    operands = int8_operands(conv, sparsity, block)
    expected = requantized(sums(conv, operands, 77), *operands[3:])
    for splits in (1, 3):
        np.testing.assert_array_equal(run_int8(kind, pack, conv, operands, isa, splits, zero_point=77), expected)
    check_output_zero_point(kind, pack, conv, isa)


def check_output_zero_point(kind: str, pack: Packer, conv: Conv, isa: str) -> None:
    """It joins behind the rounding: of sums that are odd multiples of a half, ties go to the even number before, not after it."""
    x, w, init, scale, offset = int8_operands(conv)
    operands = (x, w, init, np.full_like(scale, 0.5), np.zeros_like(offset))
    acc = sums(conv, operands)
    operands = (x, w, (init - np.median(acc)).astype(np.int32), *operands[3:])
    acc = sums(conv, operands)
    for lo, hi in ((0, 255), (30, 200)):
        expected = requantized(acc, *operands[3:], lo, hi, zero_point=101)
        actual = run_int8(kind, pack, conv, operands, isa, clamp_lo=float(lo), clamp_hi=float(hi), shift=101)
        np.testing.assert_array_equal(actual, expected)


def check_residual(kind: str, pack: Packer, conv: Conv, isa: str) -> None:
    """The bits of the convolution followed by add_u8, with narrow clamps and with the whole range of u8, which the sums leave. One channel
    has results of any size, infinities among them, and another one so large that floats of its size are even."""
    operands = int8_operands(conv, 0.5)
    scale = operands[3]
    scale[0], scale[-1] = 3e33, 2.0**20
    residual = np.random.default_rng(3).integers(0, 256, conv.output_shape).astype(np.uint8)
    narrow, whole = (10.4, 240.6, 3, 250, 0.71, -11.25), (0, 255, 0, 255, 1.9, -140.5)
    for (lo, hi, sum_lo, sum_hi, sum_scale, sum_offset), first in itertools.product((narrow, whole), (0, 1)):
        f = {"sum_scale": np.float32(sum_scale), "residual_scale": np.float32(0.413), "sum_offset": np.float32(sum_offset)}
        with np.errstate(over="ignore"):
            q = requantized(sums(conv, operands), *operands[3:], lo, hi, zero_point=3).astype(np.float32)
        terms = [(q, f["sum_scale"]), (residual.astype(np.float32), f["residual_scale"])]
        outer, inner = reversed(terms) if first else terms
        total = fma(*outer, fma(*inner, f["sum_offset"]))
        assert (total.min() < 0 and total.max() > 255) or sum_lo > 0
        expected = np.rint(np.clip(total, sum_lo, sum_hi)).astype(np.uint8)
        attrs = {"clamp_lo": float(lo), "clamp_hi": float(hi), "sum_lo": float(sum_lo), "sum_hi": float(sum_hi)}
        attrs |= {"shift": 3, "residual_first": first}
        attrs |= {name: float(value) for name, value in f.items()}
        actual = run_int8(kind, pack, conv, operands, isa, residual=residual, residual_zero_point=5, **attrs)
        np.testing.assert_array_equal(actual, expected)


def check_float_output(kind: str, pack: Packer, conv: Conv, isa: str) -> None:
    operands = int8_operands(conv, 0.5)
    acc = sums(conv, operands).astype(np.int32).astype(np.float32)
    scale, offset = (a.reshape(1, -1, 1, 1) for a in operands[3:])
    expected = np.maximum(fma(acc, scale, offset), np.float32(100))
    actual = run_int8(kind, pack, conv, operands, isa, out_dtype="f32", clamp_lo=100.0)
    np.testing.assert_array_equal(actual, expected)


def gated(t: np.ndarray, gate: int, scale: float, offset: float) -> np.ndarray:
    """t times its gate, in float32: hard with its roundings, sigmoid from float64."""
    f = np.float32
    if gate == 1:
        return t * np.clip(fma(t, np.full(t.shape, scale, f), np.full(t.shape, offset, f)), f(0), f(1))
    return (t / (1 + np.exp(-np.float64(f(scale)) * t.astype(np.float64)))).astype(f)


def check_gates(kind: str, pack: Packer, conv: Conv, isa: str) -> None:
    """HardSwish and SiLU of results on both sides of 0: their floats, and those rounded to u8 with the zero point behind it."""
    x, w, init, scale, offset = int8_operands(conv, 0.5)
    operands = (x, w, init, scale, offset - np.float32(125))
    t = fma(sums(conv, operands).astype(np.int32).astype(np.float32), *(a.reshape(1, -1, 1, 1) for a in operands[3:]))
    for attrs in ({"gate": 1, "gate_scale": 0.02, "gate_offset": 0.5}, {"gate": 2, "gate_scale": 0.07}):
        real = run_int8(kind, pack, conv, operands, isa, out_dtype="f32", **attrs)
        expected = gated(t, int(attrs["gate"]), attrs["gate_scale"], attrs.get("gate_offset", 0.0))
        assert (expected < 0).any() and (expected > 0.9 * t.max()).any()
        assert (np.abs(real - expected) <= (0 if attrs["gate"] == 1 else 1.5e-7 * np.abs(t))).all()
        np.testing.assert_array_equal(real, run_int8(kind, pack, conv, operands, "scalar", out_dtype="f32", **attrs))
        for lo, hi in ((0, 255), (30, 90)):
            quantized = run_int8(kind, pack, conv, operands, isa, 3, clamp_lo=float(lo), clamp_hi=float(hi), shift=41, **attrs)
            np.testing.assert_array_equal(quantized, np.rint(np.clip(real, lo - 41, hi - 41)) + 41)


def float_operands(conv: Conv, sparsity: float = 0.0, block: int = 1):
    """x, w, bias."""
    rng = np.random.default_rng(7)
    w = (rng.standard_normal(conv.weight_shape) * mask(conv, sparsity, block, rng)).astype(np.float32)
    x = rng.standard_normal((conv.batch, conv.in_channels, conv.height, conv.width)).astype(np.float32)
    return x, w, rng.standard_normal(conv.out_channels).astype(np.float32)


def run_float(kind: str, pack: Packer, conv: Conv, operands, isa, splits=1, residual=None, **attrs):
    x, w, bias = operands
    residual_zero_point = None if residual is None else 0
    op = conv.operator(kind, [*pack(w, **conv.attrs), bias], isa, dtype="f32", residual_zero_point=residual_zero_point, **attrs)
    return op.run([conv.operator_input(x)] + ([] if residual is None else [residual]), splits)[0]


def run_whole(kind: str, pack: Packer, conv: Conv, operands, isa, gaps, residual=None, dense=False, **attrs):
    """Of an operator that reads the model's x. gaps: (rows, columns) of x, y and the residual."""
    x, w, bias = operands
    pads = {f"pad_{side}": getattr(conv, f"pad_{side}") for side in ("top", "left", "bottom", "right")}
    planes = [TensorSpec("f32", True, *gap) for gap in gaps]
    inputs = [TensorSpec("f32") if dense else planes[0], *([] if residual is None else planes[2:])]
    op = Operator(kind, inputs, [planes[1]], conv.attrs | pads | {"whole": 1} | attrs, [*pack(w, **conv.attrs), bias], isa)
    return op.run([x] if residual is None else [x, residual], 3)[0]


def check_bound(kind: str, pack: Packer, conv: Conv, isa: str, sparsity: float = 0.0, block: int = 1, rounded=lambda a: a) -> None:
    """Within k * eps * sum |w * x|: every fused multiply-add rounds once. rounded: what the kernel multiplies of x and w."""
    operands = float_operands(conv, sparsity, block)
    x, w, bias = rounded(operands[0]), rounded(operands[1]), operands[2]
    expected = exact(conv, x, w) + bias.reshape(1, -1, 1, 1)
    magnitude = exact(conv, np.abs(x), np.abs(w)) + np.abs(bias).reshape(1, -1, 1, 1)
    bound = (np.prod(conv.weight_shape[1:]) + 1) * np.finfo(np.float32).eps * magnitude
    for splits in (1, 3):
        assert (np.abs(run_float(kind, pack, conv, operands, isa, splits) - expected) <= bound).all()


POINTWISE_CASES = [
    Conv(in_channels=19, out_channels=height + 3, height=height, width=width, batch=2, **POINTWISE)
    for height, width in ((7, 7), (14, 14), (3, 6), (5, 10), (9, 11), (16, 16), (74, 1))
] + [Conv(in_channels=96, out_channels=9, height=31, width=60, **POINTWISE)]


def check_pointwise(kind: str, pack: Packer, conv: Conv, isa: str, gaps: tuple[int, int]) -> None:
    """Pixels beyond whole vectors, and row strides of x that are not those of y: gap columns of x and y."""
    x, w, bias = float_operands(conv)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    source, out, other = (TensorSpec("f32", True, rows, cols, 0) for rows, cols in ((0, gaps[0]), (1, gaps[1]), (0, gaps[1])))
    op = Operator(kind, [source, other], [out], conv.attrs | {"clamp_lo": -2.0}, [*pack(w), bias], isa)
    actual = op.run([x, residual], 3)[0]
    sums = run_float(kind, pack, conv, (x, w, bias), "scalar")
    np.testing.assert_array_equal(actual, np.maximum(sums + residual, np.float32(-2)))


def check_variants_agree(kind: str, pack: Packer, conv: Conv, isas: list[str], sparsity: float = 0.0) -> None:
    operands = float_operands(conv, sparsity)
    first, *others = [run_float(kind, pack, conv, operands, isa) for isa in isas]
    for other in others:
        np.testing.assert_array_equal(other, first)


def check_float_gates(kind: str, pack: Packer, conv: Conv, isa: str, **others: int) -> None:
    """What HardSwish and SiLU make of the results, a residual among them, in every split."""
    operands = float_operands(conv, 0.5)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    t = run_float(kind, pack, conv, operands, isa, residual=residual, **others)
    for attrs in ({"gate": 1, "gate_scale": 1 / 6, "gate_offset": 0.5}, {"gate": 2, "gate_scale": 1.3}):
        expected = gated(t, int(attrs["gate"]), attrs["gate_scale"], attrs.get("gate_offset", 0.0))
        for splits in (1, 3):
            actual = run_float(kind, pack, conv, operands, isa, splits, residual=residual, **others, **attrs)
            assert (np.abs(actual - expected) <= (0 if attrs["gate"] == 1 else 1.5e-7 * np.abs(t))).all()
        np.testing.assert_array_equal(actual, run_float(kind, pack, conv, operands, "scalar", residual=residual, **others, **attrs))


def check_float_residual(kind: str, pack: Packer, conv: Conv, isa: str) -> None:
    operands = float_operands(conv, 0.5)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    expected = np.clip(run_float(kind, pack, conv, operands, isa) + residual, np.float32(-0.25), np.float32(1.5))
    actual = run_float(kind, pack, conv, operands, isa, residual=residual, clamp_lo=-0.25, clamp_hi=1.5)
    np.testing.assert_array_equal(actual, expected)
