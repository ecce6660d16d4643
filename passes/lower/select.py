"""Selection: for each convolution and matrix product the kernels that could run it, what each would cost, and the fastest.

Costs are estimated cycles of one core, from the loops of the kernels: how many dot products or multiply-adds over a vector of pixels
they issue, what each costs, and what it costs to store a result. The constants were measured with AVX-512-VNNI (python -m honed.bench);
with narrower vectors both sides of a comparison grow alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from ...kernels.packing import (
    pack_conv_f32,
    pack_conv_u8s8,
    pack_conv_winograd_f32,
    pack_depthwise_f32,
    pack_depthwise_u8s8,
    pack_gemm_f32,
    pack_gemm_u8s8,
    pack_sparse_conv_f32,
    pack_sparse_conv_u8s8,
    pack_sparse_gemm_f32,
    pack_sparse_gemm_u8s8,
)
from .winograd_costs import TYPICAL_SIZE, WINOGRAD, winograd_cycles, winograd_refusal

TYPICAL_PIXELS = 28 * 29
"""Pixels of a plane, gaps included, where the size is not known before run time."""
SPARSE_FROM = 0.2
"""Share of zeros from which the sparse form is worth packing to look at."""


@dataclass(frozen=True)
class ConvCosts:
    """Cycles per word of 64 flat pixels.

    dense: per output channel, tap and step (a quad of u8 channels, one f32 channel). step: of a list of 1, 2 or 4 output channels.
    list_pass: per list and pass, in which it takes pass_words words (by its size). depthwise: per output channel and
    piece of its taps: up to four neighbours of a row for u8, one tap for f32.
    *_output: per output channel. depthwise_plane: per output channel, however many words it has.
    """

    dense: float
    dense_output: float
    step: tuple[float, float, float]
    list_pass: float
    pass_words: tuple[int, int, int]
    list_output: float
    depthwise: float
    depthwise_output: float
    depthwise_plane: float


INT8 = ConvCosts(4.25, 19.0, (8.7, 10.4, 16.3), 30.0, (2, 2, 1), 15.0, 9.3, 12.0, 33.0)
F32 = ConvCosts(4.05, 26.0, (8.35, 12.8, 16.1), 26.0, (2, 2, 1), 15.5, 6.2, 26.0, 20.0)
_SIZES = (1, 2, 4)


@dataclass
class Candidate:
    """A way to run a layer. cycles: None where it was not estimated; pack: makes the packed weights; attrs: what the operator needs
    beside those of the layer."""

    kernel: str
    cycles: float | None
    reason: str
    pack: Callable[[], list[np.ndarray]] | None = None
    attrs: dict[str, int] = field(default_factory=dict)

    @cached_property
    def consts(self) -> list[np.ndarray] | None:
        """The packed weights, made when they are first asked for; None where the layer does not fit the kernel."""
        return None if self.pack is None else self.pack()

    def describe(self) -> dict[str, object]:
        return {"kernel": self.kernel, "cycles": None if self.cycles is None else round(self.cycles), "reason": self.reason}


# What a convolution does with its sums.
EPILOGUE = {"clamp_lo", "clamp_hi", "zero_point", "sum_lo", "sum_hi", "sum_scale", "sum_offset", "residual_scale", "residual_first"}


@dataclass
class Choice:
    """The kernel that is taken, its packed weights, and the candidates that were not, with reasons."""

    kernel: str
    consts: list[np.ndarray]
    chosen: Candidate
    others: list[Candidate]


def select_conv(
    weights: np.ndarray, attrs: dict[str, int | float], pixels: int | None, size: tuple[int, int] | None = None
) -> Choice:
    """weights [OC, IC/group, KH, KW], f32 or integers; attrs of the convolution; pixels of an output plane, gaps included; its height
    and width. None where they are known at run time only."""
    int8 = weights.dtype != np.float32
    costs, suffix = (INT8, "u8s8") if int8 else (F32, "f32")
    pixels = pixels or TYPICAL_PIXELS
    words = -(-pixels // 64)
    conv = {name: int(value) for name, value in attrs.items() if name not in EPILOGUE}
    candidates = [
        _dense(weights, conv, costs, suffix, -(-pixels // 16) / 4),
        _sparse(weights, conv, costs, suffix, words),
        _depthwise(weights, conv, costs, suffix, words),
    ]
    if not int8:
        candidates += [_winograd(weights, conv, size or TYPICAL_SIZE, tile) for tile in WINOGRAD]
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
    return Candidate(kernel, cycles, "", partial(pack, weights, **conv))


def _sparse(weights: np.ndarray, conv: dict[str, int], costs: ConvCosts, suffix: str, words: int) -> Candidate:
    kernel = f"sparse_conv_{suffix}"
    zeros = 1.0 - np.count_nonzero(weights) / max(weights.size, 1)
    few_channels = weights.shape[1] % 4 != 0 and suffix == "u8s8"
    if zeros < SPARSE_FROM and _fits_s8(weights) and not few_channels:
        return Candidate(kernel, None, f"{zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}")
    pack = pack_sparse_conv_u8s8 if suffix == "u8s8" else pack_sparse_conv_f32
    consts = pack(weights, group=conv.get("group", 1), streams=2 if words > 1 else 4)
    lists = consts[0].astype(np.int64)
    sizes, steps = lists[:, 4] // lists[:, 5], lists[:, 7] - lists[:, 6]
    cycles = float(words * weights.shape[0] * costs.list_output)
    for size, step, pass_words in zip(_SIZES, costs.step, costs.pass_words, strict=True):
        of_size = steps[sizes == size]
        cycles += words * step * float(of_size.sum()) + -(-words // pass_words) * costs.list_pass * len(of_size)
    counts = ", ".join(f"{int((sizes == s).sum())} of {s}" for s in _SIZES if (sizes == s).any())
    return Candidate(kernel, cycles, f"{zeros:.0%} zeros, lists {counts}", lambda: consts)


def _depthwise(weights: np.ndarray, conv: dict[str, int], costs: ConvCosts, suffix: str, words: int) -> Candidate:
    kernel = f"depthwise_{suffix}"
    if conv.get("group", 1) != conv["in_channels"]:
        return Candidate(kernel, None, f"{weights.shape[1]} input channels per output channel, expected 1")
    if conv["in_channels"] == 1:
        return Candidate(kernel, None, "one input channel in all")
    if not _fits_s8(weights):
        return Candidate(kernel, None, f"integer weights reach {np.abs(weights).max()}, expected -128 to 127")
    of_word = _pieces(conv, suffix) * costs.depthwise + costs.depthwise_output
    cycles = weights.shape[0] * (words * of_word + costs.depthwise_plane)
    pack = pack_depthwise_u8s8 if suffix == "u8s8" else pack_depthwise_f32
    return Candidate(kernel, cycles, "", partial(pack, weights, **conv))


def _winograd(weights: np.ndarray, conv: dict[str, int], size: tuple[int, int], tile: int) -> Candidate:
    kernel, group = "conv_winograd_f32", conv.get("group", 1)
    refusal = winograd_refusal(weights.shape[2:], conv)
    if refusal is not None:
        return Candidate(kernel, None, refusal)
    cycles = winograd_cycles(weights.shape[0], weights.shape[1], group, size, tile)
    pack = partial(pack_conv_winograd_f32, weights, tile=tile, group=group)
    return Candidate(kernel, cycles, f"F({tile}x{tile}, 3x3)", pack, {"tile": tile})


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


def _pieces(conv: dict[str, int], suffix: str) -> int:
    """What the depthwise kernels cut the taps of a channel into: kernels/depthwise_u8s8/operator.c, cut_segments."""
    kernel_h, kernel_w = conv["kernel_h"], conv["kernel_w"]
    if suffix == "f32" or conv.get("dilation_w", 1) != 1:
        return kernel_h * kernel_w
    return kernel_h * sum(kx // conv.get("stride_w", 1) % 4 == 0 for kx in range(kernel_w))


def select_gemm(weights: np.ndarray, rows: int | None) -> Choice:
    """weights [N, K], f32 or integers; rows of x, None where they are known at run time only (taken to be 1)."""
    int8 = weights.dtype != np.float32
    suffix, costs = ("u8s8", GEMM_INT8) if int8 else ("f32", GEMM_F32)
    rows = 1 if rows is None else max(rows, 1)
    entries, zeros = int(np.count_nonzero(weights)), 1.0 - np.count_nonzero(weights) / max(weights.size, 1)
    few = rows <= FEW_ROWS
    dense = Candidate(f"gemm_{suffix}", 0.0, "", partial(pack_gemm_u8s8 if int8 else pack_gemm_f32, weights))
    dense.cycles = _product_cycles(weights.size, costs.dense[0 if few else 1], rows, dense.consts or [])
    sparse = Candidate(f"sparse_gemm_{suffix}", None, f"{zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}")
    if zeros >= SPARSE_FROM:
        sparse.pack, sparse.reason = partial(pack_sparse_gemm_u8s8 if int8 else pack_sparse_gemm_f32, weights), f"{zeros:.0%} zeros"
        sparse.cycles = _product_cycles(entries, costs.sparse[0 if few else 1], rows, sparse.consts or [])
    return _fastest([dense, sparse])


def _product_cycles(weights: int, each: float, rows: int, consts: list[np.ndarray]) -> float:
    packed = sum(c.nbytes for c in consts)
    return rows * weights * each + (packed * STREAMED if packed > CACHE_BYTES else 0.0)
