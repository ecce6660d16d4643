"""Moments of every layer of a model that is being compressed: its own inputs, and the outputs of the original model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx_graphsurgeon as gs

from ..calibration import Calibration
from ..layers import Layer
from ..observe import Runner, Tick
from .moments import LayerMoments
from .walk import StoredInputs, Walk


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
        halves = (LayerMoments.of(layer), LayerMoments.of(layer))
        for batch in range(len(self.inputs.sizes)):
            half = halves[2 * batch // len(self.inputs.sizes)]
            half.add(layer, self._changed.read(x, batch), self._original.read(y, batch))
        return halves
