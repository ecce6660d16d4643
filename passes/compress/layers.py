"""Layers with weights: Conv, Gemm and MatMul by a constant, seen as one matrix of taps per output channel."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import constant, is_op, operand

WEIGHT_OPS = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True)
class Layer:
    """A node with constant f32 weights.

    weight: [out, in / group, *kernel], for Gemm and MatMul [out, in], whatever layout the node stores.
    bias: [out], or None.
    """

    node: gs.Node
    weight: np.ndarray
    bias: np.ndarray | None
    group: int = 1

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_depthwise(self) -> bool:
        """One input channel per group, more than one group."""
        return self.group > 1 and self.weight.shape[1] == 1

    @property
    def is_pointwise(self) -> bool:
        """A convolution of one tap over all channels."""
        return self.node.op == "Conv" and self.group == 1 and self.weight[0, 0].size == 1

    @property
    def macs(self) -> int | None:
        """Multiplications for one sample, zeros included; None where the size of the output is not known."""
        shape = self.node.outputs[0].shape
        if shape is None or not all(isinstance(size, (int, np.integer)) for size in shape[1:]):
            return None
        return self.weight.size * int(prod(shape[1:])) // self.weight.shape[0]

    @property
    def out_axis(self) -> int:
        """The axis of the stored weight that counts output channels."""
        return out_axis(self.node)

    def stored(self, weight: np.ndarray) -> np.ndarray:
        """`weight`, [out, in / group, *kernel], in the layout that the node stores."""
        return weight if self.out_axis == 0 else np.ascontiguousarray(weight.T)


def out_axis(node: gs.Node) -> int:
    """The axis of a weight, as a node of WEIGHT_OPS reads it, that counts output channels."""
    if node.op == "Conv":
        return 0
    return 0 if node.op == "Gemm" and node.attrs.get("transB", 0) else 1


def as_layer(node: gs.Node) -> Layer | str:
    """The node as a layer, or the reason why it is none. Reads only."""
    if not is_op(node, *WEIGHT_OPS):
        return f"{node.op} has no weights to compress"
    weight = constant(operand(node, 1))
    if weight is None:
        return "weights are not constant"
    if isinstance(node.inputs[0], gs.Constant):
        return "data input is constant"
    if weight.dtype != np.float32:
        return f"weights are {weight.dtype}, expected float32"
    rank = weight.ndim
    if (rank < 3) if node.op == "Conv" else (rank != 2):
        return f"weights have {rank} dimensions"
    bias = _bias(node, weight.shape[out_axis(node)])
    if isinstance(bias, str):
        return bias
    if node.op == "Gemm" and (node.attrs.get("alpha", 1.0), node.attrs.get("transA", 0)) != (1.0, 0):
        return "Gemm with alpha or transA"
    rows = weight if out_axis(node) == 0 else weight.T
    return Layer(node, rows, bias, node.attrs.get("group", 1) if node.op == "Conv" else 1)


def _bias(node: gs.Node, out: int) -> np.ndarray | str | None:
    if operand(node, 2) is None:
        return None
    bias = constant(operand(node, 2))
    if bias is None:
        return "bias is not constant"
    if bias.size not in (1, out) or (bias.ndim > 1 and bias.shape[-1] != bias.size):
        return f"bias of shape {list(bias.shape)}, expected one value per output channel"
    if node.op == "Gemm" and node.attrs.get("beta", 1.0) != 1.0:
        bias = bias * np.float32(node.attrs["beta"])
    return np.broadcast_to(bias.reshape(-1), (out,)).astype(np.float32)


def weight_layers(graph: gs.Graph) -> list[Layer]:
    """All layers of the graph, in its order."""
    found = (as_layer(node) for node in graph.nodes)
    return [layer for layer in found if isinstance(layer, Layer)]


def special_layers(layers: list[Layer]) -> dict[str, str]:
    """Layers that pruning keeps dense by default, node name -> "first", "depthwise" or "last": the first convolution, depthwise
    convolutions, and the last layer where it is a Gemm or MatMul."""
    special = {layer.name: "depthwise" for layer in layers if layer.is_depthwise}
    first = next((layer for layer in layers if layer.node.op == "Conv"), None)
    if first is not None:
        special[first.name] = "first"
    if layers and layers[-1].node.op != "Conv":
        special[layers[-1].name] = "last"
    return special


def per_output_row(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`values` [out], shaped to broadcast over `weight` [out, ...]."""
    return values.reshape((-1,) + (1,) * (weight.ndim - 1))
