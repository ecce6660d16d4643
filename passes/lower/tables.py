"""Tables for elementwise functions of one quantised tensor: what 256 inputs become, computed as ONNX would compute them in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .draft import Draft, DraftOp
from .functions import compute_binary, compute_unary
from .program import Value
from .requantize import Quantization

MAX_OPS = 32
NUMBERS = np.arange(256, dtype=np.uint8)


@dataclass(frozen=True)
class Table:
    """table[source] replaces the operators `ops`."""

    source: Value
    table: np.ndarray
    ops: list[DraftOp]


def table_of(draft: Draft, quantize: DraftOp) -> Table | None:
    """The function that ends in `quantize`, where everything before it depends on one u8 tensor, element by element."""
    for source in _sources(draft, quantize.inputs[0]):
        evaluation = _Evaluation(draft, source)
        result = evaluation.real(quantize.inputs[0])
        if result is not None:
            q = Quantization(float(quantize.attrs["scale"]), int(quantize.attrs["zero_point"]))
            return Table(source, q.quantize(np.broadcast_to(result, 256)), evaluation.ops)
    return None


def _sources(draft: Draft, value: Value | None) -> list[Value]:
    """u8 tensors that `value` is computed from through elementwise operators, nearest first."""
    found: list[Value] = []
    pending, seen = [value], 0
    while pending and seen < MAX_OPS:
        op, seen = draft.producer(pending.pop(0)), seen + 1
        if op is None or op.type not in ("unary_f32", "binary", "dequantize", "lookup_u8"):
            continue
        x = op.inputs[0]
        if op.type in ("dequantize", "lookup_u8") and x is not None and x.dtype == "u8" and x not in found:
            found.append(x)
        pending.extend(op.inputs)
    return found


class _Evaluation:
    """The 256 values of everything that depends on `source` alone; None where it depends on something else."""

    def __init__(self, draft: Draft, source: Value):
        self.draft, self.source = draft, source
        self.ops: list[DraftOp] = []
        self._known: dict[Value, np.ndarray | None] = {source: NUMBERS}

    def real(self, value: Value | None) -> np.ndarray | None:
        if value is None:
            return None
        if value not in self._known:
            self._known[value] = None  # counts what is under way, so that the depth is bounded
            self._known[value] = None if len(self._known) > MAX_OPS else self._compute(value)
        return self._known[value]

    def _compute(self, value: Value) -> np.ndarray | None:
        if value.data is not None:
            return value.data.reshape(-1) if value.data.size == 1 and value.dtype == "f32" else None
        op = self.draft.producer(value)
        if op is None or op.type not in ("unary_f32", "binary", "dequantize", "lookup_u8"):
            return None
        inputs = [self.real(v) for v in op.inputs]
        if any(x is None for x in inputs) or value.shape is None or value.shape != self.source.shape:
            return None
        self.ops.append(op)
        return _apply(op, [x for x in inputs if x is not None])


def _apply(op: DraftOp, inputs: list[np.ndarray]) -> np.ndarray | None:
    if op.type == "dequantize":
        return Quantization(float(op.attrs["scale"]), int(op.attrs["zero_point"])).dequantize(inputs[0])
    if op.type == "lookup_u8":
        return op.consts[0][inputs[0]]
    if op.type == "unary_f32":
        return compute_unary(int(op.attrs["op"]), inputs[0], float(op.attrs.get("alpha", 0)), float(op.attrs.get("beta", 0)))
    result = compute_binary(int(op.attrs["op"]), *inputs)
    if result is not None and "clamp_lo" in op.attrs:
        result = np.clip(result, op.attrs["clamp_lo"], op.attrs["clamp_hi"])
    return result
