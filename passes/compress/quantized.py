"""The quantised form of planned tensors and layers, as patches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, producer
from ..base import Reject
from ..patch import Patch
from .formats import Format
from .layers import Layer
from .metrics import sqnr_db
from .quantize_math import QuantParams, quantize_bias
from .quantize_plan import QuantPlan, data_inputs
from .rounded import RoundedLayer
from .rounding import round_to_nearest


def layer_inputs(plan: QuantPlan, params: Mapping[str, QuantParams]) -> dict[str, QuantParams | None]:
    """Layer name -> the parameters of its input; None where that comes quantised from elsewhere."""
    return {layer.name: params.get(layer.node.inputs[0].name) for layer in plan.layers.values()}


def nearest_layers(
    plan: QuantPlan, formats: Mapping[str, Format], inputs: Mapping[str, QuantParams | None], means: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, RoundedLayer]]:
    """Every layer of the plan, rounded to nearest. means: of the input channels of layers whose bias is corrected."""
    for name, layer in plan.layers.items():
        yield name, round_to_nearest(layer, formats[name], inputs[name], means.get(name))


def quantize_as_planned(
    view: View, plan: QuantPlan, params: Mapping[str, QuantParams], formats: Mapping[str, Format],
    rounded: Iterable[tuple[str, RoundedLayer]],
) -> Iterator[Patch | Reject]:  # fmt: skip
    """The patches of the plan: tensors, then layers. params: of every tensor of it, by name. rounded: asked for when all tensors are
    quantised."""
    inputs = layer_inputs(plan, params)
    for tensor, chosen in [(tensor, params[tensor.name]) for tensor in plan.tensors]:
        yield _quantize_tensor(tensor, chosen, plan)
    for name, result in list(rounded):
        yield _quantize_layer(plan.layers[name], inputs[name], result, formats[name])
    for node in list(view.graph.nodes):
        if node.name in plan.refused:
            yield Reject(plan.refused[node.name], node)


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


def _quantize_layer(layer: Layer, params: QuantParams | None, rounded: RoundedLayer, form: Format) -> Patch:
    """`params` of the layer's input; None where it comes quantised from elsewhere: then the bias stays f32."""
    node, patch, stem = layer.node, Patch(layer.node), layer.node.inputs[1].name
    scale = rounded.scale if form.per_channel else rounded.scale[0]
    stored = patch.const(layer.stored(rounded.integers), f"{stem}_quantized")
    zeros = patch.const(np.zeros(scale.shape, np.int8), f"{stem}_zero_point")
    inputs = [stored, patch.const(scale, f"{stem}_scale"), zeros]
    axis = {"axis": layer.out_axis} if form.per_channel else None
    patch.set_input(node, 1, patch.node("DequantizeLinear", inputs, axis, name=f"{stem}_DequantizeLinear"))
    if rounded.bias is not None and params is not None:
        _set_bias(patch, node, rounded.bias, params.scale * scale)
    elif rounded.bias is not None and rounded.bias is not layer.bias:
        patch.set_input(node, 2, patch.const(rounded.bias, node.inputs[2]))
        patch.set_attr(node, "beta", None)
    facts = {"weight_sqnr_db": sqnr_db(layer.weight, rounded.weight), **rounded.facts}
    patch.note(bits=form.bits, **facts)
    return patch


def _set_bias(patch: Patch, node: gs.Node, bias: np.ndarray, scale: np.ndarray) -> None:
    stem = node.inputs[2].name
    integers = patch.const(quantize_bias(bias, scale), f"{stem}_quantized")
    inputs = [integers, patch.const(scale, f"{stem}_scale")]
    patch.set_input(node, 2, patch.node("DequantizeLinear", inputs, {"axis": 0} if scale.ndim else None, name=f"{stem}_DequantizeLinear"))
    if "beta" in node.attrs:
        patch.set_attr(node, "beta", None)
