"""Correction of statistics: pruned layers give each output channel the mean and variance that it had."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import onnx

from ...graph import View, to_model
from ...graph.errors import Error
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .layers import Layer, per_output_row, weight_layers
from .moments import ChannelMoments
from .observe import Runner, Tick, observe
from .parameters import set_parameters
from .recipe import Correct
from .select import Selection

# A channel that lost more of its deviation than this is mostly noise, and would be amplified as such.
MAX_GAIN = 4.0


@dataclass
class CorrectStatistics(GraphPass):
    """W' = W · g, b' = (b - m') · g + m with g = s / s', per output channel: (m, s) mean and standard deviation of the channel in the
    original model, (m', s') in the pruned one, over `section.samples` samples. Zeros stay zeros.

    Layers are corrected from first to last, each measured behind those that were corrected before, as re-estimating the statistics of
    batch normalisation would do it. One pass over the data for the original, one for each layer: data must be repeatable.
    `original`: the model before pruning; `names`: the layers that were pruned.
    """

    section: Correct
    selection: Selection[None]
    original: onnx.ModelProto
    names: Collection[str]
    data: Calibration
    runner: Runner
    tick: Tick | None = None

    name = "correct-statistics"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        if not self.data.repeatable:
            raise Error("correct: reads calibration data once per layer, and an iterator can be read only once; pass a list or a function")
        names = []
        for layer in weight_layers(view.graph):
            reason = self._refusal(layer)
            if reason is None:
                names.append(layer.name)
            elif layer.name in self.names:
                yield Reject(reason, layer.node)
        wanted = self._measure(self.original, names)
        for done, name in enumerate(names):
            layer = next(layer for layer in weight_layers(view.graph) if layer.name == name)
            found = self._measure(to_model(view.graph), [name])[name]
            yield _correct(layer, found, wanted[name])
            if self.tick is not None:
                self.tick(done + 1, len(names))

    def _refusal(self, layer: Layer) -> str | None:
        if layer.name not in self.names:
            return "not pruned"
        if layer.name in self.selection.skipped:
            return f"skipped by the recipe ('{self.selection.skipped[layer.name]}')"
        return "MatMul has no bias to correct" if layer.node.op == "MatMul" else None

    def _measure(self, model: onnx.ModelProto, names: list[str]) -> dict[str, ChannelMoments]:
        outputs = {node.name: node.output[0] for node in model.graph.node}
        moments = {name: ChannelMoments() for name in names}
        observe(model, {outputs[name]: [moments[name]] for name in names}, self.data, self.runner, self.section.samples)
        return moments


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
