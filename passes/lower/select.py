"""Selection: for each convolution and matrix product the kernels that could run it, what time each would take, and the fastest.

Times are estimated from costs that were measured (`costs`): those of this machine, of another one, or those that come with the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .costs import Costs
from .families import CONVOLUTIONS, PRODUCTS, Consts, ConvLayer, Family, GemmLayer, Layer, Packed, Precision
from .program import Value

TYPICAL_SIZE = (28, 28)
"""Height and width of a plane where they are not known before run time."""
EPILOGUE = {"clamp_lo", "clamp_hi", "zero_point", "sum_lo", "sum_hi", "sum_scale", "sum_offset", "residual_scale", "residual_first",
            "gate", "gate_scale", "gate_offset"}  # fmt: skip
"""Attributes that say what a convolution or a product does with its sums."""


@dataclass
class Candidate:
    """A way to run a layer. us: estimated time, or None; packed: the weights, None where the layer does not fit the kernel;
    attrs: what the operator needs beside those of the layer; work: what the time was estimated from; bar: Family.bar."""

    kernel: str
    us: float | None
    reason: str
    packed: Packed | None = None
    attrs: Mapping[str, int] = field(default_factory=dict)
    work: dict[str, float] | None = None
    bar: float = 1.0

    @property
    def rank(self) -> float:
        """Estimated microseconds by which it is compared; a form of which nothing is known comes last."""
        return float("inf") if self.us is None else self.us / self.bar

    def describe(self) -> dict[str, object]:
        return {"kernel": self.kernel, "us": None if self.us is None else float(f"{self.us:.4g}"), "reason": self.reason}


@dataclass
class Choice:
    """The candidate that is taken, and those that were not, with reasons."""

    chosen: Candidate
    others: list[Candidate]

    @property
    def kernel(self) -> str:
        return self.chosen.kernel

    @property
    def pixels_per_product(self) -> int:
        assert self.chosen.packed is not None
        return self.chosen.packed.family.pixels_per_product

    @property
    def consts(self) -> Consts:
        """The packed weights."""
        assert self.chosen.packed is not None
        return self.chosen.packed.consts


def plane_size(value: Value) -> tuple[int, int] | None:
    """Height and width of a plane; None where they are known at run time only."""
    height, width = value.shape[2:] if value.shape is not None and len(value.shape) == 4 else (None, None)
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def select_conv(
    weights: np.ndarray,
    attrs: Mapping[str, int | float],
    size: tuple[int, int] | None,
    costs: Costs,
    *,
    gap: int = 1,
    residual: bool = False,
    precision: Precision = "f32",
) -> Choice:
    """weights [OC, IC/group, KH, KW], f32 or integers; attrs of the convolution; height and width of an output plane, None where they are
    known at run time only, and the gap between its rows. residual: whether another tensor is added to the output.
    precision: in which products of f32 may be computed."""
    conv = {name: int(value) for name, value in attrs.items() if name not in EPILOGUE}
    height, width = size or TYPICAL_SIZE
    layer = ConvLayer(weights, conv, (height - 1) * (width + gap) + width, (height, width), residual, int(attrs.get("gate", 0)))
    return _fastest([_candidate(family, layer, costs) for family in CONVOLUTIONS["u8s8" if layer.int8 else precision]])


def select_gemm(weights: np.ndarray, rows: int | None, costs: Costs, *, precision: Precision = "f32") -> Choice:
    """weights [N, K], f32 or integers; rows of x, None where they are known at run time only (taken to be 1). precision: as above."""
    layer = GemmLayer(weights, max(rows or 1, 1))
    return _fastest([_candidate(family, layer, costs) for family in PRODUCTS["u8s8" if layer.int8 else precision]])


def _candidate(family: Family, layer: Layer, costs: Costs) -> Candidate:
    refusal = family.refuse(layer)
    if refusal is not None:
        return Candidate(family.name, None, refusal)
    packed = Packed(family, layer)
    work = family.work(layer, packed)
    us, note = costs.estimate_us(family.key_of_form(layer, packed), work), family.note(layer, packed)
    us = costs.estimate_us(family.key, work) if us is None else us
    return Candidate(family.name, us, note, packed, family.attrs, work, family.bar)


def _fastest(candidates: list[Candidate]) -> Choice:
    possible = [c for c in candidates if c.packed is not None]
    best = min(possible, key=lambda c: c.rank)
    for other in possible:
        if other is not best and other.packed is not None:
            other.packed.forget()
        if other is not best and other.us is not None and best.us is not None:
            slower = f"estimated {other.us / max(best.us, 1e-3):.2f} times the time"
            other.reason = f"{other.reason}, {slower}" if other.reason else slower
    return Choice(best, [c for c in candidates if c is not best])
