"""Cross-layer equalisation: channels of one tensor get ranges that suit one scale, in exchange with the weights around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, is_op, producer, to_model
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .channel_classes import ChannelClass, channel_classes, clip_ceiling
from .channel_ranges import RangeByChannel
from .equalise_math import (
    STRENGTHS,
    ChannelRanges,
    balance,
    bound,
    column_peaks,
    expected_noise,
    greatest_output,
    mildest,
    row_peaks,
    scale_columns,
    scale_rows,
    scaled_weight,
    toward_equal,
)
from .layers import Layer
from .observe import Runner, Tick, observe
from .parameters import set_parameters
from .recipe import Equalise
from .select import Selection

SWEEPS = 20
SETTLED = 1e-3


@dataclass
class EqualiseChannels(GraphPass):
    """W y -> (W diag(f)⁻¹)(diag(f) y): the layers that make the channels of a tensor are scaled by positive factors f, those that read
    them by 1 / f, through Relu, pooling, sums, depthwise convolutions on either side, and Clip.

    `section.method`: "noise" takes, for each class of channels, the power of its ranges with which its readers' outputs are expected to
    suffer least from quantisation, or the least power that is hardly worse; "weights" makes the greatest weights on both sides of each
    channel equal (arXiv 1906.04721), which is what one scale for all weights of a layer wants.

    Exact to f32 rounding, but for Clip(x, 0, c): the bound stays one number, so a channel that comes near it (its greatest value over the
    calibration data, times `section.margin`, or the greatest one that its layer can make of inputs that a Clip bounds, or of inputs of
    the model as calibration shows them, whichever is less) keeps its scale, and another is scaled so far that it stays below: it is
    clipped at c / f, which is at least as much, instead of at c.

    levels: layer name -> the greatest integer of its weights, 127 where it is not there. origins: node name -> the name that the recipe
    knows it by. Afterwards, made: layer name -> f of its output channels; read: layer name -> f of its input channels.
    """

    section: Equalise
    selection: Selection[None]
    data: Calibration
    runner: Runner
    tick: Tick | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    made: dict[str, np.ndarray] = field(default_factory=dict)
    read: dict[str, np.ndarray] = field(default_factory=dict)

    name = "equalise-channels"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        skipped = [node.name for node in view.graph.nodes if self.origins.get(node.name, node.name) in self.selection.skipped]
        found = channel_classes(view, skipped)
        usable = [each for each in found if each.refusal is None]
        for refused in (each for each in found if each.refusal is not None):
            for layer in refused.producers:
                yield Reject(f"outputs not scaled: {refused.refusal}", layer.node)
        ranges = self._measure(view, usable)
        factors = self._by_weights(usable, ranges) if self.section.method == "weights" else self._by_noise(usable, ranges)
        for each, f in zip(usable, factors, strict=True):
            self.made.update((layer.name, f) for layer in each.producers)
            self.read.update((layer.name, f) for layer, _ in each.consumers)
        layers = {layer.name: layer for each in usable for layer in _layers(each)}
        for name, layer in layers.items():
            yield _scaled(layer, self.made.get(name), self.read.get(name))

    def _measure(self, view: View, classes: list[ChannelClass]) -> dict[str, ChannelRanges]:
        """Of every tensor that a layer reads, and of the inputs of the model that layers read whose outputs have a ceiling."""
        inputs = {tensor.name for tensor in view.graph.inputs}
        makers = [layer.node.inputs[0].name for each in classes if np.isfinite(each.ceiling) for layer in each.producers]
        read = [name for each in classes for _, name in each.consumers]
        observers = {name: RangeByChannel() for name in [*read, *(name for name in makers if name in inputs)]}
        observe(to_model(view.graph), {k: [v] for k, v in observers.items()}, self.data, self.runner, self.section.samples, self.tick)
        return {name: observer.ranges() for name, observer in observers.items()}

    def _by_noise(self, classes: list[ChannelClass], ranges: Mapping[str, ChannelRanges]) -> list[np.ndarray]:
        return [self._least_noise(each, ranges) for each in classes]

    def _least_noise(self, each: ChannelClass, ranges: Mapping[str, ChannelRanges]) -> np.ndarray:
        reach = np.max([ranges[name].reach for _, name in each.consumers], axis=0)
        limit = self._limit(each, reach, ranges)
        candidates = [bound(toward_equal(reach, each.ceiling, s), limit, each.ceiling) for s in STRENGTHS]
        noise = [
            sum(
                expected_noise(f, layer.weight, layer.group, ranges[name], self.levels.get(layer.name, 127))
                for layer, name in each.consumers
            )
            for f in candidates
        ]
        return candidates[mildest(noise)]

    def _limit(self, each: ChannelClass, reach: np.ndarray, ranges: Mapping[str, ChannelRanges]) -> np.ndarray:
        """What channels that came up to `reach` are taken to stay below, where the class has a ceiling."""
        expected = reach * self.section.margin
        interval = _interval(each.producers[0].node.inputs[0], ranges) if len(each.producers) == 1 else None
        if interval is None or np.isinf(each.ceiling):
            return expected
        (layer,) = each.producers
        return np.minimum(expected, greatest_output(layer.weight, layer.bias, *interval, layer.group))

    def _by_weights(self, classes: list[ChannelClass], ranges: Mapping[str, ChannelRanges]) -> list[np.ndarray]:
        """Balancing one class unbalances its neighbours, so sweeps go on until the factors settle."""
        reach = [np.max([ranges[name].reach for _, name in each.consumers], axis=0) for each in classes]
        limits = [self._limit(each, r, ranges) for each, r in zip(classes, reach, strict=True)]
        weights = {layer.name: layer.weight.astype(np.float64) for each in classes for layer in _layers(each)}
        total = [np.ones(len(r)) for r in reach]
        for _ in range(SWEEPS):
            change = 0.0
            for i, each in enumerate(classes):
                made = np.max([row_peaks(weights[layer.name]) for layer in each.producers], axis=0)
                read = np.max([column_peaks(weights[layer.name], layer.group) for layer, _ in each.consumers], axis=0)
                new = bound(total[i] * balance(made, read), limits[i], each.ceiling)
                step, total[i] = new / total[i], new
                for layer in each.producers:
                    weights[layer.name] = scale_rows(weights[layer.name], step)
                for layer, _ in each.consumers:
                    weights[layer.name] = scale_columns(weights[layer.name], 1 / step, layer.group)
                change = max(change, float(np.abs(np.log(step)).max()))
            if change < SETTLED:
                break
        return total


def _interval(tensor: gs.Tensor, ranges: Mapping[str, ChannelRanges]) -> tuple[np.ndarray, np.ndarray] | None:
    """Per channel, the bounds of a tensor that a Clip made, or of one that nothing made: as measured; None where there are none."""
    maker = producer(tensor)
    if maker is None and tensor.name in ranges:
        return ranges[tensor.name].lo, ranges[tensor.name].hi
    ceiling = clip_ceiling(maker) if maker is not None and is_op(maker, "Clip") else None
    if ceiling is None or np.isinf(ceiling) or tensor.name not in ranges:
        return None
    channels = np.shape(ranges[tensor.name].hi)
    return np.zeros(channels), np.full(channels, ceiling)


def _layers(each: ChannelClass) -> list[Layer]:
    return [*each.producers, *(layer for layer, _ in each.consumers)]


def _scaled(layer: Layer, made: np.ndarray | None, read: np.ndarray | None) -> Patch:
    """The layer with output channels times `made` and input channels, which come times `read`, divided by it."""
    weight = scaled_weight(layer.weight, made, read, layer.group)
    bias = layer.bias if made is None or layer.bias is None else (layer.bias * made).astype(np.float32)
    patch = set_parameters(layer, weight, bias)
    if made is not None:
        patch.note(least_factor=float(made.min()), greatest_factor=float(made.max()))
    return patch
