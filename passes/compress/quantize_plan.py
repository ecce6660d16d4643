"""Which nodes become int8, which tensors are quantised for them, and whose range each tensor takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, producer, same_shape
from .layers import WEIGHT_OPS, Layer, as_layer

# Applied inside the layer that precedes them: only what comes out is quantised.
FUSED_OPS = frozenset({"Relu", "Clip", "HardSwish"})
# Functions of one value: 256 results.
LOOKUP_OPS = FUSED_OPS | {"HardSigmoid", "LeakyRelu", "Sigmoid", "Tanh"}
# Pass values on, so that both sides have one scale.
PASSING_OPS = frozenset({"MaxPool", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split"})
JOINING_OPS = frozenset({"Add", "Concat"})
AVERAGE_OPS = frozenset({"AveragePool", "GlobalAveragePool"})
FOLLOWING_OPS = LOOKUP_OPS | PASSING_OPS | JOINING_OPS | AVERAGE_OPS


@dataclass
class QuantPlan:
    """layers: int8 nodes with weights, by name. nodes: names of all int8 nodes. refused: other nodes that could have been, and why.

    tensors: what gets a QuantizeLinear and DequantizeLinear, in graph order. source: tensor name -> the tensor whose range it takes.
    fused: names of activations that are applied before their layer's output is quantised, of SiLU both nodes.
    """

    layers: dict[str, Layer] = field(default_factory=dict)
    nodes: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    tensors: list[gs.Variable] = field(default_factory=list)
    source: dict[str, str] = field(default_factory=dict)
    fused: set[str] = field(default_factory=set)


def plan_quantization(view: View, skipped: Mapping[str, str]) -> QuantPlan:
    """Plans int8 for a graph in topological order. `skipped`: node name -> the selector that keeps it in f32.

    A layer with weights is int8 unless it is skipped. The nodes in FOLLOWING_OPS are int8 between int8 nodes: where a value comes from
    one and a result goes to one.
    """
    plan = QuantPlan()
    for node in view.graph.nodes:
        silu = _silu(node, plan, view)
        reason = _refusal(node, plan, skipped) if silu is None else None
        if reason is None:
            plan.nodes.add(node.name)
            if silu is not None:
                plan.fused |= {silu.name, node.name}
            elif _follows(node, plan, view):
                plan.fused.add(node.name)
        elif reason:
            plan.refused[node.name] = reason
    _drop_unused(view.graph, plan)
    _collect_tensors(view.graph, plan)
    plan.source = {tensor.name: _source(tensor, plan).name for tensor in plan.tensors}
    return plan


def data_inputs(node: gs.Node) -> list[gs.Tensor]:
    """The inputs of an int8 node that carry activations."""
    return list(node.inputs) if node.op in JOINING_OPS else list(node.inputs[:1])


def _refusal(node: gs.Node, plan: QuantPlan, skipped: Mapping[str, str]) -> str | None:
    """None where the node can be int8, else why not; "" for nodes that never are."""
    if not is_op(node, *FOLLOWING_OPS, *WEIGHT_OPS):
        return "no int8 form of ConvTranspose" if is_op(node, "ConvTranspose") else ""
    if node.name in skipped:
        return f"skipped by the recipe ('{skipped[node.name]}')"
    if node.op in WEIGHT_OPS:
        layer = as_layer(node)
        if isinstance(layer, str):
            return layer
        plan.layers[node.name] = layer
        return None
    return _refusal_of_follower(node, plan)


def _refusal_of_follower(node: gs.Node, plan: QuantPlan) -> str | None:
    inputs = data_inputs(node)
    if not any(_is_int8(producer(tensor), plan) for tensor in inputs):
        return ""
    if any(constant(tensor) is not None for tensor in inputs):
        return "a constant operand"
    if any(tensor.dtype not in (None, np.float32) for tensor in inputs):
        return f"operands are {[str(np.dtype(tensor.dtype)) for tensor in inputs]}, expected float32"
    if node.op == "Add" and not same_shape(*inputs):
        return f"operands of different or unknown shapes, {inputs[0].shape} and {inputs[1].shape}"
    return None


def _is_int8(node: gs.Node | None, plan: QuantPlan) -> bool:
    return node is not None and node.name in plan.nodes


def _follows(node: gs.Node, plan: QuantPlan, view: View) -> bool:
    maker = producer(node.inputs[0])
    ends_sum = maker is not None and (maker.name in plan.layers or is_op(maker, "Add"))
    return is_op(node, *FUSED_OPS) and ends_sum and view.only_feeds(node.inputs[0], node)


def sigmoid_of_silu(node: gs.Node) -> gs.Node | None:
    """The Sigmoid of a product x · Sigmoid(x)."""
    for x, gate in (node.inputs, reversed(node.inputs)) if is_op(node, "Mul") else ():
        sigmoid = producer(gate)
        if sigmoid is not None and is_op(sigmoid, "Sigmoid") and sigmoid.inputs[0] is x:
            return sigmoid
    return None


def _silu(node: gs.Node, plan: QuantPlan, view: View) -> gs.Node | None:
    """The Sigmoid of a SiLU that can be applied inside the int8 layer before it: nothing else reads what the layer or the Sigmoid makes."""
    sigmoid = sigmoid_of_silu(node)
    if sigmoid is None or sigmoid.name not in plan.nodes or not view.only_feeds(sigmoid.outputs[0], node):
        return None
    x = sigmoid.inputs[0]
    maker = producer(x)
    inside = maker is not None and maker.name in plan.layers and not view.is_output(x) and len(x.outputs) == 2
    return sigmoid if inside else None


def _drop_unused(graph: gs.Graph, plan: QuantPlan) -> None:
    """Takes back int8 from nodes without weights whose results no int8 node uses."""
    for node in reversed(graph.nodes):
        if node.name not in plan.nodes or node.name in plan.layers:
            continue
        if not any(_is_int8(consumer, plan) for tensor in node.outputs for consumer in tensor.outputs):
            plan.nodes.discard(node.name)
            plan.fused.discard(node.name)
            plan.refused[node.name] = "no int8 layer uses its result"


def _collect_tensors(graph: gs.Graph, plan: QuantPlan) -> None:
    seen: set[int] = set()
    for node in graph.nodes:
        if node.name not in plan.nodes or node.name in plan.fused:
            continue
        for tensor in data_inputs(node):
            if id(tensor) not in seen and not is_op(producer(tensor), "DequantizeLinear"):
                seen.add(id(tensor))
                plan.tensors.append(tensor)


def _source(tensor: gs.Tensor, plan: QuantPlan) -> gs.Tensor:
    """The tensor whose range `tensor` takes. Through nodes that pass values on: their input's. A tensor that only a Concat uses
    would be rounded twice with a range of its own, so it takes the result's."""
    maker = producer(tensor)
    while maker is not None and is_op(maker, *PASSING_OPS) and _is_int8(maker, plan):
        tensor = maker.inputs[0]
        maker = producer(tensor)
    while len(tensor.outputs) == 1 and is_op(tensor.outputs[0], "Concat") and _is_int8(tensor.outputs[0], plan):
        tensor = tensor.outputs[0].outputs[0]
    return tensor
