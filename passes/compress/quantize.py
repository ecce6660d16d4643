"""Static int8 quantisation: observe the activations, choose a range for each tensor, write QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, is_op, producer, to_model
from ..base import GraphPass, Reject
from ..patch import Patch
from .calibration import Calibration
from .histogram import Histogram, minmax_range, mse_range, percentile_range
from .layers import Layer, per_output_row
from .metrics import sqnr_db
from .moments import ChannelMoments
from .observe import Observer, Runner, Tick, observe
from .quantize_math import QuantParams, activation_params, bias_shift, quantize_bias, quantize_weight, weight_scales
from .quantize_plan import FUSED_OPS, QuantPlan, data_inputs, plan_quantization
from .recipe import Quantize, QuantizeLayer
from .select import Selection


@dataclass
class QuantizeInt8(GraphPass):
    """Layers with constant weights and the operators between them, in f32 -> the same with QuantizeLinear and DequantizeLinear.

    Activations: u8, asymmetric, per tensor, QuantizeLinear(x) = clamp(rint(x / scale) + zero_point). Weights: s8 in -127...127,
    symmetric, per output channel, scale = max |w| / 127. Biases: s32 in steps of scale_x * scale_w. quantize_plan.py says which nodes and
    tensors. Where `section.correct_bias`, the mean that rounding the weights adds to a channel, Σ (w' - w) · E[x], is taken off
    its bias (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019, with measured means).

    One pass over at most `section.samples` samples. `origins`: node name -> the name that the recipe knows it by, where it was made
    from another node.
    """

    section: Quantize
    selection: Selection[QuantizeLayer]
    data: Calibration
    runner: Runner
    tick: Tick | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    name = "quantize-int8"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        plan = plan_selected(view, self.selection, self.origins)
        yield from quantize_as_planned(view, plan, *self._observe(view.graph, plan))

    def _observe(self, graph: gs.Graph, plan: QuantPlan) -> tuple[dict[str, QuantParams], dict[str, np.ndarray]]:
        """Parameters of every tensor of the plan, and the mean of each input channel of every layer whose bias is to be corrected."""
        histograms = {name: Histogram() for name in plan.source.values()}
        observers: dict[str, list[Observer]] = {name: [histogram] for name, histogram in histograms.items()}
        moments = {}
        for layer in plan.layers.values() if self.section.correct_bias else ():
            if layer.bias is not None:
                moments[layer.name] = ChannelMoments(axis=1 if layer.node.op == "Conv" else -1)
                observers.setdefault(layer.node.inputs[0].name, []).append(moments[layer.name])
        observe(to_model(graph), observers, self.data, self.runner, self.section.samples, self.tick)
        tensors = graph.tensors()
        chosen = {name: activation_params(*choose_range(h, self._settings(tensors[name]))) for name, h in histograms.items()}
        return {name: chosen[source] for name, source in plan.source.items()}, {name: m.mean for name, m in moments.items()}

    def _settings(self, tensor: gs.Tensor) -> Quantize:
        """The section with the overrides for what makes `tensor`: a layer, then the activation behind it."""
        settings = self.section
        maker = producer(tensor)
        before = producer(maker.inputs[0]) if maker is not None and is_op(maker, *FUSED_OPS) else None
        for node in (before, maker):
            if node is not None:
                for override in self.selection.overrides.get(self.origins.get(node.name, node.name), []):
                    settings = settings.model_copy(update=override.model_dump(exclude_none=True))
        return settings


def plan_selected(view: View, selection: Selection[QuantizeLayer], origins: Mapping[str, str]) -> QuantPlan:
    """Without the nodes that the recipe skips. `origins`: as QuantizeInt8 has them."""
    skipped = {node.name: selection.skipped.get(origins.get(node.name, node.name)) for node in view.graph.nodes}
    return plan_quantization(view, {name: selector for name, selector in skipped.items() if selector is not None})


def quantize_as_planned(
    view: View, plan: QuantPlan, params: Mapping[str, QuantParams], means: Mapping[str, np.ndarray]
) -> Iterator[Patch | Reject]:
    """The patches of the plan. params: of every tensor of it, by name. means: of the input channels of layers whose bias is corrected."""
    scales = {layer.name: params.get(layer.node.inputs[0].name) for layer in plan.layers.values()}
    for tensor, chosen in [(tensor, params[tensor.name]) for tensor in plan.tensors]:
        yield _quantize_tensor(tensor, chosen, plan)
    for layer in plan.layers.values():
        yield _quantize_layer(layer, scales[layer.name], means.get(layer.name))
    for node in list(view.graph.nodes):
        if node.name in plan.refused:
            yield Reject(plan.refused[node.name], node)


def choose_range(histogram: Histogram, settings: Quantize) -> tuple[float, float]:
    """The range [lo, hi] that holds 0, by the method of `settings`."""
    if settings.range == "minmax":
        return minmax_range(histogram)
    if settings.range == "percentile":
        return percentile_range(histogram, settings.percentile)
    return mse_range(histogram)


def _quantize_tensor(tensor: gs.Variable, params: QuantParams, plan: QuantPlan) -> Patch:
    """Where an int8 node makes the tensor, all readers get the quantised values; else only int8 nodes do."""
    maker, stem = producer(tensor), tensor.name
    readers = [(node, i) for node in {id(n): n for n in tensor.outputs}.values() for i, t in enumerate(node.inputs) if t is tensor]
    patch = Patch(maker)
    scale = patch.const(np.asarray(params.scale, np.float32), f"{stem}_scale")
    zero_point = patch.const(np.asarray(params.zero_point, np.uint8), f"{stem}_zero_point")
    quantized = patch.node("QuantizeLinear", [tensor, scale, zero_point], name=f"{stem}_QuantizeLinear")
    result = patch.node("DequantizeLinear", [quantized, scale, zero_point], name=f"{stem}_DequantizeLinear")
    if maker is not None and maker.name in plan.nodes:
        patch.replace(tensor, result)
    else:
        for node, index in readers:
            if node.name in plan.nodes and index < len(data_inputs(node)):
                patch.set_input(node, index, result)
    patch.note(tensor=stem, scale=float(params.scale), zero_point=params.zero_point)
    return patch


def _quantize_layer(layer: Layer, params: QuantParams | None, mean: np.ndarray | None) -> Patch:
    """`params` of the layer's input; None where it comes quantised from elsewhere: then the bias stays f32."""
    node, axis = layer.node, layer.out_axis
    bias = layer.bias if params is not None else None
    scale = weight_scales(layer.weight, bias, params.scale if params else np.float32(1))
    integers = quantize_weight(layer.weight, scale)
    weight = integers * per_output_row(scale, integers)
    patch = Patch(node)
    stem = node.inputs[1].name
    scale_constant = patch.const(scale, f"{stem}_scale")
    stored = patch.const(layer.stored(integers), f"{stem}_quantized")
    zeros = patch.const(np.zeros(len(scale), np.int8), f"{stem}_zero_point")
    inputs = [stored, scale_constant, zeros]
    patch.set_input(node, 1, patch.node("DequantizeLinear", inputs, {"axis": axis}, name=f"{stem}_DequantizeLinear"))
    if bias is not None and params is not None:
        corrected = bias if mean is None else bias - bias_shift(weight - layer.weight, mean, layer.group)
        _set_bias(patch, node, corrected, params.scale * scale)
    patch.note(weight_sqnr_db=sqnr_db(layer.weight, weight), bytes_before=layer.weight.nbytes, bytes_after=integers.nbytes)
    return patch


def _set_bias(patch: Patch, node: gs.Node, bias: np.ndarray, scale: np.ndarray) -> None:
    stem = node.inputs[2].name
    integers = patch.const(quantize_bias(bias, scale), f"{stem}_quantized")
    inputs = [integers, patch.const(scale, f"{stem}_scale")]
    patch.set_input(node, 2, patch.node("DequantizeLinear", inputs, {"axis": 0}, name=f"{stem}_DequantizeLinear"))
    if "beta" in node.attrs:
        patch.set_attr(node, "beta", None)
