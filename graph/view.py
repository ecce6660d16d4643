"""Reading a graph: who produces and who consumes a tensor, constants, attributes.

gs.Tensor and gs.Node compare by content and are not hashable; everything here, and in passes, goes by identity (`is`, `id`).
"""

from collections.abc import Iterable
from typing import Any, TypeGuard

import numpy as np
import onnx_graphsurgeon as gs

ONNX_DOMAINS = (None, "", "ai.onnx")


def is_op(node: gs.Node | None, *ops: str) -> TypeGuard[gs.Node]:
    """Whether `node` is one of ONNX's own operators `ops`."""
    return node is not None and node.op in ops and node.domain in ONNX_DOMAINS


def producer(tensor: gs.Tensor) -> gs.Node | None:
    """The node that makes `tensor`; None for constants and graph inputs."""
    return tensor.inputs[0] if tensor.inputs else None


def constant(tensor: gs.Tensor | None) -> np.ndarray | None:
    """The value of a constant (read-only), None for anything else."""
    return tensor.values if isinstance(tensor, gs.Constant) else None


def operand(node: gs.Node, index: int) -> gs.Tensor | None:
    """Input `index` of `node`, None where it is left out."""
    if index >= len(node.inputs) or node.inputs[index].is_empty():
        return None
    return node.inputs[index]


def operands(node: gs.Node) -> list[gs.Tensor]:
    """The inputs of `node` that are there."""
    return [tensor for tensor in node.inputs if not tensor.is_empty()]


def rank(tensor: gs.Tensor) -> int | None:
    return None if tensor.shape is None else len(tensor.shape)


def static_shape(tensor: gs.Tensor | None) -> tuple[int, ...] | None:
    """The shape of `tensor` where every dimension is a known number."""
    if tensor is None or tensor.shape is None or not all(isinstance(d, (int, np.integer)) for d in tensor.shape):
        return None
    return tuple(int(d) for d in tensor.shape)


def same_shape(a: gs.Tensor, b: gs.Tensor) -> bool:
    """Whether the two shapes are known to be equal: the same numbers and the same symbols."""
    if a.shape is None or b.shape is None or None in a.shape or None in b.shape:
        return False
    return list(a.shape) == list(b.shape)


def index_of(items: Iterable[Any], item: Any) -> int:
    """Position of `item` itself in `items`, -1 where it is not there."""
    return next((i for i, other in enumerate(items) if other is item), -1)


def unique_name(stem: str, taken: set[str]) -> str:
    """`stem`, or `stem` with the first number that makes it new to `taken`, to which it is added."""
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name


class View:
    """A graph as passes read it."""

    def __init__(self, graph: gs.Graph) -> None:
        self.graph = graph

    def is_output(self, tensor: gs.Tensor) -> bool:
        return index_of(self.graph.outputs, tensor) >= 0

    def is_input(self, tensor: gs.Tensor) -> bool:
        return index_of(self.graph.inputs, tensor) >= 0

    def sole_consumer(self, tensor: gs.Tensor) -> gs.Node | None:
        """The only node that reads `tensor`, through one input; None where there are more readers, or none, or it is a graph output."""
        return tensor.outputs[0] if len(tensor.outputs) == 1 and not self.is_output(tensor) else None

    def only_feeds(self, tensor: gs.Tensor, node: gs.Node) -> bool:
        """Whether `node` is all that reads `tensor`, through one input."""
        return self.sole_consumer(tensor) is node
