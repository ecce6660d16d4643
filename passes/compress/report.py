"""The report on a compression: per layer what was done, what was left and why, and what it cost and gained."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...graph import write_atomically

FORMAT_VERSION = 1


@dataclass
class LayerReport:
    """One layer with weights of the original model.

    techniques: technique -> facts, or {"refused": reason}. Sizes and multiplications (per sample) count all layers that it became; None
    where they are not known. output_sqnr_db: of the layer's output before its activation, against the original network's on the same data.
    """

    name: str
    op: str
    weight_shape: list[int]
    techniques: dict[str, dict[str, Any]] = field(default_factory=dict)
    weight_sqnr_db: float | None = None
    output_sqnr_db: float | None = None
    sparsity_before: float = 0.0
    sparsity: float = 0.0
    parameters_before: int = 0
    parameters: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    macs_before: int | None = None
    macs: int | None = None
    macs_nonzero: int | None = None


@dataclass
class CompressionReport:
    """Layers in the order of the original model; then nodes without weights that stay in f32 although int8 was asked for, with the
    reason; graph outputs with their SQNR; totals; passes with what they changed and the seconds they took; warnings: what a user
    should know about the calibration data; allocation: how sparsities were given to layers, None where the recipe says them."""

    layers: list[LayerReport] = field(default_factory=list)
    nodes: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, float | None] = field(default_factory=dict)
    samples_measured: int = 0
    passes: list[dict[str, Any]] = field(default_factory=list)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    allocation: dict[str, Any] | None = None

    def layer(self, name: str) -> LayerReport:
        """The layer of that name; KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def totals(self) -> dict[str, int | float | None]:
        """Sums over the layers, and the fraction of zeros among their weights."""
        sums: dict[str, int | float | None] = {}
        for key in ("parameters_before", "parameters", "bytes_before", "bytes_after", "macs_before", "macs", "macs_nonzero"):
            values = [getattr(layer, key) for layer in self.layers]
            sums[key] = None if None in values else sum(values)
        zeros = sum(layer.sparsity * layer.parameters for layer in self.layers)
        sums["sparsity"] = zeros / max(sum(layer.parameters for layer in self.layers), 1)
        return sums

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {"format": "honed-report", "version": FORMAT_VERSION, "totals": self.totals(), **asdict(self)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes JSON; `path` is the old file or the whole new one."""
        write_atomically(path, (json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n").encode())
