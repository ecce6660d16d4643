"""Elementwise operators of several tensors."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..dims import broadcast
from ..functions import BINARY
from ..program import Value
from ..reasons import require
from ..translate import Tensor, Translator, handles

_OPERATORS = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "PRelu": "prelu", "Equal": "equal", "Less": "less",
    "LessOrEqual": "less_equal", "Greater": "greater", "GreaterOrEqual": "greater_equal", "And": "and", "Or": "or", "Xor": "xor",
}  # fmt: skip
_FLOATS = ("f32", "f64")
_VARIADIC = {"Max": "max", "Min": "min", "Sum": "add", "Mean": "add"}


@handles(*_OPERATORS)
def binary(t: Translator, node: gs.Node) -> None:
    a, b = (t.value(x) for x in node.inputs)
    require(a.dtype == b.dtype, f"operands are {a.dtype} and {b.dtype}, expected the same type")
    t.emit("binary", [a, b], node.outputs[0], {"op": BINARY[_OPERATORS[node.op]]}, shape=broadcast(a.shape, b.shape))


@handles("Pow")
def power(t: Translator, node: gs.Node) -> None:
    """The result has the base's type. Integers to a float power go through f64."""
    base, exponent = (t.value(x) for x in node.inputs)
    output, shape = node.outputs[0], broadcast(base.shape, exponent.shape)
    through = "f64" if exponent.dtype in _FLOATS and base.dtype not in _FLOATS else base.dtype
    operands = [_cast(t, x, through, output, suffix) for x, suffix in ((base, "base"), (exponent, "exponent"))]
    attrs = {"op": BINARY["pow"]}
    if through == base.dtype:
        t.emit("binary", operands, output, attrs, shape=shape)
    else:
        t.emit("cast", [t.emit("binary", operands, t.temporary(output, through, shape, through), attrs)], output)


def _cast(t: Translator, x: Value, dtype: str, output: Tensor, suffix: str) -> Value:
    return x if x.dtype == dtype else t.emit("cast", [x], t.temporary(output, suffix, x.shape, dtype))


@handles("Mod")
def mod(t: Translator, node: gs.Node) -> None:
    code = BINARY["fmod" if node.attrs.get("fmod", 0) else "mod"]
    t.emit("binary", [t.value(x) for x in node.inputs], node.outputs[0], {"op": code})


@handles(*_VARIADIC)
def variadic(t: Translator, node: gs.Node) -> None:
    values, output = [t.value(x) for x in node.inputs], node.outputs[0]
    if len(values) == 1:
        t.bind(output, values[0])
        return
    code, total = BINARY[_VARIADIC[node.op]], values[0]
    for i, value in enumerate(values[1:], 1):
        last = i == len(values) - 1 and node.op != "Mean"
        shape = broadcast(total.shape, value.shape)
        total = t.emit("binary", [total, value], output if last else t.temporary(output, str(i), shape, total.dtype), {"op": code})
    if node.op == "Mean":
        count = t.draft.constant(f"{output.name}/count", np.array(len(values), np.float32))
        t.emit("binary", [total, count], output, {"op": BINARY["div"]})


@handles("Where")
def where(t: Translator, node: gs.Node) -> None:
    t.emit("where", [t.value(x) for x in node.inputs], node.outputs[0])
