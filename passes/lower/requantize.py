"""The numbers of quantised operators: scales, offsets, clamps and tables, computed in double and rounded to float once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .draft import Weights


@dataclass(frozen=True)
class Quantization:
    """real = (u8 - zero_point) * scale."""

    scale: float
    zero_point: int

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """ONNX's QuantizeLinear of float32 to u8."""
        with np.errstate(invalid="ignore"):
            q = np.rint(x.astype(np.float32) / np.float32(self.scale)) + np.float32(self.zero_point)
        return np.clip(np.nan_to_num(q, nan=0.0), 0, 255).astype(np.uint8)

    def dequantize(self, q: np.ndarray) -> np.ndarray:
        """ONNX's DequantizeLinear."""
        return (q.astype(np.int32) - self.zero_point).astype(np.float32) * np.float32(self.scale)

    def clamps(self, lo: float, hi: float) -> tuple[float, float]:
        """The range [lo, hi] of real values as a range of u8."""
        return tuple(float(v) for v in self.quantize(np.array([lo, hi], np.float32)))  # type: ignore[return-value]


@dataclass(frozen=True)
class Requantization:
    """init s32, scale f32 and offset f32, one per output channel, of `conv_u8s8` and `gemm_u8s8`."""

    init: np.ndarray
    scale: np.ndarray
    offset: np.ndarray

    def consts(self) -> list[np.ndarray]:
        return [self.init, self.scale, self.offset]


def requantization(weights: Weights, x: Quantization, y: Quantization | None) -> Requantization | str:
    """For quantised `weights` over an input quantised as `x`; y: None for a float output. A string says why there is none.

    An integer bias joins the sum where its scale is that of the products; any other bias goes into the offset.
    """
    assert weights.scales is not None
    product_scales = np.float64(np.float32(x.scale)) * weights.scales.astype(np.float64)
    out = 1.0 if y is None else np.float64(np.float32(y.scale))
    sums = weights.values.reshape(len(weights.values), -1).sum(axis=1, dtype=np.int64)
    init, offset = -x.zero_point * sums, np.full(len(sums), 0.0 if y is None else y.zero_point)
    bias, bias_scales = weights.bias_integers, weights.bias_scales
    if bias is not None and bias_scales is not None and np.allclose(bias_scales, product_scales, rtol=1e-5, atol=0):
        init = init + bias
    else:
        offset = offset + weights.bias.astype(np.float64) / out
    magnitude = np.abs(init) + 255 * np.abs(weights.values.reshape(len(sums), -1)).sum(axis=1, dtype=np.int64)
    if magnitude.max(initial=0) > np.iinfo(np.int32).max:
        return "sums can overflow 32 bits"
    scale = (product_scales / out).astype(np.float32)
    return Requantization(init.astype(np.int32), scale, offset.astype(np.float32))


def add_attrs(a: Quantization, b: Quantization, y: Quantization) -> dict[str, float]:
    """scale_a, scale_b and offset of `add_u8`."""
    sa, sb, sy = (np.float64(np.float32(q.scale)) for q in (a, b, y))
    offset = y.zero_point - a.zero_point * (sa / sy) - b.zero_point * (sb / sy)
    return {"scale_a": float(np.float32(sa / sy)), "scale_b": float(np.float32(sb / sy)), "offset": float(np.float32(offset))}


def pool_attrs(x: Quantization, y: Quantization) -> dict[str, float]:
    """scale and offset of the averaging pools over u8."""
    return {"scale": float(np.float32(np.float64(np.float32(x.scale)) / np.float64(np.float32(y.scale)))), "offset": float(y.zero_point)}
