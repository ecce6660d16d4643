"""Static int8 quantisation: observe the activations, choose a range for each tensor, write QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import Error, View, is_op, producer, to_model
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .formats import Format, weight_format
from .histogram import Histogram, entropy_range, minmax_range, mse_range, percentile_range
from .moments import ChannelMoments
from .observe import Observer, Runner, Tick, observe
from .quantize_math import QuantParams, activation_params
from .quantize_plan import FUSED_OPS, QuantPlan, plan_quantization, sigmoid_of_silu
from .quantized import layer_inputs, nearest_layers, quantize_as_planned
from .range_search import search_ranges
from .recipe import Quantize, QuantizeLayer
from .rounded import RoundedLayer
from .rounding import round_to_outputs
from .select import Selection
from .supports import Supports

NEARLY = 0.03
"""Ranges that differ by less, relative to their length, are one candidate."""


@dataclass
class QuantizeInt8(GraphPass):
    """Layers with constant weights and the operators between them, in f32 -> the same with QuantizeLinear and DequantizeLinear.

    Activations: u8, asymmetric, per tensor, QuantizeLinear(x) = clamp(rint(x / scale) + zero_point), ranges by histogram.py or
    range_search.py. Weights: integers of at most 8 bits, symmetric, stored as s8, rounded by rounding.py. Biases: s32 in steps of
    scale_x * scale_w. quantize_plan.py says which nodes and tensors.

    At most `section.samples` samples. `origins`: node name -> the name that the recipe knows it by, where it was made from another
    node. `original`: what rounding to outputs compares with, a graph with nodes of the same names, whose outputs are those of the layers
    divided by `gains` (layer name -> per output channel). supports: of layers that are pruned as they are rounded to outputs.
    state: a folder by which rounding to outputs that was interrupted is continued.
    """

    section: Quantize
    selection: Selection[QuantizeLayer]
    data: Calibration
    runner: Runner
    original: gs.Graph
    tick: Tick | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    gains: Mapping[str, np.ndarray] = field(default_factory=dict)
    state: Path | None = None
    supports: Supports | None = None

    name = "quantize-int8"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        plan = plan_selected(view, self.selection, self.origins)
        formats = planned_formats(plan, self.section, self.selection, self.origins)
        self._check_pruned(formats)
        params, means = self._observe(view.graph, plan)
        rounded = self._rounded(view.graph, plan, formats, layer_inputs(plan, params), means)
        yield from quantize_as_planned(view, plan, params, formats, rounded)

    def _rounded(
        self, graph: gs.Graph, plan: QuantPlan, formats: Mapping[str, Format], inputs: Mapping[str, QuantParams | None],
        means: Mapping[str, np.ndarray],
    ) -> Iterator[tuple[str, RoundedLayer]]:  # fmt: skip
        if self.section.rounding == "nearest":
            return nearest_layers(plan, formats, inputs, means)
        limit, refit = self.section.samples, self.section.refit
        return round_to_outputs(
            graph, self.original, formats, inputs, self.gains, self.data, self.runner, limit, refit, self.tick, self.state, self.supports
        )

    def _check_pruned(self, formats: Mapping[str, Format]) -> None:
        left = [] if self.supports is None else [name for name in self.supports.masks if name not in formats]
        if left:
            raise Error(f"prune: {', '.join(left)} stays in f32, expected int8 where layers are pruned jointly with quantize")

    def _observe(self, graph: gs.Graph, plan: QuantPlan) -> tuple[dict[str, QuantParams], dict[str, np.ndarray]]:
        """Parameters of every tensor of the plan, and the mean of each input channel of every layer whose bias is to be corrected."""
        histograms = {name: Histogram() for name in plan.source.values()}
        observers: dict[str, list[Observer]] = {name: [histogram] for name, histogram in histograms.items()}
        moments = {}
        for layer in plan.layers.values() if self.section.correct_bias and self.section.rounding == "nearest" else ():
            if layer.bias is not None:
                moments[layer.name] = ChannelMoments(axis=1 if layer.node.op == "Conv" else -1)
                observers.setdefault(layer.node.inputs[0].name, []).append(moments[layer.name])
        observe(to_model(graph), observers, self.data, self.runner, self.section.samples, self.tick)
        chosen = {name: activation_params(lo, hi) for name, (lo, hi) in self._choose(graph, histograms).items()}
        return {name: chosen[source] for name, source in plan.source.items()}, {name: m.mean for name, m in moments.items()}

    def _choose(self, graph: gs.Graph, histograms: Mapping[str, Histogram]) -> dict[str, tuple[float, float]]:
        tensors = graph.tensors()
        settings = {name: self._settings(tensors[name]) for name in histograms}
        ranges = {name: choose_range(h, settings[name]) for name, h in histograms.items() if settings[name].range != "output"}
        searched = {name: candidate_ranges(histograms[name]) for name in histograms if name not in ranges}
        if searched:
            found = search_ranges(graph, searched, self.data, self.runner, self.section.search_samples, self.tick)
            ranges |= {name: best.range for name, best in found.items()}
        return ranges

    def _settings(self, tensor: gs.Tensor) -> Quantize:
        """The section with the overrides for what makes `tensor`: a layer, then the activation behind it."""
        settings = self.section
        maker = producer(tensor)
        start = None if maker is None else sigmoid_of_silu(maker) or (maker if is_op(maker, *FUSED_OPS) else None)
        before = producer(start.inputs[0]) if start is not None else None
        for node in (before, maker):
            if node is not None:
                for override in self.selection.overrides.get(self.origins.get(node.name, node.name), []):
                    settings = settings.model_copy(update=override.model_dump(exclude_none=True))
        return settings


def plan_selected(view: View, selection: Selection[QuantizeLayer], origins: Mapping[str, str]) -> QuantPlan:
    """Without the nodes that the recipe skips. `origins`: as QuantizeInt8 has them."""
    skipped = {node.name: selection.skipped.get(origins.get(node.name, node.name)) for node in view.graph.nodes}
    return plan_quantization(view, {name: selector for name, selector in skipped.items() if selector is not None})


def planned_formats(
    plan: QuantPlan, section: Quantize, selection: Selection[QuantizeLayer], origins: Mapping[str, str]
) -> dict[str, Format]:
    """Of every layer of the plan, by name."""
    return {name: weight_format(layer, section, selection, origins) for name, layer in plan.layers.items()}


def choose_range(histogram: Histogram, settings: Quantize) -> tuple[float, float]:
    """The range [lo, hi] that holds 0, by the method of `settings`."""
    if settings.range == "minmax":
        return minmax_range(histogram)
    if settings.range == "percentile":
        return percentile_range(histogram, settings.percentile)
    return entropy_range(histogram) if settings.range == "entropy" else mse_range(histogram)


def candidate_ranges(histogram: Histogram) -> list[tuple[float, float]]:
    """What the methods that look at one tensor say, without what is nearly the same as one before."""
    percentiles = [percentile_range(histogram, p) for p in (99.99, 99.9, 99.5)]
    found: list[tuple[float, float]] = []
    for lo, hi in [minmax_range(histogram), *percentiles, mse_range(histogram), entropy_range(histogram)]:
        if not any(abs(lo - a) + abs(hi - b) <= NEARLY * (b - a) for a, b in found):
            found.append((lo, hi))
    return found
