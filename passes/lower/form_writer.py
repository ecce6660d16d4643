"""What the forms of quantised operators are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx_graphsurgeon as gs

Tensor: TypeAlias = gs.Tensor


class FormWriter:
    """Writes the float form of one node in front of it, with fresh tensors named after it."""

    def __init__(self, graph: gs.Graph, node: gs.Node, numbers: Callable[[], int]):
        self.graph, self.node, self.numbers = graph, node, numbers
        self.nodes: list[gs.Node] = []

    def variable(self, dtype: type | None = np.float32, shape: object = None) -> gs.Variable:
        return gs.Variable(f"{self.node.name or self.node.op}/qdq.{self.numbers()}", dtype=dtype, shape=shape)

    def constant(self, array: np.ndarray) -> gs.Constant:
        return gs.Constant(f"{self.node.name or self.node.op}/qdq.{self.numbers()}", np.asarray(array))

    def emit(self, op: str, inputs: list[Tensor], output: Tensor, attrs: dict | None = None) -> Tensor:
        name = f"{self.node.name}/{op}" if op in ("QuantizeLinear", "DequantizeLinear") else self.node.name
        self.nodes.append(gs.Node(op, name, attrs or {}, inputs, [output]))
        return output

    def dequantize(self, x: Tensor, scale: Tensor, zero_point: Tensor | None, axis: int = 0) -> Tensor:
        inputs = [x, scale] + ([zero_point] if present(zero_point) else [])
        attrs = {"axis": axis} if size_of(scale) != 1 else {}
        return self.emit("DequantizeLinear", inputs, self.variable(shape=x.shape), attrs)

    def quantize(self, x: Tensor, scale: Tensor, zero_point: Tensor | None, output: Tensor) -> Tensor:
        return self.emit("QuantizeLinear", [x, scale] + ([zero_point] if present(zero_point) else []), output)


def present(tensor: Tensor | None) -> bool:
    return tensor is not None and not tensor.is_empty()


def size_of(tensor: Tensor) -> int:
    return int(tensor.values.size) if isinstance(tensor, gs.Constant) else int(np.prod(tensor.shape)) if tensor.shape else 1


def operand(node: gs.Node, index: int) -> Tensor | None:
    return node.inputs[index] if index < len(node.inputs) and not node.inputs[index].is_empty() else None


def take(node: gs.Node) -> Tensor:
    """Detaches the node's output so that another node can write it."""
    output = node.outputs[0]
    node.outputs.clear()
    return output
