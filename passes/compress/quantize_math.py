"""Quantisation of arrays, as ONNX's QuantizeLinear defines it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layers import per_output_row

WEIGHT_MAX = 127
# Largest |bias| in steps of scale_x * scale_w: leaves as much room again in s32 for the products of 33,000 taps.
BIAS_MAX = 1 << 30
# Below it a scale would be subnormal, and its reciprocal infinite.
SCALE_MIN = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class QuantParams:
    """real = (integer - zero_point) * scale, integer in 0...255."""

    scale: np.float32
    zero_point: int


def activation_params(lo: float, hi: float) -> QuantParams:
    """u8 parameters for the range [lo, hi], widened to include 0, which is represented exactly."""
    lo, hi = min(lo, 0.0), max(hi, 0.0)
    scale = np.float32(max((hi - lo) / 255, SCALE_MIN)) if hi > lo else np.float32(1)
    return QuantParams(scale, int(np.clip(np.rint(-lo / np.float64(scale)), 0, 255)))


def quantize(x: np.ndarray, scale: np.ndarray | np.float32, zero_point: int, lo: int, hi: int) -> np.ndarray:
    """clamp(rint(x / scale) + zero_point, lo, hi), division in f32, ties to even; int64."""
    return np.clip(np.rint(x / scale).astype(np.int64) + zero_point, lo, hi)


def fake_quantize(x: np.ndarray, params: QuantParams) -> np.ndarray:
    """f32 values as they are behind QuantizeLinear and DequantizeLinear."""
    integers = np.clip(np.rint(x / params.scale) + np.float32(params.zero_point), 0, 255) - np.float32(params.zero_point)
    return (integers * params.scale).astype(np.float32)


def weight_scales(
    weight: np.ndarray, bias: np.ndarray | None, input_scale: np.float32, limit: int = WEIGHT_MAX, per_channel: bool = True
) -> np.ndarray:
    """f32 [out]: max |w| / limit of each output channel, raised where the bias would not fit in s32. `weight` is [out, ...].

    Not `per_channel`: the greatest of them for all.
    """
    peak = np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1).astype(np.float64)
    scale = peak / limit
    scale[peak == 0] = scale.max() if peak.any() else 1.0
    if bias is not None:
        scale = np.maximum(scale, np.abs(bias.astype(np.float64)) / (np.float64(input_scale) * BIAS_MAX))
    if not per_channel:
        scale = np.full_like(scale, scale.max())
    return np.maximum(scale, SCALE_MIN).astype(np.float32)


def quantize_weight(weight: np.ndarray, scale: np.ndarray, limit: int = WEIGHT_MAX) -> np.ndarray:
    """s8 in ±limit, same shape; zeros stay zeros."""
    return quantize(weight, per_output_row(scale, weight), 0, -limit, limit).astype(np.int8)


def quantize_bias(bias: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """s32 [out] in steps of `scale` f32 [out], rounded to nearest in double precision."""
    return np.rint(bias.astype(np.float64) / scale.astype(np.float64)).astype(np.int32)


def bias_shift(error: np.ndarray, mean: np.ndarray, group: int) -> np.ndarray:
    """f64 [out]: what a weight error [out, in / group, *kernel] adds to each output on average, where input channel c is mean[c] [in].

    Exact but for the borders, where padding shows a convolution zeros.
    """
    per_channel = error.reshape(*error.shape[:2], -1).sum(axis=2, dtype=np.float64)
    return np.einsum("goi,gi->go", per_channel.reshape(group, -1, error.shape[1]), mean.reshape(group, -1)).reshape(-1)
