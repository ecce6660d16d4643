"""Magnitude pruning: zeros in the weights of layers, singly or in patterns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...graph import View
from ...graph.errors import RecipeError
from ..base import GraphPass, Reject
from ..patch import Patch
from .layers import Layer, special_layers, weight_layers
from .masks import load_masks
from .metrics import sqnr_db
from .parameters import set_parameters
from .patterns import BLOCKS, Blocks, Filters, Fraction, Pattern, pattern_of
from .prune_math import lowest_scores, normalised, sparsity_of
from .recipe_prune import Prune, PruneLayer
from .select import Selection

_KEPT = {"first": "the first convolution", "depthwise": "a depthwise convolution", "last": "the last layer"}


@dataclass(frozen=True)
class Target:
    """What is to happen to one layer: a mask; or a sparsity in a pattern, of its own or in the common pool."""

    mask: np.ndarray | None = None
    sparsity: float = 0.0
    pattern: Pattern = BLOCKS["1x1"]
    pooled: bool = False

    @property
    def name(self) -> str:
        """Of the pattern as a recipe has it, or "mask"."""
        return "mask" if self.mask is not None else self.pattern.name

    def facts(self, weight: np.ndarray) -> dict[str, int]:
        """What a report says of the pruned weight besides its sparsity."""
        whole = self.mask is None and isinstance(self.pattern, Filters)
        return {"filters_removed": int((~weight.reshape(len(weight), -1).any(axis=1)).sum())} if whole else {}


@dataclass
class PrunePlan:
    """Layer name -> what is to happen, and layer name -> why nothing is."""

    targets: dict[str, Target] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def plan_pruning(layers: list[Layer], section: Prune, selection: Selection[PruneLayer]) -> PrunePlan:
    """Decides for every layer, without looking at its weights. Raises RecipeError for masks that do not fit, and for a pattern that a
    recipe asks of a layer by name and that it cannot have, for a sparsity that N:M contradicts, and for an allocation that is not
    settled."""
    if section.allocate is not None:
        raise RecipeError("prune.allocate: layers have no sparsities yet, which honed.allocate settles by the costs of kernels")
    masks = load_masks(section.masks, layers)
    special = special_layers(layers)
    plan, problems = PrunePlan(), []
    for layer in layers:
        sparsity, pattern = _settings(layer.name, section, selection)
        fixed = pattern.sparsity if isinstance(pattern, Fraction) else sparsity
        misfit = pattern.misfit(layer)
        forced = selection.exact.get(layer.name)
        if layer.name in selection.skipped:
            plan.refused[layer.name] = f"skipped by the recipe ('{selection.skipped[layer.name]}')"
        elif layer.name in masks:
            plan.targets[layer.name] = Target(mask=masks[layer.name])
        elif special.get(layer.name) in section.keep and forced is None:
            plan.refused[layer.name] = f"{_KEPT[special[layer.name]]} stays dense"
        elif fixed is None:
            plan.refused[layer.name] = "no sparsity is given for it"
        elif misfit is not None:
            plan.refused[layer.name] = misfit
            problems += [f"{layer.name}: {misfit}"] if forced is not None and forced.pattern is not None else []
        elif sparsity is not None and abs(sparsity - fixed) > 1e-9:
            problems.append(f"{layer.name}: the pattern {pattern.name} is a sparsity of {fixed:g}, found {sparsity:g}")
        else:
            own = isinstance(pattern, Fraction) or any(o.sparsity is not None for o in selection.overrides.get(layer.name, []))
            plan.targets[layer.name] = Target(None, fixed, pattern, section.scope == "global" and not own)
    if problems:
        raise RecipeError("prune.layers: " + "; ".join(problems))
    return plan


def _settings(name: str, section: Prune, selection: Selection[PruneLayer]) -> tuple[float | None, Pattern]:
    """The sparsity that is asked for, None where none is, and the pattern. An N:M that comes without a sparsity takes the place of one
    that was asked for more generally."""
    sparsity, pattern = section.sparsity, pattern_of(section.pattern)
    for override in selection.overrides.get(name, []):
        if override.pattern is not None:
            pattern = pattern_of(override.pattern)
            sparsity = None if isinstance(pattern, Fraction) else sparsity
        sparsity = sparsity if override.sparsity is None else override.sparsity
    return sparsity, pattern


def prune_masks(weights: Mapping[str, np.ndarray], plan: PrunePlan) -> dict[str, np.ndarray]:
    """True where a weight stays, by layer name. Layers with a sparsity of their own lose what has the least root mean square;
    the layers of the pool together lose what is least after division by the root mean square of its layer."""
    masks = {name: target.mask for name, target in plan.targets.items() if target.mask is not None}
    pool: dict[str, Blocks | Filters] = {}
    for name, target in plan.targets.items():
        if target.mask is None and target.pooled and not isinstance(target.pattern, Fraction):
            pool[name] = target.pattern
        elif target.mask is None:
            masks[name] = target.pattern.mask(weights[name], target.sparsity)
    if pool:
        scores = [normalised(pattern.scores(weights[name]), weights[name]) for name, pattern in pool.items()]
        units = [pattern.unit(weights[name]) for name, pattern in pool.items()]
        kept = lowest_scores(scores, units, plan.targets[next(iter(pool))].sparsity)
        masks.update({name: pool[name].expand(keep, weights[name]) for name, keep in zip(pool, kept, strict=True)})
    return masks


@dataclass
class PruneMagnitude(GraphPass):
    """W -> W where the plan's mask is true, 0 elsewhere. Zeros that are there stay and count: their score is the least.

    Patterns: patterns.py.
    """

    plan: PrunePlan

    name = "prune-magnitude"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        layers = weight_layers(view.graph)
        masks = prune_masks({layer.name: layer.weight for layer in layers}, self.plan)
        for layer in layers:
            if layer.name in masks:
                yield _apply_mask(layer, masks[layer.name], self.plan.targets[layer.name])
            elif layer.name in self.plan.refused:
                yield Reject(self.plan.refused[layer.name], layer.node)


def _apply_mask(layer: Layer, mask: np.ndarray, target: Target) -> Patch:
    weight = np.where(mask, layer.weight, np.float32(0))
    patch = set_parameters(layer, weight)
    patch.note(
        pattern=target.name, sparsity_before=sparsity_of(layer.weight),
        sparsity=sparsity_of(weight), weight_sqnr_db=sqnr_db(layer.weight, weight), **target.facts(weight),
    )  # fmt: skip
    return patch
