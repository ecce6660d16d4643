"""What a recipe says of pruning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from .patterns import BLOCKS, Fraction, pattern_of
from .recipe_section import Section

BlockPattern = Literal["1x1", "2x1", "4x1"]
Special = Literal["first", "depthwise", "last"]
Sparsity = Annotated[float, Field(ge=0.0, lt=1.0)]


def _check_pattern(value: Any) -> Any:
    if isinstance(value, int):
        raise ValueError(f"expected text, found {value}: what YAML reads as a number has to be quoted, as '2:4'")
    return pattern_of(value).name if isinstance(value, str) else value


def _check_fraction(pattern: str | None, sparsity: float | None) -> None:
    found = None if pattern is None else pattern_of(pattern)
    if isinstance(found, Fraction) and sparsity is not None and abs(sparsity - found.sparsity) > 1e-9:
        raise ValueError(f"the pattern {pattern} is a sparsity of {found.sparsity:g}, found {sparsity:g}: leave one of them out")


PatternName = Annotated[str, BeforeValidator(_check_pattern)]
"""As `patterns.pattern_of` knows it."""


class PruneLayer(Section):
    """What differs for the layers that a selector matches. Left out: as in the section."""

    sparsity: Sparsity | None = None
    pattern: PatternName | None = None

    @model_validator(mode="after")
    def _fractions_are_sparsities(self) -> PruneLayer:
        _check_fraction(self.pattern, self.sparsity)
        return self


class Allocate(Section):
    """A pattern and a sparsity for each layer, by its measured time: the least loss at the time of the uniform allocation, or at `speedup`
    times the speed of the original model. patterns: to choose from. samples: half of about so many calibration samples decide, the
    others judge."""

    speedup: Annotated[float, Field(gt=1.0, lt=1e4)] | None = None
    patterns: Annotated[list[BlockPattern], Field(min_length=1)] = ["1x1", "2x1", "4x1"]
    samples: Annotated[int, Field(ge=16)] = 256


class Prune(Section):
    """Pruning by magnitude, or with reconstruction of every layer's output on `samples` calibration samples and
    `augment` variations of each. active_only: of the outputs that the activation behind a layer passes on. joint: in one pass with the
    rounding to outputs of `quantize`, on its samples. `masks` is a .npz file or a mapping, node name -> array of the weight's shape,
    nonzero where a weight stays."""

    method: Literal["magnitude", "reconstruct"] = "magnitude"
    sparsity: Sparsity | None = None
    scope: Literal["layer", "global"] = "layer"
    pattern: PatternName = "1x1"
    keep: list[Special] = ["first", "depthwise", "last"]
    skip: list[str] = []
    layers: dict[str, PruneLayer] = {}
    masks: str | dict[str, np.ndarray] | None = None
    samples: Annotated[int, Field(ge=2)] = 256
    damping: Annotated[float, Field(gt=0.0, le=10.0)] = 0.03
    augment: Annotated[int, Field(ge=0, le=100)] = 0
    active_only: bool = False
    joint: bool = False
    allocate: Allocate | None = None

    @model_validator(mode="after")
    def _solver_settings_need_a_solver(self) -> Prune:
        solver = {"samples", "damping", "augment", "active_only", "joint", "allocate"}
        given = sorted(solver & self.model_fields_set)
        if self.method == "magnitude" and given:
            raise ValueError(f"{' and '.join(given)}: only with method: reconstruct")
        return self

    @model_validator(mode="after")
    def _allocation_decides_alone(self) -> Prune:
        if self.allocate is None:
            return self
        if (self.sparsity is None) == (self.allocate.speedup is None):
            raise ValueError("allocate needs exactly one of a sparsity, of the uniform allocation, and a speedup")
        if self.pattern not in BLOCKS:
            raise ValueError(f"allocate chooses among {', '.join(BLOCKS)}, and compares with one of them in all layers, not {self.pattern}")
        if self.scope == "global" or self.masks is not None:
            raise ValueError("allocate decides for each layer: leave out scope and masks")
        if vague := [name for name, layer in self.layers.items() if layer.sparsity is None]:
            raise ValueError(f"allocate chooses patterns by itself: give {', '.join(vague)} a sparsity too, or leave it out")
        return self

    @model_validator(mode="after")
    def _says_what_to_prune(self) -> Prune:
        if self.allocate is not None:
            return self
        settings: list[Prune | PruneLayer] = [self, *self.layers.values()]
        fixed = [s.pattern is not None and isinstance(pattern_of(s.pattern), Fraction) for s in settings]
        if self.masks is None and not any(fixed) and all(s.sparsity is None for s in settings):
            raise ValueError("names nothing to prune: give a sparsity, a pattern N:M, a layer with one of them, or masks")
        if fixed[0] and self.scope == "global":
            raise ValueError(f"{self.pattern} leaves the same share in all layers: leave out scope")
        _check_fraction(self.pattern, self.sparsity)
        return self
