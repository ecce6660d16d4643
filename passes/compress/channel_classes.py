"""Classes of channels that one positive factor can move through, from the layers that make them to those that read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, operand, static_shape
from .layers import Layer, weight_layers

# f(s · x) = s · f(x) for s > 0, channel by channel.
HOMOGENEOUS_OPS = frozenset({"Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Identity"})


@dataclass
class ChannelClass:
    """Tensors with a channel axis in common, and the layers around them.

    producers make one of the tensors, consumers read one (tensor name beside each). ceiling: the least upper bound of a Clip between the
    tensors, inf without one. refusal: why the channels cannot be scaled, None where they can.
    """

    tensors: list[str] = field(default_factory=list)
    producers: list[Layer] = field(default_factory=list)
    consumers: list[tuple[Layer, str]] = field(default_factory=list)
    ceiling: float = np.inf
    refusal: str | None = None


def channel_classes(view: View, skipped: Iterable[str] = ()) -> list[ChannelClass]:
    """All classes with a producer and a consumer, in the order of the graph. A class with a layer of `skipped` is refused."""
    return _Classes(view, set(skipped)).collect()


class _Classes:
    """Disjoint sets of tensor names; a set without a parent entry is a class of its own."""

    def __init__(self, view: View, skipped: set[str]) -> None:
        self._view, self._skipped = view, skipped
        self._layers = {layer.name: layer for layer in weight_layers(view.graph)}
        self._parents: dict[str, str] = {}
        self._refusals: list[tuple[str, str]] = []
        self._ceilings: list[tuple[str, float]] = []

    def collect(self) -> list[ChannelClass]:
        for tensor in [*self._view.graph.inputs, *self._view.graph.outputs]:
            self._refusals.append((tensor.name, f"'{tensor.name}' is an input or output of the model"))
        for node in self._view.graph.nodes:
            self._visit(node)
        classes: dict[str, ChannelClass] = {}
        for node in self._view.graph.nodes:
            for tensor in node.outputs:
                classes.setdefault(self._find(tensor.name), ChannelClass()).tensors.append(tensor.name)
        for layer in self._layers.values():
            source, result = layer.node.inputs[0].name, layer.node.outputs[0].name
            classes.setdefault(self._find(result), ChannelClass()).producers.append(layer)
            classes.setdefault(self._find(source), ChannelClass()).consumers.append((layer, source))
        for name, ceiling in self._ceilings:
            found = classes[self._find(name)]
            found.ceiling = min(found.ceiling, ceiling)
        for name, reason in self._refusals:
            classes.setdefault(self._find(name), ChannelClass()).refusal = reason
        return [found for found in classes.values() if found.producers and found.consumers]

    def _find(self, name: str) -> str:
        while (parent := self._parents.get(name, name)) != name:
            name = parent
        return name

    def _join(self, *tensors: gs.Tensor) -> None:
        first = self._find(tensors[0].name)
        for tensor in tensors[1:]:
            self._parents[self._find(tensor.name)] = first

    def _visit(self, node: gs.Node) -> None:
        if node.name in self._layers:
            if node.name in self._skipped:
                self._refuse(node, f"{node.name} is skipped by the recipe")
            elif is_op(node, "MatMul") and (node.inputs[0].shape is None or len(node.inputs[0].shape) != 2):
                self._refuse(node, f"the channels of {node.name} are not its input's second dimension")
        elif is_op(node, *HOMOGENEOUS_OPS) or _is_channel_flatten(node):
            self._join(node.inputs[0], node.outputs[0])
        elif is_op(node, "Clip") and (ceiling := clip_ceiling(node)) is not None:
            self._join(node.inputs[0], node.outputs[0])
            self._ceilings.append((node.outputs[0].name, ceiling))
        elif is_op(node, "Add") and self._is_plain_sum(node):
            self._join(*node.inputs, node.outputs[0])
        else:
            self._refuse(node, f"read or made by {node.op} ({node.name})")

    def _is_plain_sum(self, node: gs.Node) -> bool:
        shapes = [None if tensor.shape is None else list(tensor.shape[1:]) for tensor in node.inputs]
        return shapes[0] == shapes[1] is not None and all(constant(tensor) is None for tensor in node.inputs)

    def _refuse(self, node: gs.Node, reason: str) -> None:
        for tensor in [*node.inputs, *node.outputs]:
            if constant(tensor) is None:
                self._refusals.append((tensor.name, reason))


def clip_ceiling(clip: gs.Node) -> float | None:
    """The upper bound of a Clip whose lower bound is 0 or absent, inf without one; None for any other Clip."""
    bounds = [operand(clip, 1), operand(clip, 2)]
    values = [None if tensor is None else constant(tensor) for tensor in bounds]
    if any(tensor is not None and value is None for tensor, value in zip(bounds, values, strict=True)):
        return None
    low, high = (None if value is None else float(value.reshape(-1)[0]) for value in values)
    if low not in (None, 0.0) or (high is not None and high <= 0):
        return None
    return np.inf if high is None else high


def _is_channel_flatten(node: gs.Node) -> bool:
    """[N, C, 1, ...] -> [N, C]."""
    if not is_op(node, "Flatten", "Reshape", "Squeeze"):
        return False
    before, after = node.inputs[0].shape, node.outputs[0].shape
    if before is None or after is None or len(before) < 3 or len(after) != 2:
        return False
    ones = all(isinstance(size, (int, np.integer)) and size == 1 for size in before[2:])
    return ones and before[1] == after[1] and static_shape(node.outputs[0]) != ()
