"""Selection: for each convolution and matrix product the kernels that could run it, what each would cost, and the fastest.

Costs are estimated cycles of one core, from the loops of the kernels: how many dot products or multiply-adds over a vector of pixels
they issue, what each costs, and what it costs to store a result. The constants were measured with AVX-512-VNNI (python -m honed.bench);
with narrower vectors both sides of a comparison grow alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.packing import (
    pack_conv_f32,
    pack_conv_u8s8,
    pack_depthwise_f32,
    pack_depthwise_u8s8,
    pack_gemm_f32,
    pack_gemm_u8s8,
    pack_sparse_conv_f32,
    pack_sparse_conv_u8s8,
    pack_sparse_gemm_f32,
    pack_sparse_gemm_u8s8,
)

TYPICAL_PIXELS = 28 * 29
"""Pixels of a plane, gaps included, where the size is not known before run time."""
SPARSE_FROM = 0.2
"""Share of zeros from which the sparse form is worth packing to look at."""


@dataclass(frozen=True)
class ConvCosts:
    """Cycles per word of 64 flat pixels."""

    dense: float
    """per output channel, tap and step (a quad of u8 channels, one f32 channel)"""
    dense_output: float
    """per output channel"""
    step: tuple[float, float, float]
    """of a list of 1, 2 or 4 output channels"""
    list_output: float
    """per output channel of a list"""
    depthwise: float
    """per output channel and tap"""


INT8 = ConvCosts(dense=4.5, dense_output=20.0, step=(11.0, 11.8, 16.7), list_output=13.0, depthwise=3.4)
F32 = ConvCosts(dense=4.3, dense_output=28.0, step=(9.0, 12.9, 16.5), list_output=26.0, depthwise=7.0)


@dataclass
class Candidate:
    """A way to run a layer. cycles: None where it was not estimated; consts: packed weights, for the one that is taken."""

    kernel: str
    cycles: float | None
    reason: str
    consts: list[np.ndarray] | None = None

    def describe(self) -> dict[str, object]:
        return {"kernel": self.kernel, "cycles": None if self.cycles is None else round(self.cycles), "reason": self.reason}


@dataclass
class Choice:
    """The kernel that is taken, its packed weights, and the candidates that were not, with reasons."""

    kernel: str
    consts: list[np.ndarray]
    chosen: Candidate
    others: list[Candidate]


def select_conv(weights: np.ndarray, attrs: dict[str, int | float], pixels: int | None) -> Choice:
    """weights [OC, IC/group, KH, KW], f32 or integers; attrs of the convolution; pixels of an output plane, gaps included."""
    int8 = weights.dtype != np.float32
    costs, suffix = (INT8, "u8s8") if int8 else (F32, "f32")
    pixels = pixels or TYPICAL_PIXELS
    words = -(-pixels // 64)
    conv = {name: int(value) for name, value in attrs.items() if name not in ("clamp_lo", "clamp_hi") and not name.startswith("sum_")}
    candidates = [
        _dense(weights, conv, costs, suffix, -(-pixels // 16) / 4),
        _sparse(weights, conv, costs, suffix, words),
        _depthwise(weights, conv, costs, suffix, words),
    ]
    return _fastest(candidates)


def _fastest(candidates: list[Candidate]) -> Choice:
    possible = [c for c in candidates if c.cycles is not None]
    best = min(possible, key=lambda c: c.cycles or 0.0)
    assert best.consts is not None and best.cycles is not None
    for other in possible:
        if other is not best and other.cycles is not None:
            slower = f"estimated {other.cycles / max(best.cycles, 1.0):.2f} times the cycles"
            other.reason = f"{other.reason}, {slower}" if other.reason else slower
    return Choice(best.kernel, best.consts, best, [c for c in candidates if c is not best])


def _fits_s8(weights: np.ndarray) -> bool:
    return weights.dtype == np.float32 or (weights.min(initial=0) >= -128 and weights.max(initial=0) <= 127)


def _dense(weights: np.ndarray, conv: dict[str, int], costs: ConvCosts, suffix: str, words: float) -> Candidate:
    """The dense kernels stop at vectors of 16 pixels, not at words of 64."""
    kernel = f"conv_{suffix}"
    if not _fits_s8(weights):
        return Candidate(kernel, None, f"integer weights reach {np.abs(weights).max()}, expected -128 to 127")
    group = conv.get("group", 1)
    out_channels, per_group, kernel_h, kernel_w = weights.shape
    rows = -(-(out_channels // group) // 4) * 4 * group
    steps = -(-per_group // 4) if suffix == "u8s8" else per_group
    cycles = words * rows * (steps * kernel_h * kernel_w * costs.dense + costs.dense_output)
    pack = pack_conv_u8s8 if suffix == "u8s8" else pack_conv_f32
    return Candidate(kernel, cycles, "", pack(weights, **conv))


def _sparse(weights: np.ndarray, conv: dict[str, int], costs: ConvCosts, suffix: str, words: int) -> Candidate:
    kernel = f"sparse_conv_{suffix}"
    zeros = 1.0 - np.count_nonzero(weights) / max(weights.size, 1)
    few_channels = weights.shape[1] % 4 != 0 and suffix == "u8s8"
    if zeros < SPARSE_FROM and _fits_s8(weights) and not few_channels:
        return Candidate(kernel, None, f"{zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}")
    pack = pack_sparse_conv_u8s8 if suffix == "u8s8" else pack_sparse_conv_f32
    consts = pack(weights, group=conv.get("group", 1))
    lists = consts[0].astype(np.int64)
    sizes, steps = lists[:, 4], lists[:, 6] - lists[:, 5]
    per_step = np.array([0.0, costs.step[0], costs.step[1], 0.0, costs.step[2]])[sizes]
    cycles = words * (float((steps * per_step).sum()) + weights.shape[0] * costs.list_output)
    counts = ", ".join(f"{int((sizes == s).sum())} of {s}" for s in (1, 2, 4) if (sizes == s).any())
    return Candidate(kernel, cycles, f"{zeros:.0%} zeros, lists {counts}", consts)


def _depthwise(weights: np.ndarray, conv: dict[str, int], costs: ConvCosts, suffix: str, words: int) -> Candidate:
    kernel = f"depthwise_{suffix}"
    if conv.get("group", 1) != conv["in_channels"]:
        return Candidate(kernel, None, f"{weights.shape[1]} input channels per output channel, expected 1")
    if conv["in_channels"] == 1:
        return Candidate(kernel, None, "one input channel in all")
    if not _fits_s8(weights):
        return Candidate(kernel, None, f"integer weights reach {np.abs(weights).max()}, expected -128 to 127")
    cycles = words * weights.shape[0] * (weights.shape[2] * weights.shape[3] * costs.depthwise + costs.list_output)
    pack = pack_depthwise_u8s8 if suffix == "u8s8" else pack_depthwise_f32
    return Candidate(kernel, cycles, "", pack(weights, **conv))


@dataclass(frozen=True)
class GemmCosts:
    """Cycles per weight that is held and row of x: for a few rows, and for many."""

    dense: tuple[float, float]
    sparse: tuple[float, float]


GEMM_INT8 = GemmCosts(dense=(0.042, 0.017), sparse=(2.1, 0.85))
GEMM_F32 = GemmCosts(dense=(0.16, 0.07), sparse=(1.5, 0.22))
FEW_ROWS = 2
CACHE_BYTES = 8 << 20
STREAMED = 0.085
"""Cycles per byte of weights that do not fit in the cache."""


def select_gemm(weights: np.ndarray, rows: int | None) -> Choice:
    """weights [N, K], f32 or integers; rows of x, None where they are known at run time only (taken to be 1)."""
    int8 = weights.dtype != np.float32
    suffix, costs = ("u8s8", GEMM_INT8) if int8 else ("f32", GEMM_F32)
    rows = 1 if rows is None else max(rows, 1)
    entries, zeros = int(np.count_nonzero(weights)), 1.0 - np.count_nonzero(weights) / max(weights.size, 1)
    few = rows <= FEW_ROWS
    dense = Candidate(f"gemm_{suffix}", 0.0, "", (pack_gemm_u8s8 if int8 else pack_gemm_f32)(weights))
    dense.cycles = _product_cycles(weights.size, costs.dense[0 if few else 1], rows, dense.consts or [])
    sparse = Candidate(f"sparse_gemm_{suffix}", None, f"{zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}")
    if zeros >= SPARSE_FROM:
        sparse.consts, sparse.reason = (pack_sparse_gemm_u8s8 if int8 else pack_sparse_gemm_f32)(weights), f"{zeros:.0%} zeros"
        sparse.cycles = _product_cycles(entries, costs.sparse[0 if few else 1], rows, sparse.consts)
    return _fastest([dense, sparse])


def _product_cycles(weights: int, each: float, rows: int, consts: list[np.ndarray]) -> float:
    packed = sum(c.nbytes for c in consts)
    return rows * weights * each + (packed * STREAMED if packed > CACHE_BYTES else 0.0)
