"""Quantised layers: integers, scales and biases, rounded to nearest or so that the layers' outputs stay what they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import copy, infer_shapes, sort_nodes, to_model
from .calibration import Calibration
from .formats import Format
from .layers import Layer, as_layer
from .observe import Runner, Tick
from .prune_math import sparsity_of
from .quantize_math import QuantParams, bias_shift, quantize_bias, quantize_weight, weight_scales
from .reconstruct.active import Columns, Part, column_count, has_active_form, linear_part, round_active
from .reconstruct.gather import MomentsWalk
from .reconstruct.moments import LayerMoments, Problem
from .reconstruct.refit import refit as least_squares
from .reconstruct.rounding import quantise_to_outputs
from .reconstruct.solve import Evidence, halves_errors, unseen_share
from .reconstruct.workspace import workspace
from .rounded import RoundedLayer, RoundedLayers
from .supports import Supports

SOLVER_VERSION = 2
"""Of the layers that a state folder holds."""

ACTIVE_WORK = 1 << 28
"""Output channels times squared inputs of a layer; one with more has one Hessian for all channels."""

DAMPINGS = (0.003, 0.03, 0.3, 3.0)


def round_to_nearest(layer: Layer, form: Format, params: QuantParams | None, mean: np.ndarray | None) -> RoundedLayer:
    """params: of the layer's input. Where the input's `mean` [in] is known, the bias gives back what rounding adds on average,
    Σ (w' - w) · E[x] (Nagel et al., arXiv 1906.04721, section 4.2, with measured means)."""
    bias = layer.bias if params is not None else None
    scale = weight_scales(layer.weight, bias, params.scale if params else np.float32(1), form.limit, form.per_channel)
    rounded = RoundedLayer(quantize_weight(layer.weight, scale, form.limit), scale, layer.bias)
    if mean is not None and bias is not None:
        rounded.bias = (bias - bias_shift(rounded.weight - layer.weight, mean, layer.group)).astype(np.float32)
    return rounded


def round_to_outputs(
    graph: gs.Graph, original: gs.Graph, formats: Mapping[str, Format], params: Mapping[str, QuantParams | None],
    gains: Mapping[str, np.ndarray], data: Calibration, runner: Runner, limit: int | None, refit: bool, tick: Tick | None = None,
    state: Path | None = None, supports: Supports | None = None,
) -> Iterator[tuple[str, RoundedLayer]]:  # fmt: skip
    """Layers in the order of the graph, each for its input as the layers before it, quantised, make it, and for its output in `original`,
    times `gains` (per output channel, by layer name). Those that `supports` prunes are solved for the same before they are rounded.

    graph: with quantised activations and f32 weights; it is left as it is. original: a graph with nodes of the same names. state: a folder
    by which a run that was interrupted is continued.
    """
    changed = copy(graph)
    sort_nodes(changed)
    infer_shapes(changed)
    nodes, wanted = ({node.name: node for node in each.nodes} for each in (changed, original))
    names = [node.name for node in changed.nodes if node.name in formats]
    with workspace(state) as folder:
        walk = MomentsWalk(changed, original, names, data, runner, folder / "activations", limit)
        kept = RoundedLayers(folder, _key(changed, original, formats, params, gains, refit, supports, walk.inputs.digest))
        for done, name in enumerate(names):
            layer = as_layer(nodes[name])
            assert isinstance(layer, Layer)
            rounded = kept.get(done)
            if rounded is None:
                pruned = supports if supports is not None and name in supports.masks else None
                rounded = _solve(layer, formats[name], walk, wanted, gains.get(name), refit, pruned)
                kept.put(done, rounded)
            _set(layer, rounded, params[name])
            yield name, rounded
            if tick is not None:
                tick(done + 1, len(names))


def _key(
    graph: gs.Graph, original: gs.Graph, formats: Mapping[str, Format], params: Mapping[str, QuantParams | None],
    gains: Mapping[str, np.ndarray], refit: bool, supports: Supports | None, inputs: str,
) -> str:  # fmt: skip
    """Of all that rounded layers depend on. inputs: a digest of the calibration data."""
    digest = hashlib.sha256(f"{SOLVER_VERSION} {refit} {inputs}".encode())
    digest.update(b"" if supports is None else supports.digest())
    for each in (graph, original):
        digest.update(to_model(each).SerializeToString(deterministic=True))
    for name, form in formats.items():
        gain = gains.get(name)
        digest.update(f"{name} {form} {params[name]}".encode() + (b"" if gain is None else gain.tobytes()))
    return digest.hexdigest()


def _times(moments: LayerMoments, gain: np.ndarray | None) -> LayerMoments:
    """Moments for outputs times `gain` [out]."""
    if gain is None:
        return moments
    g = gain.reshape(moments.outputs.shape)
    cross, outputs, power = moments.cross * g[:, :, None], moments.outputs * g, moments.power * g * g
    return LayerMoments(moments.inner, cross, moments.inputs, outputs, power, moments.count)


def _solve(
    layer: Layer, form: Format, walk: MomentsWalk, original: Mapping[str, gs.Node], gain: np.ndarray | None, refit: bool,
    pruned: Supports | None,
) -> RoundedLayer:  # fmt: skip
    """original: the nodes of the original model. pruned: what says which of the layer's weights stay; None where it is not pruned."""
    linear = _passed_on(layer, form, original) if pruned is None else pruned.linear_part(layer, original)
    if linear is None:
        first, second = (_times(half, gain) for half in walk.halves(layer))
        if pruned is None:
            return _round(layer, form, first, second, refit)
        return _prune_and_round(layer, form, Evidence.of_moments(layer, (first, second), layer.bias is not None), pruned)
    columns = Columns.of(*walk.sampled(layer, column_count(layer)), linear, gain)
    if pruned is None:
        return _round_active(layer, form, columns)
    return _prune_and_round(layer, form, Evidence.of_columns(columns), pruned)


def _passed_on(layer: Layer, form: Format, original: Mapping[str, gs.Node]) -> Part | None:
    """The outputs of a layer that alone are to be kept; None where all are."""
    fits = form.active_only and layer.group == 1 and has_active_form(layer, ACTIVE_WORK)
    return linear_part(original[layer.name]) if fits else None


def _round_active(layer: Layer, form: Format, columns: Columns) -> RoundedLayer:
    found = round_active(columns, layer.weight.reshape(len(layer.weight), -1), DAMPINGS[1], form.limit, form.group_size)
    integers = found.integers.astype(np.int8).reshape(layer.weight.shape)
    rounded = RoundedLayer(integers, found.scale.astype(np.float32), found.bias.astype(np.float32))
    rounded.facts = {"damping": DAMPINGS[1], "output_error": found.error, "output_error_unrounded": found.unrounded}
    return rounded


def _round(layer: Layer, form: Format, first: LayerMoments, second: LayerMoments, refit: bool) -> RoundedLayer:
    problem = (first + second).problem(layer.bias is not None)
    prior = layer.weight.astype(np.float64).reshape(problem.cross.shape)
    keep = prior != 0
    damping = _least_held_out(layer, first, second, prior) if refit else DAMPINGS[1]
    damped = problem.damped(damping, prior)
    if not refit:
        damped.cross = prior @ damped.hessian
    target = least_squares(damped, keep) if refit and keep.all() else prior
    rounded = _rounded(layer, form, problem, damped, target, keep)
    rounded.facts["damping"] = damping
    return rounded


def _prune_and_round(layer: Layer, form: Format, evidence: Evidence, pruned: Supports) -> RoundedLayer:
    """What pruning and rounding each do to the output, and what came before them, the weights that stay make up for together."""
    prior = layer.weight.reshape(evidence.problem.cross.shape)
    damped = evidence.problem.damped(pruned.damping, prior)
    keep, start = pruned.support(layer)(damped)
    rounded = _rounded(layer, form, evidence.problem, damped, least_squares(damped, keep, start), keep)
    fitted, held_out = halves_errors(evidence, keep, prior, pruned.damping)
    rounded.facts |= {"damping": pruned.damping, "sparsity_before": sparsity_of(layer.weight), "sparsity": sparsity_of(rounded.integers)}
    rounded.facts |= {"output_fitted_error": fitted, "output_held_out_error": held_out}
    rounded.facts["inputs_unseen"] = unseen_share(evidence.problem, damped)
    return rounded


def _rounded(layer: Layer, form: Format, problem: Problem, damped: Problem, target: np.ndarray, keep: np.ndarray) -> RoundedLayer:
    """target: the solution of `damped` on `keep`."""
    integers, scale = quantise_to_outputs(damped, target, form.limit, keep, form.per_channel, form.group_size)
    weight = (integers * scale[:, :, None].astype(np.float32)).astype(np.float32)
    bias = problem.bias(weight).astype(np.float32).reshape(-1) if layer.bias is not None else None
    signal = float(problem.signal.sum()) or 1.0
    error = float(problem.errors(weight).sum() / signal)
    floor = float(problem.errors(target).sum() / signal)
    rounded = RoundedLayer(integers.astype(np.int8).reshape(layer.weight.shape), scale.astype(np.float32).reshape(-1), bias)
    rounded.facts = {"output_error": error, "output_error_unrounded": floor}
    return rounded


def _least_held_out(layer: Layer, first: LayerMoments, second: LayerMoments, prior: np.ndarray) -> float:
    """The damping of which solutions for one half of the data do best on the other."""
    problems = [half.problem(layer.bias is not None) for half in (first, second)]
    errors = []
    for damping in DAMPINGS:
        total = 0.0
        for seen, other in (problems, problems[::-1]):
            weight = least_squares(seen.damped(damping, prior), np.ones(prior.shape, bool))
            total += float(other.errors(weight, seen.bias(weight)).sum())
        errors.append(total)
    return DAMPINGS[int(np.argmin(errors))]


def _set(layer: Layer, rounded: RoundedLayer, params: QuantParams | None) -> None:
    """Gives the layer's node, in place, the weights and bias that its quantised form computes with."""
    layer.node.inputs[1] = gs.Constant(f"{layer.node.inputs[1].name}_rounded", layer.stored(rounded.weight))
    if rounded.bias is not None:
        bias = rounded.bias
        if params is not None:
            scale = params.scale * rounded.scale
            bias = quantize_bias(bias, scale) * scale
        layer.node.inputs[2] = gs.Constant(f"{layer.node.inputs[2].name}_rounded", bias.astype(np.float32))
        layer.node.attrs.pop("beta", None)
