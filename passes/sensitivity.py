"""Which layers are hurt by compression: each technique on each layer alone, everything else in f32."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from ..graph import Error, infer_shapes, load, to_model
from .compress.calibration import DEFAULT_BATCH, Calibration, Source, open_calibration
from .compress.histogram import Histogram
from .compress.images import ImageOptions
from .compress.inputs import input_specs
from .compress.layers import Layer, weight_layers
from .compress.metrics import power
from .compress.moments import ChannelMoments
from .compress.observe import Runner, Session, Tick
from .compress.reconstruct.segments import boundary, needed_nodes, segment_model
from .compress.reconstruct.walk import StoredInputs, Walk
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
    """int8, and every sparsity. Raises Error for those that cannot be."""
    blocks = {"1x1": 1, "2x1": 2, "4x1": 4}
    if pattern not in blocks:
        raise Error(f"pattern '{pattern}', expected one of {', '.join(blocks)}")
    if wrong := [s for s in sparsities if not 0 < s < 1]:
        raise Error(f"sparsity {wrong[0]:g}, expected numbers between 0 and 1")
    return {"int8": int8, **{f"{pattern} {s:.0%}": magnitude(s, blocks[pattern]) for s in sparsities}}


def sensitivity(
    model: str | os.PathLike[str] | bytes | onnx.ModelProto, calibration: Source, runner: Runner, techniques: Mapping[str, Technique], *,
    images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, samples: int = SAMPLES, tick: Tick | None = None,
) -> Sensitivity:  # fmt: skip
    """Tries every technique on every layer of an f32 model, on at most about `samples` calibration samples.

    The part of the model in front of a layer is run once; behind it, once for each technique. Raises ModelError, ShapeError or Error.
    """
    graph = load(model)
    clean(graph)
    infer_shapes(graph)
    data = open_calibration(calibration, input_specs(to_model(graph)), batch=batch, images=images)
    with tempfile.TemporaryDirectory(prefix="honed-") as folder:
        return _Search(graph, data, runner, Path(folder), samples).run(techniques, tick)


class _Search:
    def __init__(self, graph: gs.Graph, data: Calibration, runner: Runner, folder: Path, samples: int) -> None:
        self.graph, self.runner, self.data = graph, runner, data
        self.layers = weight_layers(graph)
        self.inputs = StoredInputs(folder / "inputs", data, samples)
        self.results = [output.name for output in graph.outputs]
        targets = [layer.node.inputs[0].name for layer in self.layers] + self.results
        self.walk = Walk(graph, targets, self.inputs, runner, folder / "walk")
        self.places = {output.name: i + 1 for i, node in enumerate(graph.nodes) for output in node.outputs}
        self.needed = needed_nodes(graph, self.results)

    def run(self, techniques: Mapping[str, Technique], tick: Tick | None) -> Sensitivity:
        report = Sensitivity(samples=self.inputs.samples, warnings=self.data.coverage.warnings())
        for done, layer in enumerate(self.layers):
            self._try_layer(layer, techniques, report)
            if tick is not None:
                tick(done + 1, len(self.layers))
        report.trials.sort(key=lambda trial: (-trial.result_error, trial.agreement))
        return report

    def _try_layer(self, layer: Layer, techniques: Mapping[str, Technique], report: Sensitivity) -> None:
        source = layer.node.inputs[0].name
        self.walk.advance_to(source)
        values = Histogram()
        for index in range(len(self.inputs.sizes)):
            values.add(self.walk.read(source, index))
        exact = self._outputs(layer, None)
        for name, technique in techniques.items():
            change = technique(layer, values)
            if change is None:
                report.left_out.append({"name": layer.name, "technique": name})
                continue
            changed = self._outputs(layer, change)
            axes = (1 if layer.node.op == "Conv" else -1, -1 if exact[1][0].ndim == 3 else 1)
            own, final = (relative_error(exact[i], changed[i], axis) for i, axis in enumerate(axes))
            report.trials.append(LayerSensitivity(layer.name, layer.node.op, name, own, final, agreement(exact[1], changed[1])))

    def _outputs(self, layer: Layer, change: Change | None) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of the layer and of the model, batch by batch, with the layer changed."""
        start = self.places.get(layer.node.inputs[0].name, 0)
        wanted = [layer.node.outputs[0].name, self.results[0]]
        own, final = [], []
        with applied(change, layer) as extra:
            nodes = extra + [node for i, node in enumerate(self.graph.nodes) if i >= start and self.needed[i]]
            read = boundary(nodes)
            sessions: dict[tuple, Session] = {}
            for index in range(len(self.inputs.sizes)):
                feed = {name: self.walk.read(name, index) for name in read}
                shapes = tuple(array.shape for array in feed.values())
                if shapes not in sessions:
                    sessions[shapes] = self.runner(segment_model(self.graph, nodes, feed, list(dict.fromkeys(wanted))))
                found = dict(zip(dict.fromkeys(wanted), sessions[shapes].run(list(dict.fromkeys(wanted)), feed), strict=True))
                own.append(found[wanted[0]])
                final.append(found[wanted[1]])
        return own, final


def relative_error(exact: Sequence[np.ndarray], changed: Sequence[np.ndarray], axis: int) -> float:
    """Σ (changed - exact)² over the sum of squared distances of `exact` from the mean of its channel; `axis` counts channels."""
    moments, noise = ChannelMoments(axis), 0.0
    for a, b in zip(exact, changed, strict=True):
        moments.add(a)
        noise += power(a - b)
    signal = moments.count * float(np.square(moments.std).sum())
    return noise / (signal or 1.0)


def agreement(exact: Sequence[np.ndarray], changed: Sequence[np.ndarray]) -> float:
    """Share of equal places of the largest value along the last axis."""
    same = np.concatenate([(a.argmax(axis=-1) == b.argmax(axis=-1)).reshape(-1) for a, b in zip(exact, changed, strict=True)])
    return float(same.mean())
