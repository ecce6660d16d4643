"""Rules of the draft that hold in any precision: activations join the operators before them, products get their bias."""

from __future__ import annotations

import numpy as np

from .draft import Draft, DraftOp
from .functions import BINARY, UNARY
from .program import Value
from .requantize import gate_attrs, is_gate

CLAMPING = {"conv", "gemm", "binary"}


def absorb(draft: Draft, op: DraftOp, into: DraftOp) -> None:
    """`op`, which computed from `into`, becomes part of it: `into` writes the output of `op`, at the place of `op`."""
    merged = DraftOp(into.type, into.name, into.inputs, op.outputs, into.attrs, into.consts, into.info, into.weights)
    note_origin(merged, op)
    draft.remove(into)
    draft.replace(op, merged)


def note_origin(op: DraftOp, *others: DraftOp) -> None:
    """The ONNX nodes of `others` are part of `op` now."""
    names = [n for o in others for n in o.info.get("onnx", [])]
    op.info = op.info | {"onnx": list(dict.fromkeys([*op.info.get("onnx", []), *names]))}


def clamp_bounds(op: DraftOp) -> tuple[float, float] | None:
    """The range to which a unary operator clamps, if that is all it does."""
    if op.type != "unary_f32":
        return None
    if op.attrs["op"] == UNARY["relu"].code:
        return 0.0, float("inf")
    return (op.attrs["alpha"], op.attrs["beta"]) if op.attrs["op"] == UNARY["clip"].code else None


def fuse_clamp(draft: Draft, op: DraftOp) -> bool:
    """conv, gemm or float arithmetic, then Relu or Clip → one operator that clamps."""
    bounds, source = clamp_bounds(op), draft.producer(op.inputs[0])
    if bounds is None or source is None or source.type not in CLAMPING or draft.only_user(source.outputs[0]) is not op:
        return False
    if source.type == "binary" and int(source.attrs["op"]) > BINARY["min"]:
        return False
    lo, hi = float(source.attrs.get("clamp_lo", -np.inf)), float(source.attrs.get("clamp_hi", np.inf))
    source.attrs |= {"clamp_lo": float(np.clip(lo, *bounds)), "clamp_hi": float(np.clip(hi, *bounds))}
    absorb(draft, op, source)
    return True


def fuse_product_bias(draft: Draft, op: DraftOp) -> bool:
    """gemm, then Add of a constant row → the row becomes the bias."""
    if op.type != "binary" or op.attrs["op"] != BINARY["add"]:
        return False
    for product, row in (op.inputs, op.inputs[::-1]):
        source = draft.producer(product)
        if source is None or source.type != "gemm" or source.weights is None or row is None or row.data is None:
            continue
        n = len(source.weights.values)
        if row.data.shape != (n,) or draft.only_user(source.outputs[0]) is not op or "clamp_lo" in source.attrs:
            continue
        source.weights.bias = (source.weights.bias + row.data.astype(np.float32)).astype(np.float32)
        source.weights.bias_integers = None
        source.attrs |= {name: value for name, value in op.attrs.items() if name != "op"}
        absorb(draft, op, source)
        return True
    return False


def fuse_residual(draft: Draft, op: DraftOp) -> bool:
    """conv and a sum of equal shapes → the convolution adds the other operand. Of two convolutions the later one does it."""
    if op.type == "binary" and op.attrs["op"] == BINARY["add"] and op.outputs[0].dtype == "f32":
        sum_attrs = {name: value for name, value in op.attrs.items() if name != "op"}
    elif op.type == "add_u8":
        sum_attrs = {}
    else:
        return False
    candidates = [i for i in (0, 1) if _can_add(draft, op, i)]
    if not candidates:
        return False
    position = {i: draft.ops.index(producer) for i in candidates if (producer := draft.producer(op.inputs[i])) is not None}
    index = max(candidates, key=position.__getitem__)
    conv = draft.ops[position[index]]
    if op.type == "add_u8":
        scales = ("scale_a", "scale_b")
        sum_attrs = {"sum_scale": op.attrs[scales[index]], "residual_scale": op.attrs[scales[1 - index]], "sum_offset": op.attrs["offset"]}
        sum_attrs |= {"residual_first": 1} if index == 1 else {}
        sum_attrs |= {"sum_lo": float(op.attrs.get("clamp_lo", 0.0)), "sum_hi": float(op.attrs.get("clamp_hi", 255.0))}
    conv.attrs |= sum_attrs
    draft.remove(conv)
    conv.inputs = [conv.inputs[0], op.inputs[1 - index]]
    note_origin(conv, op)
    conv.outputs = list(op.outputs)
    draft.replace(op, conv)
    return True


def fuse_gate(draft: Draft, op: DraftOp) -> bool:
    """conv over floats, then HardSwish or SiLU → one operator. Not of single pixels, which become products."""
    conv = draft.producer(op.inputs[0]) if is_gate(op) else None
    if conv is None or conv.type != "conv" or "gate" in conv.attrs or draft.only_user(conv.outputs[0]) is not op:
        return False
    x, y = conv.inputs[0], conv.outputs[0]
    if x is None or x.dtype != "f32" or y.dtype != "f32" or y.shape is None or y.shape[2:] == (1, 1) or "clamp_lo" in conv.attrs:
        return False
    conv.attrs |= gate_attrs(op, None)
    absorb(draft, op, conv)
    return True


def _can_add(draft: Draft, op: DraftOp, index: int) -> bool:
    value, other = op.inputs[index], op.inputs[1 - index]
    conv = draft.producer(value)
    if conv is None or conv.type != "conv" or len(conv.inputs) > 1 or "gate" in conv.attrs or value is None:
        return False
    if draft.only_user(value) is not op:
        return False
    if other is None or other.data is not None or other.dtype != value.dtype or not _equal_shapes(value, other):
        return False
    x = conv.inputs[0]
    return op.type == "add_u8" or (x is not None and x.dtype == "f32" and "clamp_lo" not in conv.attrs)


def _equal_shapes(a: Value, b: Value) -> bool:
    return a.shape is not None and a.shape == b.shape and None not in a.shape
