"""Magnitude pruning: zeros in the weights of layers, singly or in blocks of output channels."""

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
from .prune_math import block_scores, expand_blocks, lowest_scores, normalised_scores, sparsity_of
from .recipe import Pattern, Prune, PruneLayer
from .select import Selection

BLOCKS: dict[Pattern, int] = {"1x1": 1, "2x1": 2, "4x1": 4}
_KEPT = {"first": "the first convolution", "depthwise": "a depthwise convolution", "last": "the last layer"}


@dataclass(frozen=True)
class Target:
    """What is to happen to one layer: a mask; or a sparsity in blocks of `block` output channels, of its own or in the common pool."""

    mask: np.ndarray | None = None
    sparsity: float = 0.0
    block: int = 1
    pooled: bool = False

    @property
    def pattern(self) -> str:
        """As a recipe calls it, or "mask"."""
        return "mask" if self.mask is not None else f"{self.block}x1"


@dataclass
class PrunePlan:
    """Layer name -> what is to happen, and layer name -> why nothing is."""

    targets: dict[str, Target] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def plan_pruning(layers: list[Layer], section: Prune, selection: Selection[PruneLayer]) -> PrunePlan:
    """Decides for every layer, without looking at its weights. Raises RecipeError for masks that do not fit, and for a pattern that a
    recipe asks of a layer by name and that does not divide its output channels, and for an allocation that is not settled."""
    if section.allocate is not None:
        raise RecipeError("prune.allocate: layers have no sparsities yet, which honed.allocate settles by the costs of kernels")
    masks = load_masks(section.masks, layers)
    special = special_layers(layers)
    plan, problems = PrunePlan(), []
    for layer in layers:
        settings = _settings(layer.name, section, selection)
        block = BLOCKS[settings.pattern or section.pattern]
        channels = layer.weight.shape[0] // layer.group
        forced = selection.exact.get(layer.name)
        if layer.name in selection.skipped:
            plan.refused[layer.name] = f"skipped by the recipe ('{selection.skipped[layer.name]}')"
        elif layer.name in masks:
            plan.targets[layer.name] = Target(mask=masks[layer.name])
        elif special.get(layer.name) in section.keep and forced is None:
            plan.refused[layer.name] = f"{_KEPT[special[layer.name]]} stays dense"
        elif settings.sparsity is None:
            plan.refused[layer.name] = "no sparsity is given for it"
        elif channels % block:
            of_group = " of a group" if layer.group > 1 else ""
            plan.refused[layer.name] = reason = f"blocks of {block} do not divide {channels} output channels{of_group}"
            problems += [f"{layer.name}: {reason}"] if forced is not None and forced.pattern is not None else []
        else:
            pooled = section.scope == "global" and not any(o.sparsity is not None for o in selection.overrides.get(layer.name, []))
            plan.targets[layer.name] = Target(None, settings.sparsity, block, pooled)
    if problems:
        raise RecipeError("prune.layers: " + "; ".join(problems))
    return plan


def _settings(name: str, section: Prune, selection: Selection[PruneLayer]) -> PruneLayer:
    settings = PruneLayer(sparsity=section.sparsity, pattern=section.pattern)
    for override in selection.overrides.get(name, []):
        settings = settings.model_copy(update=override.model_dump(exclude_none=True))
    return settings


def prune_masks(weights: Mapping[str, np.ndarray], plan: PrunePlan) -> dict[str, np.ndarray]:
    """True where a weight stays, by layer name. Layers with a sparsity of their own lose the blocks of least root mean square;
    the layers of the pool together lose those that are least after division by the root mean square of their layer."""
    masks = {name: target.mask for name, target in plan.targets.items() if target.mask is not None}
    pool = [name for name, target in plan.targets.items() if target.pooled]
    blocks = {name: target.block for name, target in plan.targets.items()}
    for names in [[name] for name in plan.targets if name not in masks and name not in pool] + ([pool] if pool else []):
        score = normalised_scores if names is pool else block_scores
        scores = [score(weights[name], blocks[name]) for name in names]
        kept = lowest_scores(scores, [blocks[name] for name in names], plan.targets[names[0]].sparsity)
        masks.update({name: expand_blocks(keep, blocks[name]) for name, keep in zip(names, kept, strict=True)})
    return masks


@dataclass
class PruneMagnitude(GraphPass):
    """W -> W where the plan's mask is true, 0 elsewhere. Zeros that are there stay and count: their score is the least.

    Patterns: `1x1` single weights; `2x1` and `4x1` blocks of consecutive output channels that share an input channel and tap.
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
        pattern=target.pattern, sparsity_before=sparsity_of(layer.weight),
        sparsity=sparsity_of(weight), weight_sqnr_db=sqnr_db(layer.weight, weight),
    )  # fmt: skip
    return patch
