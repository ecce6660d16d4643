"""Convolutions of given shapes with random weights: what kernels are measured on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..passes.lower.families import CONVOLUTIONS, ConvLayer, Family
from ..passes.lower.loose import needs_columns
from .shapes import Layer

PATTERNS = {"1x1": 1, "2x1": 2, "4x1": 4}
ZERO_POINT = 7


def draw_weights(shape: tuple[int, ...], sparsity: float, pattern: str, int8: bool, rng: np.random.Generator) -> np.ndarray:
    """Random weights with that share of zeros, in blocks of output channels as the pattern says; the others normally distributed, in int8
    with 127 at 3.5 standard deviations."""
    block = PATTERNS[pattern]
    rows = -(-shape[0] // block)
    keep = rng.random((rows, *shape[1:])) >= sparsity
    keep = np.repeat(keep, block, axis=0)[: shape[0]]
    weights = rng.standard_normal(shape)
    if int8:
        return np.where(weights < 0, -1, 1) * np.clip(np.rint(np.abs(weights) * 127 / 3.5), 1, 127).astype(np.int64) * keep
    return (weights * keep).astype(np.float32)


def attributes(layer: Layer) -> dict[str, int]:
    """Of the runtime's operator: a strided convolution has its padding in the phases."""
    pad = 0 if layer.stride > 1 else layer.pad
    sides = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), pad)
    square = {f"{name}_{axis}": value for name, value in (("kernel", layer.kernel), ("stride", layer.stride)) for axis in "hw"}
    return {"in_channels": layer.in_channels, "out_channels": layer.out_channels, "group": layer.group, **square, **sides}


@dataclass(frozen=True)
class Sample:
    """A layer with weights."""

    layer: Layer
    weights: np.ndarray
    scale: float = 1.0

    @property
    def int8(self) -> bool:
        return self.weights.dtype != np.float32

    @property
    def gap_rows(self) -> int:
        """Of the input."""
        return self.layer.pad if self.layer.stride == 1 else 0

    @property
    def gap_cols(self) -> tuple[int, int]:
        """Of input and output, which have one row stride, for any kernel."""
        return self.gaps_for(None)

    def gaps_for(self, family: Family | None) -> tuple[int, int]:
        """The same as lowering has it for a family."""
        layer = self.layer
        if layer.stride > 1:
            return 0, (layer.kernel - 1) // layer.stride
        grown = layer.out_size - layer.size
        pad = layer.pad if family is None or needs_columns(family.name, "u8" if self.int8 else "f32") else 0
        return max(pad, grown), max(pad, grown) - grown

    def conv_layer(self, residual: bool = False, gate: int = 0, family: Family | None = None) -> ConvLayer:
        """As selection sees it, with gaps for the family."""
        size = self.layer.out_size
        pixels = (size - 1) * (size + self.gaps_for(family)[1]) + size
        return ConvLayer(self.weights, attributes(self.layer), pixels, (size, size), residual, gate)

    @cached_property
    def families(self) -> list[Family]:
        """Those that can run it, the dense one first if it is among them."""
        layer = self.conv_layer()
        return [family for family in CONVOLUTIONS["u8s8" if self.int8 else "bf16"] if family.refuse(layer) is None]

    def constants(self) -> list[np.ndarray]:
        """Those that follow the packed weights."""
        channels = self.layer.out_channels
        if not self.int8:
            return [np.zeros(channels, np.float32)]
        sums = self.weights.reshape(channels, -1).sum(axis=1)
        scales = np.full(channels, np.float32(self.scale))
        return [(-ZERO_POINT * sums).astype(np.int32), scales, np.full(channels, np.float32(ZERO_POINT))]
