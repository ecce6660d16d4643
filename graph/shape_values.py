"""The values of shape computations, as far as they are known while dimensions are symbols.

A value is a list of dimensions (numbers, symbols as strings, None for unknown) and whether it is a scalar.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from onnx import TensorProto

from .view import constant, is_op, operand

Dim = int | str | None

MAX_ELEMENTS = 64


@dataclass(frozen=True)
class ShapeValue:
    """A tensor of integers with rank 0 or 1."""

    dims: tuple[Dim, ...]
    scalar: bool = False

    @property
    def static(self) -> bool:
        return all(isinstance(d, int) for d in self.dims)

    @property
    def numbers(self) -> list[int]:
        """The dimensions that are numbers."""
        return [d for d in self.dims if isinstance(d, int)]

    def array(self, dtype: Any) -> np.ndarray:
        """Static values as an array."""
        return np.array(self.dims[0] if self.scalar else self.dims, dtype)


def shape_values(graph: gs.Graph) -> dict[int, ShapeValue]:
    """id(tensor) -> what is known of the values of every integer tensor that some shape computation gives.

    Nodes must be in topological order, and shapes inferred.
    """
    values: dict[int, ShapeValue] = {}
    for node in graph.nodes:
        handler = _HANDLERS.get(node.op) if is_op(node, node.op) and len(node.outputs) == 1 else None
        value = handler(node, values) if handler else None
        if value is not None and len(value.dims) <= MAX_ELEMENTS:
            values[id(node.outputs[0])] = value
    return values


def _value(tensor: gs.Tensor | None, values: dict[int, ShapeValue]) -> ShapeValue | None:
    array = constant(tensor)
    if array is None:
        return values.get(id(tensor)) if tensor is not None else None
    if array.dtype.kind not in "iub" or array.ndim > 1 or array.size > MAX_ELEMENTS:
        return None
    return ShapeValue(tuple(int(v) for v in array.reshape(-1)), array.ndim == 0)


def _operands(node: gs.Node, values: dict[int, ShapeValue]) -> list[ShapeValue] | None:
    found = [_value(tensor, values) for tensor in node.inputs]
    return None if any(v is None for v in found) else found  # type: ignore[return-value]


def _shape(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    if node.inputs[0].shape is None:
        return None
    dims = tuple(int(d) if isinstance(d, (int, np.integer)) else d for d in node.inputs[0].shape)
    return ShapeValue(dims[node.attrs.get("start", 0) : node.attrs.get("end", len(dims))])


def _size(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    whole = _shape(node, values)
    return None if whole is None or not whole.static else ShapeValue((math.prod(whole.numbers),), True)


def _gather(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data, index = _value(node.inputs[0], values), _value(node.inputs[1], values)
    if data is None or index is None or data.scalar or not index.static or node.attrs.get("axis", 0) not in (0, -1):
        return None
    size = len(data.dims)
    if not all(-size <= i < size for i in index.numbers):
        return None
    return ShapeValue(tuple(data.dims[i] for i in index.numbers), index.scalar)


def _slice(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data = _value(node.inputs[0], values)
    start, end, step = (_number(operand(node, i), values) for i in (1, 2, 4))
    step = 1 if operand(node, 4) is None else step
    if data is None or data.scalar or start is None or end is None or step is None or step < 1:
        return None
    return ShapeValue(data.dims[start:end:step])


def _number(tensor: gs.Tensor | None, values: dict[int, ShapeValue]) -> int | None:
    value = _value(tensor, values)
    return value.numbers[0] if value is not None and value.static and len(value.dims) == 1 else None


def _concat(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    parts = _operands(node, values)
    return None if parts is None or any(p.scalar for p in parts) else ShapeValue(tuple(d for p in parts for d in p.dims))


def _to_vector(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data = _value(node.inputs[0], values)
    return ShapeValue(data.dims) if data is not None and data.scalar else None


def _to_scalar(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data = _value(node.inputs[0], values)
    return ShapeValue(data.dims, True) if data is not None and not data.scalar and len(data.dims) == 1 else None


def _reshape(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data, target = _value(node.inputs[0], values), _value(node.inputs[1], values)
    if data is None or target is None:
        return None
    if not target.dims:
        return ShapeValue(data.dims, True) if len(data.dims) == 1 else None
    return ShapeValue(data.dims) if len(target.dims) == 1 and target.dims[0] in (-1, len(data.dims)) else None


def _cast(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    return _value(node.inputs[0], values) if node.attrs["to"] in (TensorProto.INT32, TensorProto.INT64) else None


def _identity(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    return _value(node.inputs[0], values)


def _product(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    data = _value(node.inputs[0], values)
    if data is None or not data.static or data.scalar:
        return None
    return ShapeValue((math.prod(data.numbers),), not node.attrs.get("keepdims", 1))


def _combine(op: str, a: Dim, b: Dim) -> Dim:
    neutral = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1}
    if b == neutral[op] and isinstance(b, int):
        return a
    if op in ("Add", "Mul") and a == neutral[op] and isinstance(a, int):
        return b
    if not isinstance(a, int) or not isinstance(b, int):
        return None
    if op == "Div":
        return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return {"Add": a + b, "Sub": a - b, "Mul": a * b}[op]


def _arithmetic(node: gs.Node, values: dict[int, ShapeValue]) -> ShapeValue | None:
    parts = _operands(node, values)
    if parts is None:
        return None
    a, b = parts
    size = max(len(a.dims), len(b.dims))
    if {len(a.dims), len(b.dims)} - {1, size}:
        return None
    pairs = zip(a.dims * (size // len(a.dims)), b.dims * (size // len(b.dims)), strict=True)
    return ShapeValue(tuple(_combine(node.op, x, y) for x, y in pairs), a.scalar and b.scalar)


_HANDLERS = {
    "Shape": _shape, "Size": _size, "Gather": _gather, "Slice": _slice, "Concat": _concat, "Unsqueeze": _to_vector, "Squeeze": _to_scalar,
    "Reshape": _reshape, "Cast": _cast, "Identity": _identity, "ReduceProd": _product,
    "Add": _arithmetic, "Sub": _arithmetic, "Mul": _arithmetic, "Div": _arithmetic,
}
