"""Correction of statistics: pruned layers give each output channel the mean and variance that it had."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .layers import Layer, per_output_row, weight_layers
from .moments import ChannelMoments
from .observe import Runner, Session, Tick
from .parameters import set_parameters
from .recipe import Correct
from .reconstruct.gather import MomentsWalk
from .reconstruct.segments import segment_model
from .reconstruct.workspace import workspace
from .select import Selection

# A channel that lost more of its deviation than this is mostly noise, and would be amplified as such.
MAX_GAIN = 4.0


@dataclass
class CorrectStatistics(GraphPass):
    """W' = W · g, b' = (b - m') · g + m with g = s / s', per output channel: (m, s) mean and standard deviation of the channel in the
    original model, (m', s') in the pruned one, over `section.samples` samples. Zeros stay zeros.

    Layers are corrected from first to last, each measured behind those that were corrected before, as re-estimating the statistics of
    batch normalisation would do it: both models are run once, node by node, and every corrected layer once more. `original`: the model
    before pruning, with nodes of the same names; `names`: the layers that were pruned.
    """

    section: Correct
    selection: Selection[None]
    original: gs.Graph
    names: Collection[str]
    data: Calibration
    runner: Runner
    tick: Tick | None = None

    name = "correct-statistics"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        layers = []
        for layer in weight_layers(view.graph):
            reason = self._refusal(layer)
            if reason is None:
                layers.append(layer)
            elif layer.name in self.names:
                yield Reject(reason, layer.node)
        if not layers:
            return
        with workspace(None) as folder:
            names, place = [layer.name for layer in layers], folder / "activations"
            walk = MomentsWalk(view.graph, self.original, names, self.data, self.runner, place, self.section.samples)
            for done, layer in enumerate(layers):
                yield _correct(layer, *self._measure(view.graph, layer, walk))
                if self.tick is not None:
                    self.tick(done + 1, len(layers))

    def _refusal(self, layer: Layer) -> str | None:
        if layer.name not in self.names:
            return "not pruned"
        if layer.name in self.selection.skipped:
            return f"skipped by the recipe ('{self.selection.skipped[layer.name]}')"
        return "MatMul has no bias to correct" if layer.node.op == "MatMul" else None

    def _measure(self, graph: gs.Graph, layer: Layer, walk: MomentsWalk) -> tuple[ChannelMoments, ChannelMoments]:
        """Of the layer's output as it is, and as it was in the original model."""
        found, wanted = ChannelMoments(), ChannelMoments()
        x, y = layer.node.inputs[0].name, layer.node.outputs[0].name
        sessions: dict[tuple[int, ...], Session] = {}
        for inputs, outputs in walk.pairs(layer):
            if inputs.shape not in sessions:
                sessions[inputs.shape] = self.runner(segment_model(graph, [layer.node], {x: inputs}, [y]))
            found.add(sessions[inputs.shape].run([y], {x: inputs})[0])
            wanted.add(outputs)
        return found, wanted


def _correct(layer: Layer, found: ChannelMoments, wanted: ChannelMoments) -> Patch:
    gain, bias = corrected_affine(layer.bias, found, wanted)
    weight = layer.weight * per_output_row(gain, layer.weight)
    patch = set_parameters(layer, weight, bias)
    patch.note(mean_gain=float(gain.mean()), max_gain=float(gain.max()))
    return patch


def corrected_affine(bias: np.ndarray | None, found: ChannelMoments, wanted: ChannelMoments) -> tuple[np.ndarray, np.ndarray]:
    """f32 [out]: the gain, at most MAX_GAIN and 1 for channels that do not vary, and the bias."""
    constant = (found.std <= 0) | (wanted.std <= 0)
    gain = np.minimum(wanted.std / np.where(constant, 1, found.std), MAX_GAIN)
    gain[constant] = 1.0
    before = 0.0 if bias is None else bias.astype(np.float64)
    return gain.astype(np.float32), ((before - found.mean) * gain + wanted.mean).astype(np.float32)
