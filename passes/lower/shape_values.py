"""What is known of small integer tensors that are computed from shapes, when the program is made.

Exporters compute the targets of Reshape and Resize from Shape, Gather, Concat and arithmetic. The runtime never lets a shape depend on
values, so that such a target must be told in numbers, in dimensions of the input, or in those of another value.
"""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from .dims import divided, plus, times
from .draft import Draft, DraftOp
from .functions import BINARY
from .program import Dim, Value
from .reasons import Unsupported, require
from .translate import Translator

MAX_ELEMENTS = 64
MAX_DEPTH = 100


def contents(draft: Draft, value: Value, depth: int = 0) -> list[Dim] | None:
    """The elements of an integer tensor of rank 0 or 1, each a number, an expression of sizes, or None where unknown.

    depth: of the recursion; a longer chain of operators than MAX_DEPTH is not followed.
    """
    if value.data is not None:
        return [int(v) for v in value.data.reshape(-1)] if value.data.size <= MAX_ELEMENTS and value.data.ndim < 2 else None
    op = draft.producer(value)
    rule = _RULES.get(op.type) if op is not None and depth < MAX_DEPTH else None
    return rule(draft, op, depth + 1) if rule is not None and op is not None else None


def _operand(draft: Draft, op: DraftOp, depth: int, index: int = 0) -> list[Dim] | None:
    value = op.inputs[index]
    return None if value is None else contents(draft, value, depth)


def _shape_of(draft: Draft, op: DraftOp, depth: int) -> list[Dim] | None:
    value = op.inputs[0]
    if value is None or value.shape is None:
        return None
    end = op.attrs.get("end")
    return list(value.shape)[int(op.attrs.get("start", 0)) : None if end is None else int(end)]


def _gather(draft: Draft, op: DraftOp, depth: int) -> list[Dim] | None:
    x = _operand(draft, op, depth)
    if x is None or not op.consts or op.consts[0].ndim > 1:
        return None
    indices = [int(i) for i in op.consts[0].reshape(-1)]
    return [x[i] for i in indices] if all(-len(x) <= i < len(x) for i in indices) else None


def _slice(draft: Draft, op: DraftOp, depth: int) -> list[Dim] | None:
    x = _operand(draft, op, depth)
    if x is None or op.consts[0].size != 1:
        return None
    start, end, _, step = (int(c[0]) for c in op.consts)
    return x[start:end:step]


def _concat(draft: Draft, op: DraftOp, depth: int) -> list[Dim] | None:
    parts = [_operand(draft, op, depth, i) for i in range(len(op.inputs))]
    return None if any(p is None for p in parts) else [d for p in parts if p is not None for d in p]


def _binary(draft: Draft, op: DraftOp, depth: int) -> list[Dim] | None:
    a, b = _operand(draft, op, depth, 0), _operand(draft, op, depth, 1)
    if a is None or b is None:
        return None
    size = max(len(a), len(b))
    pairs = zip(a * (size if len(a) == 1 else 1), b * (size if len(b) == 1 else 1), strict=False)
    return [_arithmetic(int(op.attrs["op"]), x, y) for x, y in pairs]


def _arithmetic(code: int, x: Dim, y: Dim) -> Dim:
    if code in (BINARY["add"], BINARY["mul"]) and isinstance(x, int):
        x, y = y, x
    if not isinstance(y, int):
        return None
    if code == BINARY["add"]:
        return plus(x, y)
    if code == BINARY["sub"]:
        return plus(x, -y)
    if code == BINARY["mul"]:
        return times(x, y)
    return divided(x, y) if code == BINARY["div"] and y > 0 else None


_RULES = {
    "shape_of": _shape_of,
    "gather": _gather,
    "slice": _slice,
    "concat": _concat,
    "binary": _binary,
    **dict.fromkeys(("cast", "squeeze", "unsqueeze", "reshape"), _operand),
}


def reshape_target(t: Translator, node: gs.Node) -> list[int]:
    """The target of a Reshape: numbers, 0 for a dimension of the input at the same place, and one −1 at most."""
    x, target = t.any(node.inputs[0]), contents(t.draft, t.value(node.inputs[1]))
    if target is None:
        raise Unsupported("the shape is computed at run time")
    source = x.shape or ()
    result = [d if isinstance(d, int) else 0 if i < len(source) and d is not None and d == source[i] else -1 for i, d in enumerate(target)]
    if result.count(-1) > 1:
        result = _from_output(t.shape(node.outputs[0]), source, result)
    require(result.count(-1) <= 1, f"the shape {target} holds more than one size that is not one of the input's at the same place")
    return result


def _from_output(output: tuple[Dim, ...] | None, source: tuple[Dim, ...], result: list[int]) -> list[int]:
    """Fills in what shape inference knows of the output."""
    if output is None or len(output) != len(result):
        return result
    filled = []
    for i, (r, d) in enumerate(zip(result, output, strict=True)):
        same = i < len(source) and d is not None and d == source[i]
        filled.append(r if r >= 0 else d if isinstance(d, int) else 0 if same else -1)
    return filled


def resolve_ints(t: Translator, value: Value, what: str) -> list[int]:
    """An integer tensor all of whose elements are known numbers. Raises Unsupported."""
    found = contents(t.draft, value)
    if found is None or not all(isinstance(v, (int, np.integer)) for v in found):
        raise Unsupported(f"{what} is computed at run time")
    return [int(v) for v in found if v is not None]
