"""Sizes that are known at run time only, as expressions: two dimensions with the same text are equal at run time."""

from __future__ import annotations

import re

from .program import Dim

_OFFSET = re.compile(r"^(.*[^-+])([+-]\d+)$")


def plus(dim: Dim, amount: int) -> Dim:
    """dim + amount."""
    if dim is None or amount == 0:
        return dim
    if isinstance(dim, int):
        return dim + amount
    match = _OFFSET.match(dim)
    if match and match[1].count("(") == match[1].count(")"):
        dim, amount = match[1], int(match[2]) + amount
    return dim if amount == 0 else f"{dim}{amount:+d}"


def divided(dim: Dim, divisor: int, ceil: bool = False) -> Dim:
    """⌊dim / divisor⌋, or ⌈dim / divisor⌉."""
    if dim is None or divisor == 1:
        return dim
    dim = plus(dim, divisor - 1) if ceil else dim
    return dim // divisor if isinstance(dim, int) else f"({dim})//{divisor}"


def times(dim: Dim, factor: int) -> Dim:
    """dim * factor."""
    if dim is None or factor == 1:
        return dim
    return dim * factor if isinstance(dim, int) else f"({dim})*{factor}"


def windowed(dim: Dim, kernel: int, stride: int, dilation: int, pads: int, ceil: bool = False) -> Dim:
    """What a convolution or pool makes of a dimension; `pads` at both ends together. With `ceil` the last window may hang over the end."""
    return plus(divided(plus(dim, pads - (kernel - 1) * dilation - 1), stride, ceil), 1)


def refine(given: tuple[Dim, ...] | None, computed: tuple[Dim, ...] | None) -> tuple[Dim, ...] | None:
    """What a model says of a shape and what follows from the operator: computed numbers, then the model's, then what else was computed."""
    if given is None or computed is None or len(given) != len(computed):
        return computed if given is None else given
    return tuple(g if c is None or (isinstance(g, int) and not isinstance(c, int)) else c for g, c in zip(given, computed, strict=True))


def broadcast(a: tuple[Dim, ...] | None, b: tuple[Dim, ...] | None) -> tuple[Dim, ...] | None:
    """The shape of an elementwise operator's output; a dimension that neither side settles is None."""
    if a is None or b is None:
        return None
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    return tuple(_broadcast_dim(x, y) for x, y in pairs)


def _broadcast_dim(x: Dim, y: Dim) -> Dim:
    if x == 1:
        return y
    if y == 1 or x == y or isinstance(x, int):
        return x
    return y if isinstance(y, int) else None
