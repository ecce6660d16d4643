"""The program: what lowering produces and the runtime runs.

A list of operators in execution order over values, in static single assignment: an operator reads graph inputs, constants and
outputs of earlier operators, and every value is written once. `docs/architecture.md` lists the operator types and says what
the layouts are; `artifact.py` writes a program to a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Dim = int | str | None
"""A size, the name of a size that is known at run time only, or None where it has not even a name."""

NUMPY_DTYPES: dict[str, np.dtype[Any]] = {
    "f32": np.dtype(np.float32),
    "u8": np.dtype(np.uint8),
    "s8": np.dtype(np.int8),
    "s32": np.dtype(np.int32),
    "s64": np.dtype(np.int64),
    "bool": np.dtype(np.bool_),
    "u16": np.dtype(np.uint16),
    "f64": np.dtype(np.float64),
}
"""Names of the runtime's dtypes. `u16` occurs in constants of operators only."""
DTYPE_NAMES = {dtype: name for name, dtype in NUMPY_DTYPES.items()}
LAYOUTS = ("dense", "planar")

MAX_RANK = 8
MAX_GAP = 4096
MAX_OPERANDS = 64  # inputs, outputs, attributes and constants of one operator, each


@dataclass(eq=False)
class Value:
    """A tensor. Two values are the same only if they are the same object; names are unique within a program.

    shape: what is known of it when the program is made; None where not even the rank is. Graph inputs and outputs need one.
    gap_rows, gap_cols: of a planar value, in pixels. zero_point: of a u8 value; what the gaps of a planar one hold.
    data: the elements of a constant, which the runtime uses in place. A constant is dense and no operator's output.
    """

    name: str
    dtype: str
    shape: tuple[Dim, ...] | None = None
    layout: str = "dense"
    gap_rows: int = 0
    gap_cols: int = 0
    zero_point: int = 0
    data: np.ndarray | None = None

    def __str__(self) -> str:
        text = f"{self.name}: {self.dtype} {self.layout}"
        if self.layout == "planar":
            text += f" gap {self.gap_rows}x{self.gap_cols}"
        if self.dtype == "u8":
            text += f" zero {self.zero_point}"
        return f"{text} {_shape_text(self.shape)}"


@dataclass(eq=False)
class Op:
    """One operator.

    type: one of the runtime's operators. name: the ONNX node or nodes that it came from, for errors and listings.
    inputs: None stands for an optional input that is left out. attrs: NumPy's and Python's booleans and integers become int,
    everything else float. consts: packed weights and the like, dense. info: facts for `inspect` that the runtime does not
    read (multiply-adds, sparsity, the candidates that were not chosen and why), as JSON has them.
    """

    type: str
    name: str
    inputs: list[Value | None]
    outputs: list[Value]
    attrs: dict[str, int | float] = field(default_factory=dict)
    consts: list[np.ndarray] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attrs = {name: _number(value) for name, value in self.attrs.items()}

    def __str__(self) -> str:
        inputs = ", ".join("_" if v is None else v.name for v in self.inputs)
        text = f"{'; '.join(map(str, self.outputs))} = {self.type}({inputs})"
        for name, value in self.attrs.items():
            text += f" {name}={value}"
        if self.consts:
            text += " consts " + " ".join(f"{DTYPE_NAMES.get(c.dtype, c.dtype)}{_shape_text(c.shape)}" for c in self.consts)
        return f"{text}  # {self.name}"


@dataclass(eq=False)
class Program:
    """Operators in execution order. Graph inputs and outputs keep their ONNX names and dtypes, and are dense.

    info: facts of the whole model for `inspect`, as JSON has them.
    """

    inputs: list[Value]
    outputs: list[Value]
    ops: list[Op]
    info: dict[str, Any] = field(default_factory=dict)

    def values(self) -> list[Value]:
        """Every value once, in order of first appearance: inputs first, then by operator."""
        return list(dict.fromkeys(v for v in self._mentions()))

    def constants(self) -> list[Value]:
        """The values that carry data, in order of first appearance."""
        return [v for v in self.values() if v.data is not None]

    def _mentions(self) -> Iterator[Value]:
        yield from self.inputs
        for op in self.ops:
            yield from (v for v in op.inputs if v is not None)
            yield from op.outputs
        yield from self.outputs

    def __str__(self) -> str:
        """A text that is the same for the same program: for goldens, errors and listings."""
        sections: dict[str, Sequence[object]]
        sections = {"inputs": self.inputs, "constants": self.constants(), "ops": self.ops, "outputs": self.outputs}
        lines = []
        for title, items in sections.items():
            if items:
                lines += [f"{title}:", *(f"  {item}" for item in items)]
        return "\n".join(lines) + "\n"

    def validate(self) -> None:
        """Raises ValueError, which names the operator or value, unless the program is one that the artifact can hold."""
        _check_names(self.values())
        for value in self.values():
            _check_value(value)
        for value in (*self.inputs, *self.outputs):
            _require(value.layout == "dense" and value.shape is not None, value, "graph inputs and outputs are dense and of known rank")
        for kind, values in (("input", self.inputs), ("output", self.outputs)):
            _require(len(set(values)) == len(values), kind, f"a graph {kind} is listed twice")
        defined = {*self.inputs, *self.constants()}
        _require(not any(v.data is not None for v in self.inputs), "inputs", "a graph input is a constant")
        for op in self.ops:
            _check_op(op, defined)
            defined.update(op.outputs)
        for value in self.outputs:
            _require(value in defined, value, "graph output is written by no operator")


def _check_names(values: list[Value]) -> None:
    seen: set[str] = set()
    for value in values:
        _require(value.name != "" and "\0" not in value.name, repr(value.name), "value name is empty or contains a zero byte")
        _require(value.name not in seen, value, "another value has the same name")
        seen.add(value.name)


def _check_value(value: Value) -> None:
    _require(value.dtype in NUMPY_DTYPES and value.dtype != "u16", value, f"dtype {value.dtype!r} is not one of the runtime's")
    _require(value.layout in LAYOUTS, value, f"layout {value.layout!r}, expected one of {', '.join(LAYOUTS)}")
    gaps = range(MAX_GAP + 1) if value.layout == "planar" else range(1)
    _require(value.gap_rows in gaps and value.gap_cols in gaps, value, f"gaps of a {value.layout} value are 0 to {gaps[-1]}")
    zero_points = range(256) if value.dtype == "u8" else range(1)
    _require(value.zero_point in zero_points, value, f"zero point of a {value.dtype} value is 0 to {zero_points[-1]}")
    if value.shape is not None:
        _require(len(value.shape) <= MAX_RANK, value, f"rank {len(value.shape)}, expected at most {MAX_RANK}")
        _require(value.layout == "dense" or len(value.shape) == 4, value, "a planar value has rank 4")
        _require(all(not isinstance(d, int) or d >= 0 for d in value.shape), value, "negative dimension")
    if value.data is not None:
        _require(value.layout == "dense", value, "a constant is dense")
        _require(value.data.dtype == NUMPY_DTYPES[value.dtype], value, f"data is {value.data.dtype}")
        _require(value.data.shape == value.shape, value, f"data has the shape {_shape_text(value.data.shape)}")


def _check_op(op: Op, defined: set[Value]) -> None:
    where = f"{op.name} ({op.type})"
    for kind, items in (("inputs", op.inputs), ("outputs", op.outputs), ("attributes", op.attrs), ("constants", op.consts)):
        _require(len(items) <= MAX_OPERANDS, where, f"{len(items)} {kind}, expected at most {MAX_OPERANDS}")
    _require(len(op.outputs) > 0, where, "no outputs")
    _require("\0" not in op.name + op.type + "".join(op.attrs), where, "a name contains a zero byte")
    for value in op.inputs:
        _require(value is None or value in defined, where, f"reads {value}, which nothing before it defines")
    for i, value in enumerate(op.outputs):
        _require(value not in defined and value not in op.outputs[:i], where, f"writes {value}, which is defined already")
    for i, array in enumerate(op.consts):
        _require(array.dtype in DTYPE_NAMES, where, f"constant {i} is {array.dtype}, expected one of {', '.join(NUMPY_DTYPES)}")
        _require(array.ndim <= MAX_RANK, where, f"constant {i} has rank {array.ndim}, expected at most {MAX_RANK}")
    for name, number in op.attrs.items():
        _require(isinstance(number, float) or -(2**63) <= number < 2**63, where, f"attribute {name} = {number} does not fit in 64 bits")


def _require(condition: bool, where: object, problem: str) -> None:
    if not condition:
        raise ValueError(f"{where}: {problem}")


def _number(value: Any) -> int | float:
    return int(value) if isinstance(value, (bool, np.bool_, int, np.integer)) else float(value)


def _shape_text(shape: tuple[Dim, ...] | None) -> str:
    return "[...]" if shape is None else f"[{','.join('?' if d is None else str(d) for d in shape)}]"
