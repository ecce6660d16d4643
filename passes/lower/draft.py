"""The draft: a program under construction.

Its operators are those of the runtime, but for two things: convolutions and matrix products still hold their weights (`Weights`)
instead of packed constants, and layouts are chosen late. Draft passes rewrite it through the methods below, which keep the uses right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .families import Precision
from .program import NUMPY_DTYPES, Dim, Op, Program, Value
from .select import Choice


@dataclass(eq=False)
class QuantizedConstant(Value):
    """A constant (real) = (data - zero_points) * scales, with one scale or one per index of `axis`. `data` stays an integer array."""

    scales: np.ndarray = field(default_factory=lambda: np.ones(1, np.float32))
    zero_points: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    axis: int = 0

    def integers(self) -> np.ndarray:
        """data - zero_points: the data itself where it is s8 and they are 0, else int16 of 8-bit data and int64 of other data."""
        assert self.data is not None
        if self.data.dtype == np.int8 and not self.zero_points.any():
            return self.data
        dtype = np.int16 if self.data.itemsize == 1 else np.int64
        values = self.data.astype(dtype)
        values -= self._spread(self.zero_points.astype(dtype))
        return values

    def real(self) -> np.ndarray:
        """The float32 array that ONNX's DequantizeLinear gives."""
        values = self.integers().astype(np.float32)
        values *= self._spread(self.scales.astype(np.float32))
        return values

    def transposed(self, name: str, perm: list[int]) -> QuantizedConstant:
        """The same numbers with permuted axes, under another name."""
        assert self.data is not None
        data = np.ascontiguousarray(self.data.transpose(perm))
        axis = perm.index(self.axis) if self.scales.size > 1 else 0
        return QuantizedConstant(name, self.dtype, data.shape, data=data, scales=self.scales, zero_points=self.zero_points, axis=axis)

    def _spread(self, per_axis: np.ndarray) -> np.ndarray:
        assert self.data is not None
        if per_axis.size == 1 or self.data.ndim == 0:
            return per_axis.reshape(-1)[0]
        shape = [1] * self.data.ndim
        shape[self.axis] = -1
        return per_axis.reshape(shape)


@dataclass
class Weights:
    """What a convolution or matrix product multiplies with, output channels first.

    values: f32, or integers within ±255 when quantised. scales: f32[output channels] of quantised weights, else None.
    bias: f32[output channels]. A bias that the model holds as integers is bias_integers * bias_scales as well.
    """

    values: np.ndarray
    bias: np.ndarray
    scales: np.ndarray | None = None
    bias_integers: np.ndarray | None = None
    bias_scales: np.ndarray | None = None

    def real(self) -> np.ndarray:
        """The weights as f32."""
        if self.scales is None:
            return self.values.astype(np.float32, copy=False)
        return self.values.astype(np.float32) * self.scales.reshape(-1, *[1] * (self.values.ndim - 1))


@dataclass(eq=False)
class DraftOp(Op):
    """An operator that may still hold its weights. choice: of the kernel that will run it, where that is made early. precision: what its
    products may be computed in, where they are of f32."""

    weights: Weights | None = None
    choice: Choice | None = None
    precision: Precision = "f32"


class Draft:
    """Operators in execution order over values, with the uses of every value.

    outputs pairs each ONNX name with the value that the program returns under it.
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.outputs: list[tuple[str, Value]] = []
        self.ops: list[DraftOp] = []
        self._producers: dict[Value, DraftOp] = {}
        self._users: dict[Value, list[DraftOp]] = {}
        self._names: set[str] = set()

    def value(self, name: str, dtype: str, shape: tuple[Dim, ...] | None, zero_point: int = 0) -> Value:
        """A new value whose name is `name`, made unique."""
        return Value(self.unique(name), dtype, shape, zero_point=zero_point)

    def constant(self, name: str, data: np.ndarray) -> Value:
        dtype = next(k for k, v in NUMPY_DTYPES.items() if v == data.dtype)
        return Value(self.unique(name), dtype, data.shape, data=np.asarray(data, order="C"))

    def unique(self, name: str) -> str:
        candidate, n = name, 1
        while candidate in self._names:
            candidate, n = f"{name}.{n}", n + 1
        self._names.add(candidate)
        return candidate

    def add(self, op: DraftOp, before: DraftOp | None = None) -> DraftOp:
        """Appends an operator, or puts it before another one."""
        self.ops.insert(len(self.ops) if before is None else self.ops.index(before), op)
        for value in op.outputs:
            self._producers[value] = op
        for x in op.inputs:
            if x is not None:
                self._users.setdefault(x, []).append(op)
        return op

    def add_after(self, op: DraftOp, new: DraftOp) -> DraftOp:
        """Puts `new` behind `op`."""
        position = self.ops.index(op) + 1
        return self.add(new, self.ops[position] if position < len(self.ops) else None)

    def set_output(self, op: DraftOp, index: int, value: Value) -> None:
        """`op` writes `value` in place of its output, which has no producer then."""
        self._producers.pop(op.outputs[index], None)
        op.outputs[index] = value
        self._producers[value] = op

    def remove(self, op: DraftOp) -> None:
        self.ops.remove(op)
        for value in op.outputs:
            self._producers.pop(value, None)
        for x in op.inputs:
            if x is not None:
                self._users[x].remove(op)

    def drop(self, op: DraftOp) -> None:
        """Removes an operator whose outputs others write now."""
        outputs, op.outputs = op.outputs, []
        self.remove(op)
        op.outputs = outputs

    def replace(self, op: DraftOp, new: DraftOp) -> DraftOp:
        """Puts `new` in the place of `op`; `new` may write the same values."""
        position = self.ops.index(op)
        self.remove(op)
        return self.add(new, self.ops[position] if position < len(self.ops) else None)

    def set_input(self, op: DraftOp, index: int, value: Value) -> None:
        old = op.inputs[index]
        if old is not None:
            self._users[old].remove(op)
        op.inputs[index] = value
        self._users.setdefault(value, []).append(op)

    def redirect(self, old: Value, new: Value) -> None:
        """Every reader of `old`, and the program's outputs, get `new`."""
        for op in list(dict.fromkeys(self.users(old))):
            for index, value in enumerate(op.inputs):
                if value is old:
                    self.set_input(op, index, new)
        self.outputs = [(name, new if value is old else value) for name, value in self.outputs]

    def producer(self, value: Value | None) -> DraftOp | None:
        return None if value is None else self._producers.get(value)

    def users(self, value: Value) -> list[DraftOp]:
        """The operators that read `value`, one entry for each time."""
        return list(self._users.get(value, []))

    def is_output(self, value: Value) -> bool:
        return any(v is value for _, v in self.outputs)

    def only_user(self, value: Value) -> DraftOp | None:
        """The single operator that reads `value`, where nothing else needs it."""
        users = self.users(value)
        return users[0] if len(users) == 1 and not self.is_output(value) else None

    def known(self) -> Iterator[Value]:
        """Graph inputs, and what operators write, in order."""
        yield from self.inputs
        for op in self.ops:
            yield from op.outputs

    def walk(self) -> Iterator[DraftOp]:
        """The operators in order, from a snapshot; those that were removed meanwhile are left out."""
        for op in list(self.ops):
            if self._producers.get(op.outputs[0]) is op:
                yield op

    def remove_dead(self) -> None:
        """Removes the operators that no output of the program depends on."""
        for op in reversed(list(self.ops)):
            if not any(self.users(v) or self.is_output(v) for v in op.outputs):
                self.remove(op)

    def finish(self) -> Program:
        """The program, when every operator has its constants. Renames the outputs to their ONNX names."""
        outputs: list[Value] = []
        for name, value in self.outputs:
            if value in outputs or (value in self.inputs and value.name != name) or value.data is not None:
                copy = Value(name, value.dtype, value.shape)
                self.add(DraftOp("cast", name, [value], [copy]))
                value = copy
            outputs.append(value)
        taken = {name for name, _ in self.outputs}
        for value in dict.fromkeys(v for op in self.ops for v in (*op.inputs, *op.outputs) if v is not None):
            if value.name in taken and value not in outputs and value not in self.inputs:
                value.name = self.unique(value.name)
        for (name, _), value in zip(self.outputs, outputs, strict=True):
            value.name = name
        return Program(self.inputs, outputs, [Op(o.type, o.name, o.inputs, o.outputs, o.attrs, o.consts, o.info) for o in self.ops])
