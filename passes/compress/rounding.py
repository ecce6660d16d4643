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
from .quantize_math import QuantParams, bias_shift, quantize_bias, quantize_weight, weight_scales
from .reconstruct.active import WORK, Columns, linear_part, round_active
from .reconstruct.columns import PIECE
from .reconstruct.gather import MomentsWalk
from .reconstruct.moments import LayerMoments
from .reconstruct.refit import refit as least_squares
from .reconstruct.rounding import quantise_to_outputs
from .reconstruct.workspace import workspace
from .rounded import RoundedLayer, RoundedLayers

SOLVER_VERSION = 1
"""Of the layers that a state folder holds."""

COLUMNS = 1 << 14
"""Of a layer whose output channels are solved one by one."""

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
    state: Path | None = None,
) -> Iterator[tuple[str, RoundedLayer]]:  # fmt: skip
    """Layers in the order of the graph, each for its input as the layers before it, quantised, make it, and for its output in `original`,
    times `gains` (per output channel, by layer name).

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
        kept = RoundedLayers(folder, _key(changed, original, formats, params, gains, refit, walk.inputs.digest))
        for done, name in enumerate(names):
            layer = as_layer(nodes[name])
            assert isinstance(layer, Layer)
            rounded = kept.get(done)
            if rounded is None:
                linear = _passed_on(layer, formats[name], wanted[name])
                if linear is not None:
                    rounded = _round_active(layer, formats[name], walk, linear, gains.get(name))
                else:
                    first, second = (_times(half, gains.get(name)) for half in walk.halves(layer))
                    rounded = _round(layer, formats[name], params[name], first, second, refit)
                kept.put(done, rounded)
            _set(layer, rounded, params[name])
            yield name, rounded
            if tick is not None:
                tick(done + 1, len(names))


def _key(
    graph: gs.Graph, original: gs.Graph, formats: Mapping[str, Format], params: Mapping[str, QuantParams | None],
    gains: Mapping[str, np.ndarray], refit: bool, inputs: str,
) -> str:  # fmt: skip
    """Of all that rounded layers depend on. inputs: a digest of the calibration data."""
    digest = hashlib.sha256(f"{SOLVER_VERSION} {refit} {inputs}".encode())
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


def _passed_on(layer: Layer, form: Format, original: gs.Node) -> tuple[float, float] | None:
    """The outputs of a layer that alone are to be kept; None where all are."""
    work = layer.weight.size * layer.weight[0].size
    return linear_part(original) if form.active_only and layer.group == 1 and layer.bias is not None and work <= WORK else None


def _round_active(layer: Layer, form: Format, walk: MomentsWalk, linear: tuple[float, float], gain: np.ndarray | None) -> RoundedLayer:
    rows = layer.weight.reshape(len(layer.weight), -1)
    inputs, outputs = walk.sampled(layer, max(min(COLUMNS, 2 * PIECE // sum(rows.shape)), 1))
    found = round_active(Columns.of(inputs, outputs, linear, gain), rows, DAMPINGS[1], form.limit, form.group_size)
    integers = found.integers.astype(np.int8).reshape(layer.weight.shape)
    rounded = RoundedLayer(integers, found.scale.astype(np.float32), found.bias.astype(np.float32))
    rounded.facts = {"damping": DAMPINGS[1], "output_error": found.error, "output_error_unrounded": found.unrounded}
    return rounded


def _round(layer: Layer, form: Format, params: QuantParams | None, first: LayerMoments, second: LayerMoments, refit: bool) -> RoundedLayer:
    fit_bias = layer.bias is not None
    problem = (first + second).problem(fit_bias)
    prior = layer.weight.astype(np.float64).reshape(problem.cross.shape)
    keep = prior != 0
    damping = _least_held_out(layer, first, second, prior) if refit else DAMPINGS[1]
    damped = problem.damped(damping, prior)
    if not refit:
        damped.cross = prior @ damped.hessian
    target = least_squares(damped, keep) if refit and keep.all() else prior
    integers, scale = quantise_to_outputs(damped, target, form.limit, keep, form.per_channel, form.group_size)
    weight = (integers * scale[:, :, None].astype(np.float32)).astype(np.float32)
    bias = problem.bias(weight).astype(np.float32).reshape(-1) if fit_bias else None
    signal = float(problem.signal.sum()) or 1.0
    error = float(problem.errors(weight).sum() / signal)
    floor = float(problem.errors(target).sum() / signal)
    rounded = RoundedLayer(integers.astype(np.int8).reshape(layer.weight.shape), scale.astype(np.float32).reshape(-1), bias)
    rounded.facts = {"damping": damping, "output_error": error, "output_error_unrounded": floor}
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
