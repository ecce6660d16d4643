"""The work of operators without weights: what they read and write."""

from __future__ import annotations

from collections.abc import Sequence

from .costs import ANY, Costs
from .program import NUMPY_DTYPES, Dim, Op, Value

VIEWS = ("reshape", "flatten", "squeeze", "unsqueeze")


def product(dims: Sequence[Dim]) -> int | None:
    """None where a size is not known."""
    result = 1
    for dim in dims:
        if not isinstance(dim, int):
            return None
        result *= dim
    return result


def elements(value: Value) -> int | None:
    """Of one image where the size of the batch is not known; None where other sizes are not."""
    if value.shape is None:
        return None
    return product([1 if axis == 0 and not isinstance(dim, int) else dim for axis, dim in enumerate(value.shape)])


def moved_bytes(op: Op) -> int | None:
    """Of everything that the operator reads and writes, of one image; None where sizes are unknown."""
    total = sum(array.nbytes for array in op.consts)
    for value in (*op.inputs, *op.outputs):
        if value is not None:
            count = elements(value)
            if count is None:
                return None
            total += count * NUMPY_DTYPES[value.dtype].itemsize
    return total


def family_of(op: Op) -> str:
    """Operators of one type whose functions differ, or that read other elements, are families of their own."""
    x = op.inputs[0] if op.inputs else None
    return f"{op.type}{_kind(op)} {x.dtype if x is not None else ''}".strip()


def _kind(op: Op) -> str:
    layouts = [value.layout for value in op.inputs if value is not None]
    if op.type == "unary_f32":
        return f" {op.attrs['op']}"
    if op.type == "binary_f32" and layouts == ["planar", "dense"]:
        return " of planes and numbers"
    return " of planes" if op.type == "to_planar" and layouts == ["planar"] else ""


def operator_work(op: Op) -> dict[str, float] | None:
    """None where sizes are unknown."""
    counts = [elements(value) for value in (*op.inputs, *op.outputs) if value is not None]
    if any(count is None for count in counts):
        return None
    written = sum(elements(value) or 0 for value in op.outputs)
    window = op.attrs.get("kernel_h", 1) * op.attrs.get("kernel_w", 1) if op.type in ("max_pool", "average_pool") else 1
    planes = sum(product(v.shape[1:2]) or 0 for v in op.outputs if v.shape is not None and v.layout == "planar")
    read = sum(count or 0 for count in counts) - written
    return {"read": read, "written": written, "window": written * window, "planes": planes, "call": 1}


def estimate_us(op: Op, costs: Costs) -> float | None:
    """Microseconds; None where sizes are unknown. Views cost nothing."""
    if op.type in VIEWS:
        return 0.0
    work = operator_work(op)
    if work is None:
        return None
    us = costs.estimate_us(family_of(op), work)
    us = costs.estimate_us(ANY, work) if us is None else us
    return None if us is None else float(f"{us:.4g}")
