"""The last step of a draft: convolutions and matrix products become runtime operators with packed constants."""

from __future__ import annotations

import numpy as np

from .costs import Costs
from .draft import Draft, DraftOp, Weights
from .program import Program
from .select import Choice, plane_size, select_conv, select_gemm
from .work import estimate_us, moved_bytes, product


def finish(draft: Draft, costs: Costs) -> Program:
    """Selects kernels by their costs, packs weights, and notes in every operator's info what `inspect` shows."""
    for op in draft.walk():
        if op.type == "conv":
            _conv(op, costs)
        elif op.type == "gemm":
            _gemm(op, costs)
        else:
            op.info |= {"us": estimate_us(op, costs)}
        y = op.outputs[0]
        op.info |= {"shape": None if y.shape is None else list(y.shape), "dtype": y.dtype, "bytes": moved_bytes(op)}
    return draft.finish()


def _values(op: DraftOp, weights: Weights) -> np.ndarray:
    """The weights that the kernel multiplies with: integers over a u8 input, else f32."""
    quantized = op.inputs[0] is not None and op.inputs[0].dtype == "u8"
    return weights.values if quantized else weights.real()


def _take(op: DraftOp, choice: Choice, weights: Weights, macs: int | None) -> None:
    rest = op.consts if op.inputs[0] is not None and op.inputs[0].dtype == "u8" else [weights.bias.astype(np.float32)]
    op.type = choice.kernel
    op.consts = [*choice.consts, *rest]
    op.attrs |= choice.chosen.attrs
    op.weights = op.choice = None
    values = weights.values
    op.info |= {
        "macs": macs,
        "macs_done": None if macs is None else macs * choice.consts[-1].size // max(values.size * choice.pixels_per_product, 1),
        "weights": int(values.size),
        "sparsity": round(1.0 - np.count_nonzero(values) / max(values.size, 1), 4),
        "us": choice.chosen.describe()["us"],
        "reason": choice.chosen.reason,
        "candidates": [c.describe() for c in choice.others],
    }


def _conv(op: DraftOp, costs: Costs) -> None:
    weights, y = op.weights, op.outputs[0]
    assert weights is not None
    choice = op.choice
    if choice is None:
        values, residual = _values(op, weights), len(op.inputs) > 1
        choice = select_conv(values, op.attrs, plane_size(y), costs, gap=y.gap_cols, residual=residual, precision=op.precision)
    pixels = product(y.shape[2:]) if y.shape is not None else None
    _take(op, choice, weights, None if pixels is None else pixels * int(weights.values.size))


def _gemm(op: DraftOp, costs: Costs) -> None:
    assert op.weights is not None
    x = op.inputs[0]
    per_image = None if x is None or x.shape is None else product(x.shape[1:-1])
    batch = x.shape[0] if x is not None and x.shape and isinstance(x.shape[0], int) else 1
    rows = None if per_image is None else per_image * batch
    choice = select_gemm(_values(op, op.weights), rows, costs, precision=op.precision)
    _take(op, choice, op.weights, None if per_image is None else per_image * int(op.weights.values.size))
