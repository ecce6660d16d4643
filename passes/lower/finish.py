"""The last step of a draft: convolutions and matrix products become runtime operators with packed constants."""

from __future__ import annotations

import numpy as np

from .draft import Draft, DraftOp, Weights
from .program import NUMPY_DTYPES, Dim, Program, Value
from .select import Choice, select_conv, select_gemm


def finish(draft: Draft) -> Program:
    """Selects kernels, packs weights, and notes in every operator's info what `inspect` shows."""
    for op in draft.walk():
        if op.type == "conv":
            _conv(op)
        elif op.type == "gemm":
            _gemm(op)
        y = op.outputs[0]
        op.info |= {"shape": None if y.shape is None else list(y.shape), "dtype": y.dtype, "bytes": _moved_bytes(op)}
    return draft.finish()


def _values(op: DraftOp, weights: Weights) -> np.ndarray:
    """The weights that the kernel multiplies with: integers over a u8 input, else f32."""
    quantized = op.inputs[0] is not None and op.inputs[0].dtype == "u8"
    return weights.values.astype(np.int64) if quantized else weights.real()


def _take(op: DraftOp, choice: Choice, weights: Weights, macs: int | None) -> None:
    rest = op.consts if op.inputs[0] is not None and op.inputs[0].dtype == "u8" else [weights.bias.astype(np.float32)]
    op.type = choice.kernel
    op.consts = [*choice.consts, *rest]
    op.attrs |= choice.chosen.attrs
    op.weights = None
    values = weights.values
    op.info |= {
        "macs": macs,
        "macs_done": None if macs is None else macs * choice.consts[-1].size // max(values.size, 1),
        "weights": int(values.size),
        "sparsity": round(1.0 - np.count_nonzero(values) / max(values.size, 1), 4),
        "cycles": choice.chosen.describe()["cycles"],
        "reason": choice.chosen.reason,
        "candidates": [c.describe() for c in choice.others],
    }


def _conv(op: DraftOp) -> None:
    weights, y = op.weights, op.outputs[0]
    assert weights is not None
    choice = select_conv(_values(op, weights), op.attrs, _plane_pixels(y), _plane_size(y))
    pixels = _product(y.shape[2:]) if y.shape is not None else None
    _take(op, choice, weights, None if pixels is None else pixels * int(weights.values.size))


def _gemm(op: DraftOp) -> None:
    assert op.weights is not None
    x = op.inputs[0]
    per_image = None if x is None or x.shape is None else _product(x.shape[1:-1])
    batch = x.shape[0] if x is not None and x.shape and isinstance(x.shape[0], int) else 1
    choice = select_gemm(_values(op, op.weights), None if per_image is None else per_image * batch)
    _take(op, choice, op.weights, None if per_image is None else per_image * int(op.weights.values.size))


def _moved_bytes(op: DraftOp) -> int | None:
    """Of everything that the operator reads and writes, a batch of unknown size taken as one image; None where other sizes are unknown."""
    total = sum(array.nbytes for array in op.consts)
    for value in (*op.inputs, *op.outputs):
        if value is None:
            continue
        dims = value.shape
        count = None if dims is None else _product(tuple(1 if axis == 0 and not isinstance(d, int) else d for axis, d in enumerate(dims)))
        if count is None:
            return None
        total += count * NUMPY_DTYPES[value.dtype].itemsize
    return total


def _product(dims: tuple[Dim, ...]) -> int | None:
    result = 1
    for dim in dims:
        if not isinstance(dim, int):
            return None
        result *= dim
    return result


def _plane_size(value: Value) -> tuple[int, int] | None:
    """Height and width."""
    if value.shape is None or _product(value.shape[2:]) is None:
        return None
    return int(value.shape[2] or 0), int(value.shape[3] or 0)


def _plane_pixels(value: Value) -> int | None:
    """Flat pixels from the first to the last valid one."""
    size = _plane_size(value)
    return None if size is None else (size[0] - 1) * (size[1] + value.gap_cols) + size[1]
