"""Computations on shapes, and the targets of Reshape."""

from collections.abc import Iterator

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, operand, static_shape
from ...graph.shape_values import ShapeValue, shape_values
from ..base import GraphPass, Reject
from ..patch import Patch


class FoldShapes(GraphPass):
    """Shape, Gather, Concat and the like -> constants, where the dimensions in question are numbers. Exact.

    A computed target of Reshape with symbols becomes a constant with 0 (the input's own dimension) and one -1.
    """

    name = "fold-shapes"

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        values = shape_values(view.graph)
        for node in list(view.graph.nodes):
            value = values.get(id(node.outputs[0])) if node.outputs else None
            if value is not None and value.static and node.op != "Identity" and self._leaves(node, values, view):
                patch = Patch(node)
                dtype = np.int64 if node.outputs[0].dtype is None else node.outputs[0].dtype
                patch.replace(node.outputs[0], patch.const(value.array(dtype), node.outputs[0]))
                yield patch
        for node in list(view.graph.nodes):
            if is_op(node, "Reshape") and node.outputs and constant(node.inputs[1]) is None:
                yield self._reshape(node, values.get(id(node.inputs[1])))

    @staticmethod
    def _leaves(node: gs.Node, values: dict[int, ShapeValue], view: View) -> bool:
        """Whether the value is read by something that is not itself about to be folded."""
        tensor = node.outputs[0]
        readers = [values.get(id(reader.outputs[0])) for reader in tensor.outputs]
        return view.is_output(tensor) or any(value is None or not value.static for value in readers)

    @staticmethod
    def _reshape(node: gs.Node, target: ShapeValue | None) -> Patch | Reject:
        dims = reshape_target(node, target)
        if dims is None:
            return Reject("the target shape has more than one unknown dimension", node)
        patch = Patch(node)
        patch.set_input(node, 1, patch.const(np.array(dims, np.int64), node.inputs[1]))
        if node.attrs.get("allowzero", 0):
            patch.set_attr(node, "allowzero", None)
        return patch


def reshape_target(node: gs.Node, target: ShapeValue | None) -> list[int] | None:
    """A constant target for a Reshape with symbols in its target, or None.

    With allowzero=0 a 0 copies the dimension at that place, and one -1 stands for what is left.
    """
    shape = node.outputs[0].shape
    if target is None or (node.attrs.get("allowzero", 0) and 0 in target.dims):
        if shape is None:
            return None
        target = ShapeValue(tuple(shape))
    source = operand(node, 0)
    source_shape = list(source.shape) if source is not None and source.shape is not None else []
    dims: list[int] = []
    for i, dim in enumerate(target.dims):
        if isinstance(dim, int):
            dims.append(dim)
        elif dim is not None and i < len(source_shape) and source_shape[i] == dim:
            dims.append(0)
        else:
            dims.append(-1)
    if dims.count(-1) > 1 and static_shape(node.outputs[0]) is not None:
        return list(static_shape(node.outputs[0]) or ())
    return dims if dims.count(-1) <= 1 else None
