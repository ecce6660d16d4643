"""What `accuracy` compresses: recipes for one network, and what each may cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOWED_DROP = {
    "1x1": {50: 0.2, 65: 0.3, 80: 0.6, 90: 1.2},
    "2x1": {50: 0.2, 65: 0.4, 80: 0.8, 90: 1.7},
    "4x1": {50: 0.3, 65: 0.5, 80: 1.1, 90: 2.6},
}
"""Points of top-1 by pattern and percent of zeros, with int8 on top."""
ALLOWED_INT8 = 0.15
CASE_PATTERN = "4x1"
CASE_PERCENT = (50, 80)

LAST_STAGE = ("/layer4/layer4.0/conv2/Conv", "/layer4/layer4.1/*")
"""3x3 layers of most channels: they take most of the time, and their errors reach the output through few others."""


@dataclass(frozen=True)
class Variant:
    """A recipe with a name. kind: what `--only` calls it. allowed: points of top-1 that it may cost; None: no limit."""

    name: str
    kind: str
    recipe: Mapping[str, Any] = field(hash=False)
    allowed: float | None = None

    @property
    def file_stem(self) -> str:
        return self.name.replace(" %", "").replace(",", "").replace(" + ", "-").replace(" ", "-")

    @property
    def key(self) -> str:
        return json.dumps(self.recipe, sort_keys=True)


INT8 = Variant("int8", "int8", {"quantize": {}}, ALLOWED_INT8)


@dataclass(frozen=True)
class Study:
    """Variants and the one whose time the others are compared with."""

    title: str
    variants: tuple[Variant, ...]
    baseline: Variant


def _pruned(pattern: str, percent: int, samples: int) -> dict[str, Any]:
    return {"method": "reconstruct", "sparsity": percent / 100, "pattern": pattern, "samples": samples}


def limits_study(samples: int) -> Study:
    """int8 alone, and every pattern and sparsity with int8 on top."""
    sparse = [
        Variant(f"{pattern} {percent} % + int8", pattern, {"prune": _pruned(pattern, percent, samples), "quantize": {}}, allowed)
        for pattern, limits in ALLOWED_DROP.items()
        for percent, allowed in limits.items()
    ]
    return Study("speed: times as fast as honed's dense int8", (INT8, *sparse), INT8)


def case_study(samples: int) -> Study:
    """Pruned, quantised, both."""
    original = Variant("fp32", "fp32", {})
    pruned = [Variant(f"{CASE_PATTERN} {p} %", CASE_PATTERN, {"prune": _pruned(CASE_PATTERN, p, samples)}) for p in CASE_PERCENT]
    both = [v for v in limits_study(samples).variants if v.kind == "int8" or v.name in {f"{other.name} + int8" for other in pruned}]
    return Study("speed: times as fast as honed with the original", (original, *pruned, *both), original)


def _last_stage(pattern: str, percent: int, last: int, samples: int) -> dict[str, Any]:
    return {**_pruned(pattern, percent, samples), "layers": {layer: {"sparsity": last / 100} for layer in LAST_STAGE}}


def speed_study(samples: int) -> Study:
    """The fastest recipes known within 0.3 points and within 1."""
    rounded = {"rounding": "outputs", "refit": True, "samples": samples}
    near = {"prune": _last_stage("2x1", 65, 85, samples), "quantize": rounded}
    fast = {"prune": _last_stage("4x1", 80, 95, samples), "quantize": {}}
    variants = (
        Variant("2x1 65 %, last stage 85 % + int8 rounded to outputs", "2x1", near, 0.3),
        Variant("4x1 80 %, last stage 95 % + int8", "4x1", fast, 1.0),
    )
    return Study("speed: times as fast as honed's dense int8", (INT8, *variants), INT8)
