"""What the rules ask of constant operands."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import constant, is_op, operand, producer, rank


def scalar(tensor: gs.Tensor | None) -> float | None:
    """The one value of a constant with one element."""
    values = constant(tensor)
    return float(values.reshape(-1)[0]) if values is not None and values.size == 1 and values.dtype.kind in "fiu" else None


def is_scalar(tensor: gs.Tensor | None, expected: float, tolerance: float = 1e-6) -> bool:
    """Whether `tensor` is a constant with one element, `expected` up to a relative tolerance."""
    value = scalar(tensor)
    return value is not None and abs(value - expected) <= tolerance * max(abs(expected), 1e-30)


def integers(tensor: gs.Tensor | None) -> list[int] | None:
    """A constant of integers as a list."""
    values = constant(tensor)
    return [int(v) for v in values.reshape(-1)] if values is not None and values.dtype.kind in "iu" else None


def axes_of(node: gs.Node, opset: int, since: int, index: int = 1) -> list[int] | None:
    """The axes of `node`: an attribute before opset `since`, then the input `index`. [] where there are none, None where not constant."""
    if opset < since:
        return list(node.attrs.get("axes", []))
    tensor = operand(node, index)
    return [] if tensor is None else integers(tensor)


def per_channel(tensor: gs.Tensor | None, channels: int, rank: int) -> np.ndarray | None:
    """A constant that, broadcast to a tensor of `rank` with `channels` on axis 1, depends on the channel alone: as [channels]."""
    values = constant(tensor)
    if values is None or values.ndim > rank:
        return None
    shape = (1,) * (rank - values.ndim) + values.shape
    if any(d != 1 for axis, d in enumerate(shape) if axis != 1) or shape[1] not in (1, channels):
        return None
    return np.broadcast_to(values.reshape(-1), (channels,))


def split_operands(node: gs.Node) -> tuple[gs.Tensor, gs.Tensor] | None:
    """(variable, constant) inputs of a binary node whose constant adds no dimensions; None where there is not one of each."""
    a, b = node.inputs
    if isinstance(a, gs.Constant) == isinstance(b, gs.Constant):
        return None
    variable, fixed = (a, b) if isinstance(b, gs.Constant) else (b, a)
    return (variable, fixed) if fixed.values.ndim <= (rank(variable) or 0) else None


def producer_if(tensor: gs.Tensor, *ops: str) -> gs.Node | None:
    """The node that makes `tensor`, if it is one of ONNX's `ops`."""
    node = producer(tensor)
    return node if is_op(node, *ops) else None
