"""Pruning with reconstruction: the weights that stay are solved so that layers give the outputs of the original model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, to_model
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .layers import Layer, weight_layers
from .metrics import sqnr_db
from .observe import Runner, Tick
from .parameters import set_parameters
from .prune import PrunePlan, Target, prune_masks
from .prune_math import sparsity_of
from .recipe_prune import Prune
from .reconstruct.gather import MomentsWalk
from .reconstruct.solve import Solution, solve_layer
from .reconstruct.solved import SolvedLayers
from .reconstruct.support import Support
from .reconstruct.workspace import workspace

SOLVER_VERSION = 2
"""Of the solutions that a state folder holds."""


@dataclass
class PruneReconstruct(GraphPass):
    """W -> the W' with the plan's pattern and sparsity, and the bias b', for which W' x' + b' is nearest to the layer's output y in the
    original model, over x', the layer's input behind the layers that were pruned before it. Zeros that are there stay, and count.

    Which weights stay: reconstruct/support.py. Their values: damped least squares (reconstruct/refit.py). How many stay in each layer
    is what PruneMagnitude would leave. `original`: the model before pruning, with nodes of the same names. state: a folder by which
    a run that was interrupted is continued.
    """

    plan: PrunePlan
    section: Prune
    original: gs.Graph
    data: Calibration
    runner: Runner
    tick: Tick | None = None
    state: Path | None = None

    name = "prune-reconstruct"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        layers = weight_layers(view.graph)
        yield from (Reject(self.plan.refused[layer.name], layer.node) for layer in layers if layer.name in self.plan.refused)
        masks = prune_masks({layer.name: layer.weight for layer in layers}, self.plan)
        pruned = [layer for layer in layers if layer.name in masks]
        with workspace(self.state) as folder:
            names, place = [layer.name for layer in pruned], folder / "activations"
            limit = self.section.samples * (1 + self.section.augment)
            walk = MomentsWalk(view.graph, self.original, names, self.data, self.runner, place, limit)
            solved = SolvedLayers(folder, self._key(masks, walk.inputs.digest))
            for done, layer in enumerate(pruned):
                solution = solved.get(done)
                if solution is None:
                    target, mask = self.plan.targets[layer.name], masks[layer.name]
                    solution = solve_layer(layer, walk.halves(layer), support_of(layer, target, mask), self.section.damping)
                    solved.put(done, solution)
                yield _patch(layer, self.plan.targets[layer.name], solution)
                if self.tick is not None:
                    self.tick(done + 1, len(pruned))

    def _key(self, masks: dict[str, np.ndarray], inputs: str) -> str:
        """Of all that the solutions depend on."""
        digest = hashlib.sha256(to_model(self.original).SerializeToString(deterministic=True))
        for name, mask in masks.items():
            digest.update(f"{name} {self.plan.targets[name].name} {mask.shape}".encode() + np.packbits(mask).tobytes())
        digest.update(f"{SOLVER_VERSION} {self.section.damping} {inputs}".encode())
        return digest.hexdigest()


def support_of(layer: Layer, target: Target, mask: np.ndarray) -> Support:
    """A mask that the user brings; or a choice of as many weights as `mask` keeps, among those that are not zero."""
    if target.mask is not None:
        given = mask.reshape(layer.group, layer.weight.shape[0] // layer.group, -1)
        return lambda problem: (given, None)
    return target.pattern.support(layer, mask)


def _patch(layer: Layer, target: Target, solution: Solution) -> Patch:
    patch = set_parameters(layer, solution.weight, solution.bias)
    patch.note(
        pattern=target.name, sparsity_before=sparsity_of(layer.weight), sparsity=sparsity_of(solution.weight),
        weight_sqnr_db=sqnr_db(layer.weight, solution.weight), **target.facts(solution.weight), **solution.facts(),
    )  # fmt: skip
    return patch
