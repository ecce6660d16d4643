"""Layers whose weights were rounded, and where they are kept until a model is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .layers import per_output_row
from .reconstruct.solved import KeptArrays


@dataclass
class RoundedLayer:
    """integers s8 [out, in / group, *kernel], scale f32 [out] (one value for all, or for each output channel), bias f32 [out] or None."""

    integers: np.ndarray
    scale: np.ndarray
    bias: np.ndarray | None
    facts: dict[str, float | None] = field(default_factory=dict)

    @property
    def weight(self) -> np.ndarray:
        """f32, as the dequantised integers are."""
        return self.integers * per_output_row(self.scale, self.integers)


class RoundedLayers:
    """Rounded layers by number, below `folder`, for one `key`: all that they depend on."""

    def __init__(self, folder: Path, key: str) -> None:
        self._kept = KeptArrays(folder / "rounded", key)

    def get(self, index: int) -> RoundedLayer | None:
        """Layer `index`, or None where it is not there or cannot be read."""
        values = self._kept.get(index)
        if values is None:
            return None
        integers, scale, bias = values.pop("integers"), values.pop("scale"), values.pop("bias", None)
        return RoundedLayer(integers, scale, bias, {name: float(value) for name, value in values.items()})

    def put(self, index: int, rounded: RoundedLayer) -> None:
        """Facts are numbers."""
        bias = {} if rounded.bias is None else {"bias": rounded.bias}
        facts = {name: np.asarray(value, np.float64) for name, value in rounded.facts.items()}
        self._kept.put(index, {"integers": rounded.integers, "scale": rounded.scale, **bias, **facts})
