"""Which layers are hurt by compression: each technique on each layer alone, everything else in f32."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from ..graph import Error, infer_shapes, load, to_model
from .compress.calibration import DEFAULT_BATCH, Calibration, Source, open_calibration
from .compress.images import ImageOptions
from .compress.inputs import input_specs
from .compress.layer_data import LayerData
from .compress.layers import Layer, weight_layers
from .compress.metrics import agreement, relative_error
from .compress.observe import Runner, Session, Tick
from .compress.patterns import Fraction, pattern_of
from .compress.reconstruct.kept import Kept
from .compress.reconstruct.segments import boundary, needed_nodes, segment_model
from .compress.reconstruct.walk import StoredInputs, Walk
from .compress.reconstruct.workspace import workspace
from .compress.trials import Change, Technique, applied, int8, magnitude
from .pipeline import clean

SAMPLES = 64


@dataclass
class LayerSensitivity:
    """One layer with one technique. output_error: mean squared error of the layer's output over the variance of its channels;
    result_error: the same of the model's first output; agreement: share of samples with the same largest value there, by its last axis."""

    name: str
    op: str
    technique: str
    output_error: float
    result_error: float
    agreement: float


@dataclass
class Sensitivity:
    """Everything that was tried, the most harmful first, and the layers to which a technique does not apply."""

    trials: list[LayerSensitivity] = field(default_factory=list)
    samples: int = 0
    left_out: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"format": "honed-sensitivity", "version": 1, **asdict(self)}


def techniques_of(sparsities: Sequence[float], pattern: str) -> dict[str, Technique]:
    """int8, and every sparsity, or N:M. Raises Error for those that cannot be."""
    try:
        zeros = pattern_of(pattern)
    except ValueError as error:
        raise Error(f"pattern: {error}") from None
    if isinstance(zeros, Fraction):
        return {"int8": int8, pattern: magnitude(zeros.sparsity, zeros)}
    if wrong := [s for s in sparsities if not 0 < s < 1]:
        raise Error(f"sparsity {wrong[0]:g}, expected numbers between 0 and 1")
    return {"int8": int8, **{f"{pattern} {s:.0%}": magnitude(s, zeros) for s in sparsities}}


def sensitivity(
    model: str | os.PathLike[str] | bytes | onnx.ModelProto, calibration: Source, runner: Runner, techniques: Mapping[str, Technique], *,
    images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, samples: int = SAMPLES, tick: Tick | None = None,
    names: Collection[str] | None = None, held_out: bool = False, state: Path | None = None, key: str = "",
) -> Sensitivity:  # fmt: skip
    """Tries every technique on every layer of an f32 model, on at most about `samples` calibration samples. names: of the layers to try.

    held_out: techniques see every second batch, and errors are measured on the others. The part of the model in front of a layer is run
    once; behind it, once for each technique. state: a folder by which a run that was interrupted is continued, where model, data, the
    techniques' names and `key`, which is to say what else they depend on, are the same. Raises ModelError, ShapeError or Error.
    """
    graph = load(model)
    clean(graph)
    infer_shapes(graph)
    data = open_calibration(calibration, input_specs(to_model(graph)), batch=batch, images=images)
    with workspace(state) as folder:
        search = _Search(graph, data, runner, folder, samples, names)
        return search.run(techniques, tick, 2 if held_out else 1, key)


class _Search:
    def __init__(
        self, graph: gs.Graph, data: Calibration, runner: Runner, folder: Path, samples: int, names: Collection[str] | None
    ) -> None:
        self.graph, self.runner, self.data = graph, runner, data
        self.layers = [layer for layer in weight_layers(graph) if names is None or layer.name in names]
        self.folder = folder
        self.inputs = StoredInputs(folder / "activations" / "inputs", data, samples)
        self.results = [output.name for output in graph.outputs]
        targets = [layer.node.inputs[0].name for layer in self.layers] + self.results
        self.walk = Walk(graph, targets, self.inputs, runner, folder / "activations" / "walk")
        self.places = {output.name: i + 1 for i, node in enumerate(graph.nodes) for output in node.outputs}
        self.needed = needed_nodes(graph, self.results)

    def run(self, techniques: Mapping[str, Technique], tick: Tick | None, parts: int, key: str) -> Sensitivity:
        """parts: batches are dealt to so many; techniques see the first, and errors are measured on the last. key: of what is kept."""
        batches = range(len(self.inputs.sizes))
        self.seen, self.judged = batches[::parts], batches[parts - 1 :: parts]
        if not self.judged:
            raise Error(f"calibration data: {len(batches)} batch of {self.inputs.samples} samples, expected at least two")
        report = Sensitivity(samples=self.inputs.samples, warnings=self.data.coverage.warnings())
        kept = Kept(self.folder / "trials", self._key(techniques, parts, key))
        for done, layer in enumerate(self.layers):
            trials = _known_trials(kept.get(f"{done}.json"))
            if trials is None:
                trials = self._try_layer(layer, techniques)
                kept.put(f"{done}.json", json.dumps([asdict(trial) for trial in trials]).encode())
            report.trials += trials
            tried = {trial.technique for trial in trials}
            report.left_out += [{"name": layer.name, "technique": name} for name in techniques if name not in tried]
            if tick is not None:
                tick(done + 1, len(self.layers))
        report.trials.sort(key=lambda trial: (-trial.result_error, trial.agreement))
        return report

    def _key(self, techniques: Mapping[str, Technique], parts: int, key: str) -> str:
        digest = hashlib.sha256(to_model(self.graph).SerializeToString(deterministic=True))
        digest.update(json.dumps([[layer.name for layer in self.layers], list(techniques), parts, self.inputs.digest, key]).encode())
        return digest.hexdigest()

    def _try_layer(self, layer: Layer, techniques: Mapping[str, Technique]) -> list[LayerSensitivity]:
        source = layer.node.inputs[0].name
        self.walk.advance_to(source)
        rest = _Rest(self, layer)
        own = self._outputs(layer, None, range(len(self.inputs.sizes)))
        exact = [own[i] for i in self.judged]
        results = rest.results(exact, self.judged)
        data = LayerData(layer, lambda: ((self.walk.read(source, i), own[i]) for i in self.seen))
        axes = (1 if layer.node.op == "Conv" else -1, -1 if results[0].ndim == 3 else 1)
        trials = []
        for name, technique in techniques.items():
            change = technique(layer, data)
            if change is None:
                continue
            changed = self._outputs(layer, change, self.judged)
            final = rest.results(changed, self.judged)
            errors = relative_error(exact, changed, axes[0]), relative_error(results, final, axes[1])
            trials.append(LayerSensitivity(layer.name, layer.node.op, name, *errors, agreement(results, final)))
        return trials

    def _outputs(self, layer: Layer, change: Change | None, batches: Sequence[int]) -> list[np.ndarray]:
        """Of the layer for each of the batches, with the layer changed."""
        source = layer.node.inputs[0].name
        with applied(change, layer) as extra:
            part = _Part(self.graph, [*extra, layer.node], [layer.node.outputs[0].name], self.runner)
            return [part.run({source: self.walk.read(source, index)})[0] for index in batches]


class _Rest:
    """What lies behind a layer, compiled once."""

    def __init__(self, search: _Search, layer: Layer) -> None:
        start = search.places.get(layer.node.inputs[0].name, 0)
        nodes = [n for i, n in enumerate(search.graph.nodes) if i >= start and search.needed[i] and n is not layer.node]
        self._output, self._walk = layer.node.outputs[0].name, search.walk
        self._read = boundary(nodes)
        self._part = None if search.results[0] == self._output else _Part(search.graph, nodes, search.results[:1], search.runner)

    def results(self, outputs: Sequence[np.ndarray], batches: Sequence[int]) -> list[np.ndarray]:
        """The model's first output for each of the batches, whose outputs of the layer are given."""
        if self._part is None:
            return list(outputs)
        results = []
        for own, index in zip(outputs, batches, strict=True):
            feed = {name: own if name == self._output else self._walk.read(name, index) for name in self._read}
            results += self._part.run(feed)
        return results


class _Part:
    """Some nodes of a graph as a model of their own, compiled for each set of shapes."""

    def __init__(self, graph: gs.Graph, nodes: Sequence[gs.Node], wanted: Sequence[str], runner: Runner) -> None:
        self._graph, self._nodes, self._wanted, self._runner = graph, list(nodes), list(wanted), runner
        self._sessions: dict[tuple, Session] = {}

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        shapes = tuple(array.shape for array in feed.values())
        if shapes not in self._sessions:
            self._sessions[shapes] = self._runner(segment_model(self._graph, self._nodes, feed, self._wanted))
        return self._sessions[shapes].run(self._wanted, feed)


def _known_trials(kept: bytes | None) -> list[LayerSensitivity] | None:
    """What an earlier run found; None where it left nothing that can be read."""
    try:
        return None if kept is None else [LayerSensitivity(**trial) for trial in json.loads(kept)]
    except (ValueError, TypeError):
        return None
