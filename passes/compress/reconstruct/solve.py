"""One layer: moments and a choice of support in, new weights and what is known of their error out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layers import Layer
from .active import Columns
from .moments import LayerMoments, Problem
from .refit import refit
from .support import Support

CHECKED_CHANNELS = 16
"""Output channels whose over-fitting is measured."""


@dataclass
class Solution:
    """weight as Layer.weight has it, bias [out] or None where the layer can have none. Errors are mean squares of the output, over the
    wanted output's variance.

    error_before: with the same zeros and the other weights as they were; error: of the solution. fitted_error and held_out_error: of
    solutions for one half of the data, on the half that they saw and on the half that they did not. unseen: the share of inputs
    that never vary.
    """

    weight: np.ndarray
    bias: np.ndarray | None
    error_before: float
    error: float
    fitted_error: float
    held_out_error: float
    unseen: float

    def facts(self) -> dict[str, float]:
        names = ("error_before", "error", "fitted_error", "held_out_error", "unseen")
        return {f"output_{name}" if "error" in name else "inputs_unseen": getattr(self, name) for name in names}


@dataclass
class Evidence:
    """What states a layer's problem: `problem`, of all output channels in its groups; the same of either half of the data, for those
    output channels that `checked` picks among groups and among the channels of each."""

    problem: Problem
    halves: tuple[Problem, Problem]
    checked: tuple[slice, slice]

    @classmethod
    def of_moments(cls, layer: Layer, halves: tuple[LayerMoments, LayerMoments], has_bias: bool) -> Evidence:
        """Of all columns, and one Hessian for the channels of a group. has_bias: the solution may have one."""
        checked = (slice(None), slice(None, None, max(len(layer.weight) // CHECKED_CHANNELS, 1)))
        first, second = (_channels(half.problem(has_bias), checked[1]) for half in halves)
        return cls((halves[0] + halves[1]).problem(has_bias), (first, second), checked)

    @classmethod
    def of_columns(cls, columns: Columns) -> Evidence:
        """Of some columns, and a Hessian for every channel, which is a group by itself. Errors count in proportion to the columns in
        which they do, so that those of different channels can be compared."""
        out = columns.outputs.shape[1]
        picked = slice(None, None, max(out // CHECKED_CHANNELS, 1))
        every = columns.problem(slice(None)).times(columns.share(slice(None)))
        first, second = (half.problem(picked).times(half.share(picked)) for half in (columns.half(False), columns.half(True)))
        return cls(every, (first, second), (picked, slice(None)))


def solve_layer(layer: Layer, evidence: Evidence, support: Support, damping: float) -> Solution:
    """The weights, 0 outside of the support, and the bias that come closest to the wanted outputs. damping: of the mean of the diagonal
    of H."""
    problem = evidence.problem
    has_bias = layer.node.op != "MatMul"
    prior = layer.weight.reshape(problem.cross.shape)
    damped = problem.damped(damping, prior)
    keep, start = support(damped)
    weight = refit(damped, keep, start).astype(np.float32)
    bias = problem.bias(weight).astype(np.float32).reshape(-1) if has_bias else None
    signal = float(problem.signal.sum()) or 1.0
    old_bias = None if layer.bias is None else layer.bias.reshape(problem.signal.shape)
    before = problem.errors(np.where(keep, prior, 0), old_bias).sum() / signal
    fitted, held_out = halves_errors(evidence, keep, prior, damping)
    unseen = unseen_share(problem, damped)
    error = float(problem.errors(weight).sum() / signal)
    return Solution(weight.reshape(layer.weight.shape), bias, float(before), error, fitted, held_out, unseen)


def halves_errors(evidence: Evidence, keep: np.ndarray, prior: np.ndarray, damping: float) -> tuple[float, float]:
    """Mean relative errors of solutions for either half of the data, on that half and on the other, over some output channels; keep, prior:
    as the problem has its weights."""
    keep, prior = keep[evidence.checked], prior[evidence.checked]
    fitted = held_out = 0.0
    for seen, other in (evidence.halves, evidence.halves[::-1]):
        weight = refit(seen.damped(damping, prior), keep)
        fitted += seen.errors(weight).sum() / (seen.signal.sum() or 1.0) / 2
        held_out += other.errors(weight, seen.bias(weight)).sum() / (other.signal.sum() or 1.0) / 2
    return float(fitted), float(held_out)


def unseen_share(problem: Problem, damped: Problem) -> float:
    """Of the inputs, those that never vary in the data."""
    return float((np.diagonal(problem.hessian, axis1=1, axis2=2) <= 1e-12 * damped.hessian.max()).mean())


def _channels(problem: Problem, chosen: slice) -> Problem:
    cross, power, signal, mean_y = (a[:, chosen] for a in (problem.cross, problem.power, problem.signal, problem.mean_y))
    return Problem(problem.hessian, cross, power, signal, problem.mean_x, mean_y)
