"""Which weights of a layer stay, as its problem is solved: what a plan of pruning says, for the solvers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from .layers import Layer
from .patterns import Filters
from .prune import PrunePlan, prune_masks
from .recipe_prune import Prune
from .reconstruct.active import HELD, Part, has_active_form, linear_part
from .reconstruct.support import Support


@dataclass
class Supports:
    """Of the layers that `plan` prunes. masks: name -> as many weights as stay, by magnitude; damping and active_only: of the recipe."""

    plan: PrunePlan
    masks: dict[str, np.ndarray]
    damping: float
    active_only: bool

    @classmethod
    def of(cls, plan: PrunePlan, section: Prune, layers: list[Layer]) -> Supports:
        masks = prune_masks({layer.name: layer.weight for layer in layers}, plan)
        return cls(plan, masks, section.damping, section.active_only)

    def support(self, layer: Layer) -> Support:
        """A mask that the user brings; or a choice of as many weights as the layer's mask keeps, among those that are not zero."""
        target, mask = self.plan.targets[layer.name], self.masks[layer.name]
        if target.mask is not None:
            return lambda problem: (mask.reshape(problem.cross.shape), None)
        return target.pattern.support(layer, mask)

    def linear_part(self, layer: Layer, nodes: Mapping[str, gs.Node]) -> Part | None:
        """The outputs of the layer in the original model, of which these are the nodes, that alone are to be kept; None where all are."""
        if not self.active_only or not has_active_form(layer, HELD) or isinstance(self.plan.targets[layer.name].pattern, Filters):
            return None
        return linear_part(nodes[layer.name])

    def digest(self) -> bytes:
        """Of all that decides which weights stay, and of how they are solved."""
        text = "".join(f"{name} {self.plan.targets[name].name} {mask.shape} " for name, mask in self.masks.items())
        bits = b"".join(np.packbits(mask).tobytes() for mask in self.masks.values())
        return f"{text}{self.damping} {self.active_only}".encode() + bits
