"""Activations of a model over all calibration data, from its first layer to its last, each node run once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ....graph.errors import Error
from ....graph.order import read_by
from ..calibration import Calibration, feed_samples
from ..inputs import Feed
from ..observe import Runner, Session, Tick
from .segments import boundary, needed_nodes, segment_model
from .shelf import Shelf


class StoredInputs:
    """Calibration data, read once and kept on disk in the batches that they came in. sizes: samples of each batch; digest: of all data."""

    def __init__(self, folder: Path, data: Calibration, limit: int | None = None, tick: Tick | None = None) -> None:
        self.shelf = Shelf(folder)
        self.sizes: list[int] = []
        digest = hashlib.sha256()
        total = limit if data.samples is None else min(data.samples, limit or data.samples)
        for feed in data.batches(limit):
            for name, array in feed.items():
                self.shelf.put(name, len(self.sizes), array)
                digest.update(f"{name} {array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
            self.sizes.append(feed_samples(feed))
            if tick is not None:
                tick(min(self.samples, total or self.samples), total)
        self.digest = digest.hexdigest()

    @property
    def samples(self) -> int:
        return sum(self.sizes)


class Walk:
    """The live tensors of a graph at a position among its nodes, for every batch, on disk: memory holds one batch at a time.

    graph: sorted; constants of nodes that were not run yet may still change. targets: the tensors that will be asked for, in the order
    in which they will be. folder: of this walk alone.
    """

    def __init__(self, graph: gs.Graph, targets: Sequence[str], inputs: StoredInputs, runner: Runner, folder: Path) -> None:
        self._graph, self._inputs, self._runner, self._shelf = graph, inputs, runner, Shelf(folder)
        self._needed = needed_nodes(graph, targets)
        self._made_at = {output.name: i + 1 for i, node in enumerate(graph.nodes) for output in node.outputs}
        self._stops = sorted({self._made_at.get(name, 0) for name in targets})
        self._last_use: dict[str, int] = {}
        reached = 0
        for name in targets:
            reached = max(reached, self._made_at.get(name, 0))
            self._last_use[name] = reached
        for i, node in enumerate(graph.nodes):
            if self._needed[i]:
                self._last_use.update((tensor.name, max(i, self._last_use.get(tensor.name, 0))) for tensor in read_by(node))
        self._live: set[str] = set()
        self._at = 0

    def advance_to(self, tensor: str) -> None:
        """Runs the nodes up to the one that makes `tensor`, with their present weights. Raises Error for values that are not finite.

        It stops at every target on the way: how nodes run together, and with it the last bits of values, depends on no call before.
        """
        for stop in (stop for stop in self._stops if self._at < stop <= self._made_at.get(tensor, 0)):
            nodes = [self._graph.nodes[i] for i in range(self._at, stop) if self._needed[i]]
            self._advance(nodes, stop)
            self._at = stop

    def read(self, tensor: str, batch: int) -> np.ndarray:
        """The value of `tensor`, to which the walk has come and which a target still ahead, or this one, needs."""
        shelf = self._inputs.shelf if tensor in self._inputs.shelf else self._shelf
        return shelf.get(tensor, batch)

    def _advance(self, nodes: list[gs.Node], stop: int) -> None:
        made = [output.name for node in nodes for output in node.outputs if self._last_use.get(output.name, -1) >= stop]
        read = boundary(nodes)
        dead = {name for name in self._live if self._last_use[name] < stop}
        sessions: dict[tuple, Session] = {}
        for batch in range(len(self._inputs.sizes)):
            feed = {name: self.read(name, batch) for name in read}
            shapes = tuple(array.shape for array in feed.values())
            if made and shapes not in sessions:
                sessions[shapes] = self._runner(segment_model(self._graph, nodes, feed, made))
            if made:
                self._run(sessions[shapes], feed, made, batch)
            for name in dead:
                self._shelf.drop(name, batch)
        self._live = (self._live - dead) | set(made)

    def _run(self, session: Session, feed: Feed, made: list[str], batch: int) -> None:
        for name, value in zip(made, session.run(made, feed), strict=True):
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise Error(f"calibration: tensor '{name}' holds NaN or infinity, expected finite values")
            self._shelf.put(name, batch, value)
