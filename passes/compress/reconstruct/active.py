"""Layers solved for those outputs alone that the activation behind them passes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from ....graph import constant, is_op, operand
from ..layers import Layer
from .columns import PIECE
from .moments import Problem
from .rounding import quantise_to_outputs

Part = tuple[float, float]
"""Bounds of the outputs on which an activation has the slope 1."""

CLIPPED = np.float32(0.05)
"""Weight of outputs that the activation does not pass on: errors can carry them back into its linear part."""
EDGE = np.float32(0.1)
"""By so many deviations of an output channel the linear part is taken wider, for the same reason."""
ELEMENTS = 1 << 22
"""Of Hessians that are held at a time."""
HELD = 1 << 25
"""Output channels times squared inputs of a layer, whose Hessians are all held at a time; one with more has one for all channels."""
COLUMNS = 1 << 14
"""Of a layer whose output channels are solved one by one."""


def linear_part(node: gs.Node) -> Part | None:
    """Between which outputs of `node` the one node that reads them, a Relu or a Clip by constants, has the slope 1; None where it is no
    such node, and where its slope is 1 everywhere."""
    readers = node.outputs[0].outputs
    if len(readers) != 1 or not is_op(readers[0], "Relu", "Clip"):
        return None
    if is_op(readers[0], "Relu"):
        return 0.0, np.inf
    found = []
    for index, default in ((1, -np.inf), (2, np.inf)):
        tensor = operand(readers[0], index)
        value = None if tensor is None else constant(tensor)
        if tensor is not None and value is None:
            return None
        found.append(default if value is None else float(value.reshape(-1)[0]))
    return (found[0], found[1]) if found[0] < found[1] and np.isfinite(found).any() else None


def column_count(layer: Layer) -> int:
    """How many columns state the problems of a layer's channels."""
    k = layer.weight[0].size
    return max(min(COLUMNS, 2 * PIECE // (layer.group * k + len(layer.weight))), 1)


def has_active_form(layer: Layer, limit: int) -> bool:
    """Whether every output channel of the layer can have a Hessian of its own: with a bias to move, and at most `limit` output channels
    times squared inputs."""
    return layer.bias is not None and layer.weight.size * layer.weight[0].size <= limit


@dataclass
class Columns:
    """Some columns of a layer, f32: inputs [group, n, k], outputs [n, out] that it is to have; active [n, out]: those that count."""

    inputs: np.ndarray
    outputs: np.ndarray
    active: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, outputs: np.ndarray, linear: Part, gain: np.ndarray | None) -> Columns:
        """linear: the part of `outputs` that is passed on; gain [out]: by which these are multiplied then, None: 1."""
        edge = EDGE * outputs.std(axis=0)
        active = (outputs > linear[0] - edge) & (outputs < linear[1] + edge)
        return cls(inputs, outputs if gain is None else outputs * gain.astype(np.float32), active)

    def half(self, second: bool) -> Columns:
        """The columns of the first or the second half of the data."""
        middle = len(self.outputs) // 2
        part = slice(middle, None) if second else slice(middle)
        return Columns(self.inputs[:, part], self.outputs[part], self.active[part])

    def share(self, channels: slice) -> np.ndarray:
        """[channels]: Σ m / n of `problem`."""
        return np.where(self.active[:, channels], 1.0, float(CLIPPED)).mean(axis=0)

    def problem(self, channels: slice) -> Problem:
        """The least-squares problems of some output channels, each a group by itself, with the bias: of channel o

            min over w, b of Σ m (w x + b - y)² / Σ m   over n columns (x, y),   m = 1 where y is active, CLIPPED elsewhere.
        """
        chosen, per_group, k = range(self.outputs.shape[1])[channels], self.outputs.shape[1] // len(self.inputs), self.inputs.shape[2]
        groups = {g: _Group.of(self.inputs[g]) for g in sorted({o // per_group for o in chosen})}
        result = Problem(*(np.empty((len(chosen), *shape)) for shape in ((k, k), (1, k), (1,), (1,), (k,), (1,))))
        for i, o in enumerate(chosen):
            group, active, y = groups[o // per_group], self.active[:, o], self.outputs[:, o]
            weight = np.where(active, np.float32(1), CLIPPED)
            total = weight.sum(dtype=np.float64)
            mean_x, mean_y = (weight @ group.inputs) / total, float(weight @ y) / total
            y, seen = y - np.float32(mean_y), group.inputs[active]
            result.hessian[i] = ((1 - CLIPPED) * (seen.T @ seen) + CLIPPED * group.inner) / total
            result.hessian[i] -= np.outer(mean_x, mean_x)
            result.cross[i] = ((weight * y) @ group.inputs) / total
            result.power[i] = result.signal[i] = np.square(y) @ weight / total
            result.mean_x[i], result.mean_y[i] = mean_x + group.center, mean_y
        return result


@dataclass
class _Group:
    """inputs [n, k] less their means, center [k]; inner: their products [k, k]."""

    inputs: np.ndarray
    center: np.ndarray
    inner: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray) -> _Group:
        center = inputs.mean(axis=0)
        centred = inputs - center
        return cls(centred, center, centred.T @ centred)


@dataclass
class Rounded:
    """integers and keep as the layer's weight [out, k]; scale, bias [out]. error, and unrounded: that of the weight as it was; both over
    the power of the outputs that count."""

    integers: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    error: float = 0.0
    unrounded: float = 0.0


def round_active(columns: Columns, weight: np.ndarray, damping: float, limit: int, group_size: int | None) -> Rounded:
    """`weight` [out, k] rounded within ±limit by `quantise_to_outputs`, every output channel with a Hessian of its own: what a Relu or a
    Clip takes away need not be right. Zeros stay zeros."""
    out, k = weight.shape
    result = Rounded(np.empty((out, k)), np.empty(out), np.empty(out))
    power = 0.0
    step = max(ELEMENTS // (k * k), 1)
    for channels in (slice(start, min(start + step, out)) for start in range(0, out, step)):
        problem, prior = columns.problem(channels), weight[channels, None].astype(np.float64)
        damped = problem.damped(damping, prior)
        damped.cross = prior @ damped.hessian
        integers, scale = quantise_to_outputs(damped, prior, limit, prior != 0, group_size=group_size)
        rounded = (integers * scale[:, :, None].astype(np.float32)).astype(np.float32)
        result.integers[channels], result.scale[channels] = integers[:, 0], scale[:, 0]
        result.bias[channels] = problem.bias(rounded)[:, 0]
        result.error += float(problem.errors(rounded).sum())
        result.unrounded += float(problem.errors(prior).sum())
        power += float(problem.power.sum())
    result.error, result.unrounded = (error / (power or 1.0) for error in (result.error, result.unrounded))
    return result
