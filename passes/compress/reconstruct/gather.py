"""Moments of every layer of a model that is being compressed: its own inputs, and the outputs of the original model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ..calibration import Calibration
from ..layers import Layer
from ..observe import Runner, Tick
from .columns import PIECE, columns
from .moments import LayerMoments
from .walk import StoredInputs, Walk

Pair = tuple[np.ndarray, np.ndarray]

COLUMNS_PER_INPUT = 4
"""Columns that are multiplied at once, as a multiple of a layer's inputs: adding a product up costs little beside it."""


class MomentsWalk:
    """Walks through a model and its original side by side.

    graph: the model, whose layers may change once their moments were taken; original: a graph with nodes of the same names; both
    sorted. names: the layers that will be asked for, in the order of the graph. At most `limit` samples, kept below `folder`.
    """

    def __init__(
        self, graph: gs.Graph, original: gs.Graph, names: Sequence[str], data: Calibration, runner: Runner, folder: Path,
        limit: int | None = None, tick: Tick | None = None,
    ) -> None:  # fmt: skip
        self.inputs = StoredInputs(folder / "inputs", data, limit, tick)
        wanted = set(names)
        self._outputs = {node.name: node.outputs[0].name for node in original.nodes if node.name in wanted}
        targets = [node.inputs[0].name for node in graph.nodes if node.name in wanted]
        self._changed = Walk(graph, targets, self.inputs, runner, folder / "changed")
        self._original = Walk(original, list(self._outputs.values()), self.inputs, runner, folder / "original")

    def halves(self, layer: Layer) -> tuple[LayerMoments, LayerMoments]:
        """Moments over the first and the second half of the batches. Layers are asked for in the order of the graph."""
        x, y = layer.node.inputs[0].name, self._outputs[layer.name]
        self._changed.advance_to(x)
        self._original.advance_to(y)
        batches = len(self.inputs.sizes)
        halves = (LayerMoments.of(layer), LayerMoments.of(layer))
        for half, first, stop in zip(halves, (0, -(-batches // 2)), (-(-batches // 2), batches), strict=True):
            pairs = ((self._changed.read(x, batch), self._original.read(y, batch)) for batch in range(first, stop))
            for inputs, outputs in joined(layer, pairs):
                half.add(layer, inputs, outputs)
        return halves

    def sampled(self, layer: Layer, count: int) -> Pair:
        """f32 inputs [group, n, k] and outputs [n, out] of a layer at up to `count` columns from all over the data: of each batch as many
        as are its samples' share, by chance, but the same ones every time. Layers are asked for in the order of the graph."""
        x, y = layer.node.inputs[0].name, self._outputs[layer.name]
        self._changed.advance_to(x)
        self._original.advance_to(y)
        inputs, outputs, done = [], [], 0
        for batch, size in enumerate(self.inputs.sizes):
            taken = count * (done + size) // self.inputs.samples - count * done // self.inputs.samples
            done += size
            pairs = list(columns(layer, self._changed.read(x, batch), self._original.read(y, batch)))
            found = [np.concatenate([pair[i] for pair in pairs], axis=2) for i in (0, 1)]
            place = np.sort(np.random.default_rng(batch).permutation(found[0].shape[2])[:taken])
            inputs.append(found[0][:, :, place].transpose(0, 2, 1))
            outputs.append(found[1][:, :, place].reshape(len(layer.weight), -1).T)
        return np.concatenate(inputs, axis=1), np.concatenate(outputs)


def joined(layer: Layer, pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Inputs and outputs of a layer, of the same samples in fewer and larger pieces: neighbours of the same shapes are put together until
    they have enough columns."""
    enough = min(COLUMNS_PER_INPUT * layer.weight[0].size, PIECE // (layer.group * layer.weight[0].size))
    held: list[Pair] = []
    for pair in pairs:
        if held and [a.shape[1:] for a in held[0]] != [a.shape[1:] for a in pair]:
            yield _together(held)
            held = []
        held.append(pair)
        if sum(y.size for _, y in held) >= enough * len(layer.weight):
            yield _together(held)
            held = []
    if held:
        yield _together(held)


def _together(pairs: list[Pair]) -> Pair:
    x, y = (np.concatenate(arrays) if len(arrays) > 1 else arrays[0] for arrays in zip(*pairs, strict=True))
    return x, y
