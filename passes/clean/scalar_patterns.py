"""Arithmetic with scalars, as activations are made of it."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import operand
from .constants import producer_if, scalar, split_operands

FLOATS = (np.float16, np.float32, np.float64)


def clip_bounds(node: gs.Node | None) -> tuple[float, float] | None:
    if node is None or node.outputs[0].dtype not in FLOATS:
        return None
    low, high = scalar(operand(node, 1)), scalar(operand(node, 2))
    return None if low is None or high is None else (low, high)


def scaled_by(node: gs.Node) -> tuple[gs.Tensor, float] | None:
    """(x, c) of x / c, or of x · (1/c)."""
    pair = split_operands(node)
    value = scalar(pair[1]) if pair is not None else None
    if pair is None or not value or (node.op == "Div" and pair[0] is not node.inputs[0]):
        return None
    return pair[0], value if node.op == "Div" else 1 / value


def shifted(tensor: gs.Tensor) -> tuple[gs.Tensor, float] | None:
    """(x, b) of x + b."""
    add = producer_if(tensor, "Add")
    pair = split_operands(add) if add is not None else None
    value = scalar(pair[1]) if pair is not None else None
    return None if pair is None or value is None else (pair[0], value)
