"""Ranges chosen by what they do to the outputs of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import copy, sort_nodes, to_model
from ...graph.order import read_by
from .calibration import Calibration, spread
from .inputs import Feed
from .metrics import power
from .observe import Runner, Tick, expose
from .quantize_math import activation_params, fake_quantize
from .reconstruct.segments import boundary, segment_model
from .reconstruct.shelf import Shelf
from .reconstruct.workspace import workspace

Range = tuple[float, float]


@dataclass(frozen=True)
class RangeError:
    """A range for a tensor, and the squared error of the model's outputs, relative to the outputs, if this tensor alone is quantised so."""

    range: Range
    error: float


def search_ranges(
    graph: gs.Graph, candidates: Mapping[str, Sequence[Range]], data: Calibration, runner: Runner, samples: int, tick: Tick | None = None
) -> dict[str, RangeError]:
    """For every tensor, the candidate with the least error over `samples` to 2 · `samples` samples from all over the data; the first of
    those that are equal.

    Only the part of the model behind a tensor runs once per candidate; what it reads lies on disk.
    """
    sorted_graph = copy(graph)
    sort_nodes(sorted_graph)
    best = {}
    with workspace(None) as folder:
        parts = {name: _Part.behind(sorted_graph, name) for name in candidates}
        stored = _Stored(sorted_graph, parts.values(), spread(data, samples), runner, folder / "activations")
        for done, (name, ranges) in enumerate(candidates.items()):
            distinct = list(dict.fromkeys(ranges))
            errors = _errors(sorted_graph, name, distinct, parts[name], stored, runner)
            index = int(np.argmin(errors))
            best[name] = RangeError(distinct[index], errors[index])
            if tick is not None:
                tick(done + 1, len(candidates))
    return best


@dataclass(frozen=True)
class _Part:
    """The nodes that depend on a tensor, in order; what they read; the outputs of the model among what they make."""

    nodes: list[gs.Node]
    read: list[str]
    outputs: list[str]

    @classmethod
    def behind(cls, graph: gs.Graph, name: str) -> _Part:
        nodes = _behind(graph, name)
        made = {tensor.name for node in nodes for tensor in node.outputs}
        return cls(nodes, sorted(boundary(nodes)), [output.name for output in graph.outputs if output.name in made])


class _Stored:
    """The inputs of the model for some samples, and by these the tensors that some parts read and make, on disk."""

    def __init__(self, graph: gs.Graph, parts: Iterable[_Part], feeds: Sequence[Feed], runner: Runner, folder: Path) -> None:
        self.samples, self._shelf = len(feeds), Shelf(folder)
        inputs = {tensor.name for tensor in graph.inputs}
        wanted = list(dict.fromkeys(name for part in parts for name in [*part.read, *part.outputs] if name not in inputs))
        session = runner(expose(to_model(graph), wanted))
        for i, feed in enumerate(feeds):
            for name, value in [*feed.items(), *zip(wanted, session.run(wanted, feed), strict=True)]:
                self._shelf.put(name, i, value)

    def get(self, names: Sequence[str], sample: int) -> Feed:
        return {name: self._shelf.get(name, sample) for name in names}


def _errors(graph: gs.Graph, name: str, ranges: Sequence[Range], part: _Part, stored: _Stored, runner: Runner) -> list[float]:
    session, noise, signal = None, np.zeros(len(ranges)), 0.0
    for sample in range(stored.samples):
        feed, exact = stored.get(part.read, sample), stored.get(part.outputs, sample)
        if session is None:
            session = runner(segment_model(graph, part.nodes, feed, part.outputs))
        signal += sum(power(value) for value in exact.values())
        for i, (lo, hi) in enumerate(ranges):
            changed = session.run(part.outputs, feed | {name: fake_quantize(feed[name], activation_params(lo, hi))})
            noise[i] += sum(power(a - b) for a, b in zip(exact.values(), changed, strict=True))
    return [float(n / signal) if signal > 0 else 0.0 for n in noise]


def _behind(graph: gs.Graph, name: str) -> list[gs.Node]:
    """The nodes that depend on a tensor, in order."""
    made, nodes = {name}, []
    for node in graph.nodes:
        if any(tensor.name in made for tensor in read_by(node)):
            made.update(output.name for output in node.outputs)
            nodes.append(node)
    return nodes
