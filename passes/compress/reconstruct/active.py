"""Rounding of weights to those outputs alone that the activation behind a layer passes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from ....graph import constant, is_op, operand
from .moments import Problem
from .rounding import quantise_to_outputs

CLIPPED = np.float32(0.05)
"""Weight of outputs that the activation does not pass on: errors can carry them back into its linear part."""
EDGE = np.float32(0.1)
"""By so many deviations of an output channel the linear part is taken wider, for the same reason."""
ELEMENTS = 1 << 22
"""Of Hessians that are held at a time."""
WORK = 1 << 28
"""Output channels times squared columns of a layer; one with more has one Hessian for all channels."""


def linear_part(node: gs.Node) -> tuple[float, float] | None:
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


@dataclass
class Columns:
    """Some columns of a layer of one group, f32: inputs [n, k], outputs [n, out] that it is to have; active [n, out]: those that count."""

    inputs: np.ndarray
    outputs: np.ndarray
    active: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, outputs: np.ndarray, linear: tuple[float, float], gain: np.ndarray | None) -> Columns:
        """linear: the part of `outputs` that is passed on; gain [out]: by which these are multiplied then, None: 1."""
        edge = EDGE * outputs.std(axis=0)
        active = (outputs > linear[0] - edge) & (outputs < linear[1] + edge)
        return cls(inputs, outputs if gain is None else outputs * gain.astype(np.float32), active)

    def problem(self, channels: slice) -> Problem:
        """The least-squares problems of some output channels, each a group by itself, with the bias: of channel o

            min over w, b of Σ m (w x + b - y)² / Σ m   over columns (x, y),   m = 1 where y is active, CLIPPED elsewhere.
        """
        center = self.inputs.mean(axis=0)
        x, active = self.inputs - center, self.active[:, channels]
        level = self.outputs[:, channels].mean(axis=0)
        y, weight = self.outputs[:, channels] - level, np.where(active, np.float32(1), CLIPPED)
        total = weight.sum(axis=0, dtype=np.float64)[:, None]
        mean_x, mean_y = (weight.T @ x) / total, (weight * y).sum(axis=0, dtype=np.float64)[:, None] / total
        every = CLIPPED * (x.T @ x)
        hessian = np.empty((len(total), x.shape[1], x.shape[1]))
        for o, own in enumerate(hessian):
            seen = x[active[:, o]]
            own[:] = ((1 - CLIPPED) * (seen.T @ seen) + every) / total[o]
        hessian -= mean_x[:, :, None] * mean_x[:, None, :]
        cross = ((weight * y).T @ x) / total - mean_y * mean_x
        power = np.maximum((weight * y * y).sum(axis=0, dtype=np.float64)[:, None] / total - mean_y**2, 0)
        return Problem(hessian, cross[:, None], power, power, mean_x + center, mean_y + level[:, None])


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
