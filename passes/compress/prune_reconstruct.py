"""Pruning with reconstruction: the weights that stay are solved so that layers give the outputs of the original model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx_graphsurgeon as gs

from ...graph import View, to_model
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .layers import Layer, weight_layers
from .metrics import sqnr_db
from .observe import Runner, Tick
from .parameters import set_parameters
from .prune import PrunePlan, Target
from .prune_math import sparsity_of
from .recipe_prune import Prune
from .reconstruct.active import Columns, Part, column_count
from .reconstruct.gather import MomentsWalk
from .reconstruct.solve import Evidence, Solution, solve_layer
from .reconstruct.solved import SolvedLayers
from .reconstruct.workspace import workspace
from .supports import Supports

SOLVER_VERSION = 3
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
        supports = Supports.of(self.plan, self.section, layers)
        pruned = [layer for layer in layers if layer.name in supports.masks]
        original = {node.name: node for node in self.original.nodes}
        with workspace(self.state) as folder:
            names, place = [layer.name for layer in pruned], folder / "activations"
            limit = self.section.samples * (1 + self.section.augment)
            walk = MomentsWalk(view.graph, self.original, names, self.data, self.runner, place, limit)
            solved = SolvedLayers(folder, self._key(supports, walk.inputs.digest))
            for done, layer in enumerate(pruned):
                solution = solved.get(done)
                if solution is None:
                    evidence = _evidence(layer, walk, supports.linear_part(layer, original))
                    solution = solve_layer(layer, evidence, supports.support(layer), supports.damping)
                    solved.put(done, solution)
                yield _patch(layer, self.plan.targets[layer.name], solution)
                if self.tick is not None:
                    self.tick(done + 1, len(pruned))

    def _key(self, supports: Supports, inputs: str) -> str:
        """Of all that the solutions depend on."""
        digest = hashlib.sha256(to_model(self.original).SerializeToString(deterministic=True))
        digest.update(supports.digest() + f"{SOLVER_VERSION} {inputs}".encode())
        return digest.hexdigest()


def _evidence(layer: Layer, walk: MomentsWalk, linear: Part | None) -> Evidence:
    """linear: the outputs that alone are to be kept; None where all are."""
    if linear is None:
        return Evidence.of_moments(layer, walk.halves(layer), layer.node.op != "MatMul")
    inputs, outputs = walk.sampled(layer, column_count(layer))
    return Evidence.of_columns(Columns.of(inputs, outputs, linear, None))


def _patch(layer: Layer, target: Target, solution: Solution) -> Patch:
    patch = set_parameters(layer, solution.weight, solution.bias)
    patch.note(
        pattern=target.name, sparsity_before=sparsity_of(layer.weight), sparsity=sparsity_of(solution.weight),
        weight_sqnr_db=sqnr_db(layer.weight, solution.weight), **target.facts(solution.weight), **solution.facts(),
    )  # fmt: skip
    return patch
