"""What runs, but slower than the model promises: parts of quantised models that are computed in float."""

from __future__ import annotations

from .draft import Draft, DraftOp
from .rules_int8 import dequantize_of

CHEAP = {"dequantize", "quantize", "reshape", "flatten", "squeeze", "unsqueeze"}


def note_slow(draft: Draft) -> None:
    """Notes the reason in the info of every such operator."""
    for op in draft.ops:
        if op.type in CHEAP or "slow" in op.info:
            continue
        if op.type in ("conv", "gemm") and op.weights is not None and op.weights.scales is not None and _reads_f32(op):
            op.info["slow"] = "weights are quantised and the input is not: computed in float"
        elif _between(draft, op):
            op.info["slow"] = "no operator over u8: dequantised, computed in float, quantised again"


def _reads_f32(op: DraftOp) -> bool:
    return op.inputs[0] is not None and op.inputs[0].dtype == "f32"


def _between(draft: Draft, op: DraftOp) -> bool:
    """What it reads was u8, and u8 is all that becomes of what it writes."""
    users = [u for y in op.outputs for u in draft.users(y)]
    quantized = bool(users) and all(u.type == "quantize" for u in users)
    return quantized and any(dequantize_of(draft, x) is not None for x in op.inputs)
