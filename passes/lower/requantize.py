"""The numbers of quantised operators: scales, offsets, clamps and tables.

Scales are computed in float, operation by operation, as ONNX Runtime's QLinearConv, QGemm, QLinearAdd and QLinearGlobalAveragePool do
it on x86: the results are then the same to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .draft import DraftOp, Weights
from .functions import UNARY


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
    """init s32, scale f32 and offset f32, one per output channel, of `conv_u8s8` and `gemm_u8s8`, and their output's zero point."""

    init: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    zero_point: int

    def consts(self) -> list[np.ndarray]:
        return [self.init, self.scale, self.offset]


def requantization(weights: Weights, x: Quantization, y: Quantization | None) -> Requantization | str:
    """For quantised `weights` over an input quantised as `x`; y: None for a float output. A string says why there is none.

    An integer bias joins the sum where its scale is that of the products; any other bias goes into the offset.
    """
    assert weights.scales is not None
    product_scales = np.float32(x.scale) * weights.scales.astype(np.float32)
    out = np.float32(1.0 if y is None else y.scale)
    sums = weights.values.reshape(len(weights.values), -1).sum(axis=1, dtype=np.int64)
    init, offset = -x.zero_point * sums, np.zeros(len(sums))
    bias, bias_scales = weights.bias_integers, weights.bias_scales
    if bias is not None and bias_scales is not None and np.allclose(bias_scales, product_scales, rtol=1e-5, atol=0):
        init = init + bias
    else:
        offset = weights.bias.astype(np.float64) / out
    magnitudes = 2 * np.maximum(weights.values, 0).reshape(len(sums), -1).sum(axis=1, dtype=np.int64) - sums
    magnitude = np.abs(init) + 255 * magnitudes
    if magnitude.max(initial=0) > np.iinfo(np.int32).max:
        return "sums can overflow 32 bits"
    zero_point = 0 if y is None else y.zero_point
    return Requantization(init.astype(np.int32), product_scales / out, offset.astype(np.float32), zero_point)


GATES = {UNARY["hard_swish"].code: 1, UNARY["silu"].code: 2}
"""Codes of activations that multiply their argument with a gate: unary/functions.inc -> conv/gate.h."""


def is_gate(op: DraftOp) -> bool:
    """Whether an operator is an activation that a convolution or product can have: kernels take no negative slopes."""
    return op.type == "unary_f32" and op.attrs["op"] in GATES and op.attrs.get("alpha", 1.0) >= 0.0


def gate_attrs(activation: DraftOp, y: Quantization | None) -> dict[str, float | int]:
    """gate, gate_scale and gate_offset of an operator whose results `activation` has behind it; y: what they are quantised to."""
    kind = GATES[int(activation.attrs["op"])]
    slope = np.float32(1 / 6) if kind == 1 else np.float32(activation.attrs.get("alpha", 1.0))
    scale = slope if y is None else slope * np.float32(y.scale)
    return {"gate": kind, "gate_scale": float(scale), "gate_offset": 0.5 if kind == 1 else 0.0}


def add_attrs(a: Quantization, b: Quantization, y: Quantization) -> dict[str, float]:
    """scale_a, scale_b and offset of `add_u8`."""
    scale_a, scale_b = np.float32(a.scale) / np.float32(y.scale), np.float32(b.scale) / np.float32(y.scale)
    # fma(scale_a, zero_a, scale_b * zero_b): the products are exact in double.
    zeros = np.float32(np.float64(scale_a) * a.zero_point + np.float64(scale_b * np.float32(b.zero_point)))
    return {"scale_a": float(scale_a), "scale_b": float(scale_b), "offset": float(np.float32(y.zero_point) - zeros)}


def scale_attrs(a: Quantization, y: Quantization) -> dict[str, float | int]:
    """scale, zero_point and output_zero_point of `scale_u8`."""
    scale = float(np.float32(a.scale) / np.float32(y.scale))
    return {"scale": scale, "zero_point": a.zero_point, "output_zero_point": y.zero_point}


def pool_attrs(x: Quantization, y: Quantization) -> dict[str, float]:
    """scale and offset of `average_pool` over u8."""
    return {"scale": float(np.float32(x.scale) / np.float32(y.scale)), "offset": float(y.zero_point)}


def global_pool_attrs(x: Quantization, y: Quantization) -> dict[str, float | int]:
    """input_scale, output_scale and zero_point of `global_average_pool` over u8."""
    return {"input_scale": float(np.float32(x.scale)), "output_scale": float(np.float32(y.scale)), "zero_point": y.zero_point}
