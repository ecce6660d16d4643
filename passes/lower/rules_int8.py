"""Rules that turn float operators between dequantize and quantize into operators over u8.

Every rule keeps ONNX's meaning of the quantised graph, rounding of intermediate results included.
"""

from __future__ import annotations

import numpy as np

from .draft import Draft, DraftOp
from .functions import BINARY
from .program import Value
from .requantize import (
    Quantization,
    Requantization,
    add_attrs,
    gate_attrs,
    global_pool_attrs,
    is_gate,
    pool_attrs,
    requantization,
    scale_attrs,
)
from .rules_float import clamp_bounds, note_origin
from .tables import table_of

TRANSPARENT = {"max_pool", "global_max_pool", "reshape", "flatten", "squeeze", "unsqueeze", "transpose", "slice", "split", "depth_to_space",
               "space_to_depth", "channel_shuffle", "resize_nearest"}  # fmt: skip


def quantization_of(op: DraftOp) -> Quantization:
    """Of a quantize or dequantize operator."""
    return Quantization(float(op.attrs["scale"]), int(op.attrs["zero_point"]))


def dequantize_of(draft: Draft, value: Value | None) -> DraftOp | None:
    """The operator that dequantised `value` from u8, if it came about like that."""
    op = draft.producer(value)
    return op if op is not None and op.type == "dequantize" and op.inputs[0] is not None and op.inputs[0].dtype == "u8" else None


def quantize_after(draft: Draft, op: DraftOp) -> DraftOp | None:
    """The quantize operator that is the only reader of what `op` computes."""
    user = draft.only_user(op.outputs[0])
    return user if user is not None and user.type == "quantize" else None


def gate_after(draft: Draft, op: DraftOp) -> DraftOp | None:
    """The HardSwish or SiLU that is the only reader of what `op` computes, where `op` does not clamp."""
    user = draft.only_user(op.outputs[0])
    return user if user is not None and is_gate(user) and "clamp_lo" not in op.attrs else None


def _become(draft: Draft, last: DraftOp, new: DraftOp, *sources: DraftOp) -> bool:
    """`new` computes what `last` did, and its value, from what `sources` read."""
    new.outputs = last.outputs
    note_origin(new, *sources)
    draft.replace(last, new)
    return True


def cancel_round_trip(draft: Draft, op: DraftOp) -> bool:
    """dequantize, quantize with the same scale and zero point → nothing."""
    source = dequantize_of(draft, op.inputs[0]) if op.type == "quantize" else None
    if source is None or source.attrs != op.attrs or source.inputs[0] is None:
        return False
    draft.redirect(op.outputs[0], source.inputs[0])
    draft.remove(op)
    return True


def sink_dequantize(draft: Draft, op: DraftOp) -> bool:
    """An operator that only moves or selects elements runs before dequantize, on u8."""
    source = dequantize_of(draft, op.inputs[0]) if op.type in TRANSPARENT else None
    if source is None or source.inputs[0] is None:
        return False
    x, outputs = source.inputs[0], list(op.outputs)
    moved = [draft.value(f"{y.name}/u8", "u8", y.shape, x.zero_point) for y in outputs]
    new = DraftOp(op.type, op.name, [x, *op.inputs[1:]], moved, op.attrs, op.consts, op.info)
    draft.replace(op, new)
    for q, y in zip(moved, outputs, strict=True):
        draft.add_after(new, DraftOp("dequantize", source.name, [q], [y], source.attrs, info=dict(source.info)))
    return True


def quantize_before_concat(draft: Draft, op: DraftOp) -> bool:
    """concat, quantize → quantize every part, concat over u8, where a part was u8 before."""
    concat = draft.producer(op.inputs[0]) if op.type == "quantize" else None
    if concat is None or concat.type != "concat" or draft.only_user(concat.outputs[0]) is not op:
        return False
    if not any(dequantize_of(draft, part) for part in concat.inputs):
        return False
    parts: list[Value | None] = []
    for part in concat.inputs:
        assert part is not None
        q = draft.value(f"{part.name}/u8", "u8", part.shape, int(op.attrs["zero_point"]))
        draft.add(DraftOp("quantize", op.name, [part], [q], op.attrs, info=dict(op.info)), before=concat)
        parts.append(q)
    new = DraftOp("concat", concat.name, parts, [], concat.attrs, info=concat.info)
    draft.remove(concat)
    return _become(draft, op, new, op)


def quantize_product(draft: Draft, op: DraftOp) -> bool:
    """conv or gemm with quantised weights over a dequantised input → over u8; to u8 if quantize follows, else to f32. Between the two
    HardSwish or SiLU join it."""
    if op.type not in ("conv", "gemm") or op.weights is None or op.weights.scales is None or op.inputs[0] is None:
        return False
    source = dequantize_of(draft, op.inputs[0])
    if source is None or len(op.inputs) > 1:
        return False
    gate = gate_after(draft, op)
    x, following = quantization_of(source), quantize_after(draft, gate or op)
    y = None if following is None else quantization_of(following)
    numbers = requantization(op.weights, x, y)
    if not isinstance(numbers, Requantization):
        op.info["slow"] = f"computed in float: {numbers}"
        return False
    attrs = op.attrs | ({"zero_point": numbers.zero_point} if numbers.zero_point else {})
    if gate is not None:
        attrs |= gate_attrs(gate, y)
    if y is not None and "clamp_lo" in attrs:
        attrs["clamp_lo"], attrs["clamp_hi"] = y.clamps(float(attrs["clamp_lo"]), float(attrs["clamp_hi"]))
    new = DraftOp(op.type, op.name, [source.inputs[0]], [], attrs, numbers.consts(), op.info, op.weights)
    parts = [part for part in (op, gate, following) if part is not None]
    for part in parts[:-1]:
        draft.remove(part)
    return _become(draft, parts[-1], new, source, *parts[1:])


def quantize_add(draft: Draft, op: DraftOp) -> bool:
    """dequantize twice, Add (and Relu or Clip), quantize → add_u8; where both sides depend on one tensor, a table is better."""
    following = quantize_after(draft, op) if op.type == "binary" and op.attrs["op"] == BINARY["add"] else None
    a, b = (dequantize_of(draft, op.inputs[i]) for i in (0, 1)) if following is not None else (None, None)
    if following is None or a is None or b is None or a.inputs[0] is None or b.inputs[0] is None:
        return False
    if table_of(draft, following) is not None:
        return False
    if a.inputs[0].shape is None or a.inputs[0].shape != b.inputs[0].shape or None in a.inputs[0].shape:
        return False
    y = quantization_of(following)
    lo, hi = y.clamps(float(op.attrs.get("clamp_lo", -np.inf)), float(op.attrs.get("clamp_hi", np.inf)))
    attrs = add_attrs(quantization_of(a), quantization_of(b), y) | {"clamp_lo": lo, "clamp_hi": hi}
    return _become(draft, following, DraftOp("add_u8", op.name, [a.inputs[0], b.inputs[0]], [], attrs, info=op.info), a, b, op, following)


def quantize_scaled(draft: Draft, op: DraftOp) -> bool:
    """dequantize, Mul with one number per channel, quantize (squeeze-and-excite) → scale_u8."""
    following = quantize_after(draft, op) if op.type == "binary" and op.attrs["op"] == BINARY["mul"] else None
    if following is None:
        return False
    for a, b in (op.inputs, op.inputs[::-1]):
        source = dequantize_of(draft, a)
        if source is None or source.inputs[0] is None or b is None or not _one_per_channel(source.inputs[0], b):
            continue
        y = quantization_of(following)
        lo, hi = y.clamps(float(op.attrs.get("clamp_lo", -np.inf)), float(op.attrs.get("clamp_hi", np.inf)))
        attrs = scale_attrs(quantization_of(source), y) | {"clamp_lo": lo, "clamp_hi": hi}
        new = DraftOp("scale_u8", op.name, [source.inputs[0], b], [], attrs, info=op.info)
        return _become(draft, following, new, source, op, following)
    return False


def _one_per_channel(a: Value, b: Value) -> bool:
    """a: planes; b: computed, f32 [N or 1, C or 1, 1, 1]."""
    if b.dtype != "f32" or a.shape is None or b.shape is None or len(a.shape) != 4 or len(b.shape) != 4 or b.data is not None:
        return False
    planes = a.shape[2:] != (1, 1) and b.shape[2:] == (1, 1)
    return planes and all(n == 1 or (n is not None and n == m) for n, m in zip(b.shape[:2], a.shape[:2], strict=True))


def quantize_pool(draft: Draft, op: DraftOp) -> bool:
    """dequantize, average pooling, quantize → average pooling over u8."""
    if op.type not in ("average_pool", "global_average_pool"):
        return False
    following, source = quantize_after(draft, op), dequantize_of(draft, op.inputs[0])
    if following is None or source is None:
        return False
    numbers = global_pool_attrs if op.type == "global_average_pool" else pool_attrs
    attrs = op.attrs | numbers(quantization_of(source), quantization_of(following))
    return _become(draft, following, DraftOp(op.type, op.name, [source.inputs[0]], [], attrs, info=op.info), source, following)


def tabulate(draft: Draft, op: DraftOp) -> bool:
    """Any elementwise function of one u8 tensor, quantised again → a table of 256 entries."""
    found = table_of(draft, op) if op.type == "quantize" else None
    if found is None:
        return False
    new = DraftOp("lookup_u8", op.name, [found.source], [], consts=[found.table], info=op.info)
    return _become(draft, op, new, *found.ops)


def sink_dequantize_below_clamp(draft: Draft, op: DraftOp) -> bool:
    """dequantize, Relu → a table that clamps at the zero point, dequantize; so that it can join the convolution before it."""
    bounds = clamp_bounds(op)
    source = dequantize_of(draft, op.inputs[0]) if bounds is not None else None
    if bounds is None or source is None or quantize_after(draft, op) is not None:
        return False
    q = quantization_of(source)
    numbers = np.arange(256, dtype=np.uint8)
    table = q.quantize(np.clip(q.dequantize(numbers), *bounds))
    if not np.array_equal(q.dequantize(table), np.clip(q.dequantize(numbers), *bounds).astype(np.float32)):
        return False
    clamped = draft.value(f"{op.outputs[0].name}/u8", "u8", op.outputs[0].shape, q.zero_point)
    lookup = DraftOp("lookup_u8", op.name, [source.inputs[0]], [clamped], consts=[table], info=op.info)
    draft.add(lookup, before=op)
    draft.replace(op, DraftOp("dequantize", source.name, [clamped], op.outputs, source.attrs, info=dict(source.info)))
    return True


def compose_tables(draft: Draft, op: DraftOp) -> bool:
    """lookup_u8 of lookup_u8 → one table."""
    source = draft.producer(op.inputs[0]) if op.type == "lookup_u8" else None
    if source is None or source.type != "lookup_u8":
        return False
    new = DraftOp("lookup_u8", op.name, source.inputs, op.outputs, consts=[op.consts[0][source.consts[0]]], info=op.info)
    note_origin(new, source)
    draft.replace(op, new)
    return True


def fuse_clamp_table(draft: Draft, op: DraftOp) -> bool:
    """conv, gemm or add to u8, then a table that only clamps → the operator clamps."""
    source = draft.producer(op.inputs[0]) if op.type == "lookup_u8" else None
    if source is None or source.type not in ("conv", "gemm", "add_u8") or draft.only_user(source.outputs[0]) is not op:
        return False
    table = op.consts[0]
    lo, hi = int(table[0]), int(table[255])
    if not np.array_equal(table, np.clip(np.arange(256), lo, max(lo, hi))):
        return False
    limits = {"clamp_lo": 0.0, "clamp_hi": 255.0}
    source.attrs |= {name: float(np.clip(source.attrs.get(name, limit), lo, hi)) for name, limit in limits.items()}
    merged = DraftOp(source.type, source.name, source.inputs, op.outputs, source.attrs, source.consts, source.info, source.weights)
    note_origin(merged, op)
    draft.remove(source)
    draft.replace(op, merged)
    return True
