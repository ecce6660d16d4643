"""What a Winograd convolution (kernels/conv_winograd_f32) costs, in estimated cycles of one core."""

from __future__ import annotations

from dataclasses import dataclass

TYPICAL_SIZE = (28, 28)
"""Height and width of a plane where they are not known before run time."""
LANES = 16
ROWS = 16
"""Tiles of a vector; output channels are computed so many at a time."""


@dataclass(frozen=True)
class WinogradCosts:
    """Cycles per vector of tiles: of the products, per point, input and output channel; of the transforms, per channel."""

    product: float
    transform_in: float
    transform_out: float


WINOGRAD = {2: WinogradCosts(1.05, 180.0, 190.0), 4: WinogradCosts(1.05, 420.0, 530.0)}
"""By the outputs along one side of a tile, m of F(m x m, 3 x 3)."""


def winograd_refusal(kernel: tuple[int, ...], conv: dict[str, int]) -> str | None:
    """Why a convolution has no Winograd form; None where it has one."""
    plain = all(conv.get(f"{name}_{axis}", 1) == 1 for name in ("stride", "dilation") for axis in "hw")
    return None if kernel == (3, 3) and plain else "expected a 3x3 kernel of stride 1 and dilation 1"


def winograd_cycles(out_channels: int, per_group: int, group: int, size: tuple[int, int], tile: int) -> float:
    """`size`: height and width of an output plane."""
    costs, points = WINOGRAD[tile], (tile + 2) ** 2
    rows = -(-(out_channels // group) // ROWS) * ROWS * group
    tiles = -(-size[0] // tile) * -(-size[1] // tile)
    transforms = per_group * group * costs.transform_in + out_channels * costs.transform_out
    return -(-tiles // LANES) * (points * rows * per_group * costs.product + transforms)
