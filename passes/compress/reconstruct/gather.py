"""Moments of every layer of a model that is being compressed: its own inputs, and the outputs of the original model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
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

    def pairs(self, layer: Layer) -> Iterator[Pair]:
        """The layer's input and its output in the original model, batch after batch. Layers are asked for in the order of the graph."""
        x, y = layer.node.inputs[0].name, self._outputs[layer.name]
        self._changed.advance_to(x)
        self._original.advance_to(y)
        for batch in range(len(self.inputs.sizes)):
            yield self._changed.read(x, batch), self._original.read(y, batch)

    def halves(self, layer: Layer) -> tuple[LayerMoments, LayerMoments]:
        """Moments over the first and the second half of the batches. Layers are asked for in the order of the graph."""
        batches, pairs = len(self.inputs.sizes), self.pairs(layer)
        halves = (LayerMoments.of(layer), LayerMoments.of(layer))
        for half, count in zip(halves, (-(-batches // 2), batches // 2), strict=True):
            for inputs, outputs in joined(layer, islice(pairs, count)):
                half.add(layer, inputs, outputs)
        return halves

    def sampled(self, layer: Layer, count: int) -> Pair:
        """f32 inputs [group, n, k] and outputs [n, out] of a layer at up to `count` columns from all over the data: of each batch as many
        as are its samples' share, by chance, but the same ones every time. Layers are asked for in the order of the graph."""
        inputs, outputs, done = [], [], 0
        for batch, (size, found) in enumerate(zip(self.inputs.sizes, self.pairs(layer), strict=True)):
            taken = count * (done + size) // self.inputs.samples - count * done // self.inputs.samples
            done += size
            pieces = list(columns(layer, *found))
            x, y = (np.concatenate([piece[i] for piece in pieces], axis=2) for i in (0, 1))
            place = np.sort(np.random.default_rng(batch).permutation(x.shape[2])[:taken])
            inputs.append(x[:, :, place].transpose(0, 2, 1))
            outputs.append(y[:, :, place].reshape(len(layer.weight), -1).T)
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
