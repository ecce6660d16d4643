"""Operators that have a form of their own over planes, taken where their input is planar.

Each function puts other operators in the place of the given one and returns those whose layout is to be chosen; none where there is no
such form.
"""

from __future__ import annotations

import numpy as np

from ...kernels.codes import PAD_MODES
from .draft import Draft, DraftOp, Weights
from .functions import COMMUTATIVE, PLANAR_BINARY
from .program import Dim, Value
from .select import EPILOGUE

TO_THE_END = 2**31
"""From here on, the end of a Slice stands for the end of the axis, as exporters write it."""


def is_planar(value: Value | None) -> bool:
    return value is not None and value.layout == "planar"


def strided(op: DraftOp) -> bool:
    return op.attrs.get("stride_h", 1) > 1 or op.attrs.get("stride_w", 1) > 1


def join_channels(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """concat along channels, of which a part is planar, of equal zero points."""
    y = op.outputs[0]
    zero_points = {v.zero_point for v in op.inputs if v is not None} | {y.zero_point}
    if op.attrs.get("axis", 0) not in (1, -3) or not any(map(is_planar, op.inputs)) or len(zero_points) > 1 or y.dtype not in ("f32", "u8"):
        return []
    return [draft.replace(op, DraftOp("concat_channels", op.name, op.inputs, op.outputs, info=op.info))]


def pick_channels(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """slice along channels forwards, or of rows and columns one by one."""
    x, y = op.inputs[0], op.outputs[0]
    if not is_planar(x) or x is None or x.shape is None or y.dtype not in ("f32", "u8"):
        return []
    starts, ends, axes, steps = (c.tolist() for c in op.consts)
    axes = [a % 4 for a in axes]
    if axes == [1] and isinstance(x.shape[1], int):
        picked = range(x.shape[1])[slice(starts[0], ends[0], steps[0])]
        if len(picked) == 0 or steps[0] < 1:
            return []
        attrs = {"start": picked[0], "channels": len(picked), "step": steps[0]}
        return [draft.replace(op, DraftOp("slice_channels", op.name, [x], [y], attrs, info=op.info))]
    if set(axes) <= {2, 3} and set(steps) == {1}:
        pads = _cut(x.shape, starts, ends, axes)
        if pads is not None:
            return [draft.replace(op, DraftOp("pad_planar", op.name, [x], [y], pads | {"mode": PAD_MODES["constant"]}, info=op.info))]
    return []


def _cut(shape: tuple[Dim, ...], starts: list[int], ends: list[int], axes: list[int]) -> dict[str, int | float] | None:
    """Negative pads that cut off what lies outside of [start, end)."""
    pads: dict[str, int | float] = {}
    for start, end, axis in zip(starts, ends, axes, strict=True):
        size = shape[axis]
        if start < 0 or (0 <= end < TO_THE_END and not isinstance(size, int)):
            return None
        left = 0 if end >= TO_THE_END else end if end < 0 else min(end - size, 0) if isinstance(size, int) else 0
        if isinstance(size, int) and size + left - start < 1:
            return None
        before, after = ("pad_top", "pad_bottom") if axis == 2 else ("pad_left", "pad_right")
        pads |= {before: -start, after: left}
    return pads


def split_channels(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """split along channels: a slice per part."""
    x = op.inputs[0]
    if not is_planar(x) or op.attrs.get("axis", 0) not in (1, -3) or op.outputs[0].dtype not in ("f32", "u8"):
        return []
    sizes = op.consts[0].tolist() if op.consts else [y.shape[1] if y.shape is not None else None for y in op.outputs]
    if not all(isinstance(s, int) and s > 0 for s in sizes):
        return []
    starts = np.cumsum([0, *sizes]).tolist()
    parts = [
        DraftOp("slice_channels", op.name, [x], [y], {"start": start, "channels": size}, info=dict(op.info))
        for start, size, y in zip(starts, sizes, op.outputs, strict=False)
    ]
    for part in parts:
        draft.add(part, before=op)
    draft.drop(op)
    return parts


def pad_planes(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """pad of rows and columns."""
    x, y = op.inputs[0], op.outputs[0]
    pads, modes = op.consts[0].tolist(), set(PAD_MODES.values())
    if not is_planar(x) or any(pads[:2] + pads[4:6]) or op.attrs["mode"] not in modes or y.dtype not in ("f32", "u8"):
        return []
    attrs = dict(zip(("pad_top", "pad_left", "pad_bottom", "pad_right"), (pads[2], pads[3], pads[6], pads[7]), strict=True))
    value = op.consts[1].reshape(-1)[0].item()
    return [draft.replace(op, DraftOp("pad_planar", op.name, [x], [y], attrs | {"mode": op.attrs["mode"], "value": value}, info=op.info))]


def multiply_pixels(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """A 1x1 convolution over dense [N, C, 1, 1], as after a global pool: a matrix product over [N, C]."""
    x, y, a = op.inputs[0], op.outputs[0], op.attrs
    pads = [a.get(name, 0) for name in ("pad_top", "pad_left", "pad_bottom", "pad_right")]
    plain = a.get("group", 1) == 1 and a["kernel_h"] == a["kernel_w"] == 1 and not any(pads) and len(op.inputs) == 1
    if is_planar(x) or x is None or x.shape is None or x.shape[2:] != (1, 1) or not plain or op.weights is None:
        return []
    w = op.weights
    weights = Weights(w.values.reshape(len(w.values), -1), w.bias, w.scales)
    rows = draft.value(f"{x.name}/rows", x.dtype, x.shape[:2], x.zero_point)
    product = draft.value(f"{y.name}/rows", y.dtype, (x.shape[0], len(w.values)), y.zero_point)
    attrs = {"k": weights.values.shape[1], "n": len(w.values)} | {n: v for n, v in a.items() if n in EPILOGUE}
    draft.add(DraftOp("flatten", op.name, [x], [rows], {"axis": 1}, info={"onnx": []}), before=op)
    draft.add(DraftOp("gemm", op.name, [rows], [product], attrs, op.consts, op.info, weights), before=op)
    target: dict[str, int | float] = {"rank": 4, "dim0": 0, "dim1": 0, "dim2": 1, "dim3": 1}
    return [draft.replace(op, DraftOp("reshape", op.name, [product], [y], target, info={"onnx": []}))]


def choose_binary(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """binary_f32 where its contract admits the operands: equal shapes, or one number per plane on the right."""
    code, (a, b), y = PLANAR_BINARY.get(int(op.attrs["op"])), op.inputs, op.outputs[0]
    if code is None or a is None or b is None or y.dtype != "f32":
        return []
    if not is_planar(a) and is_planar(b) and op.attrs["op"] in COMMUTATIVE:
        a, b = b, a
    clamps = "clamp_lo" in op.attrs
    if is_planar(a) and _one_per_plane(a, b):
        b = _as_planes(draft, b)
    elif not (is_planar(a) or is_planar(b) or clamps) or a.shape is None or a.shape != b.shape or None in a.shape:
        return _split_clamp(draft, op) if clamps else []
    attrs = {name: float(v) for name, v in op.attrs.items() if name.startswith("clamp")} | {"op": code}
    if (is_planar(a) or is_planar(b)) and not draft.is_output(y):
        y.layout = "planar"
    return [draft.replace(op, DraftOp("binary_f32", op.name, [a, b], [y], attrs, info=op.info))]


def _split_clamp(draft: Draft, op: DraftOp) -> list[DraftOp]:
    """The dense `binary` has no clamp: it gets an operator of its own."""
    y = op.outputs[0]
    plain = draft.value(f"{y.name}/unclamped", y.dtype, y.shape)
    lo, hi = float(op.attrs["clamp_lo"]), float(op.attrs["clamp_hi"])
    draft.add(DraftOp("binary", op.name, op.inputs, [plain], {"op": op.attrs["op"]}, info=op.info), before=op)
    return [draft.replace(op, DraftOp("clip", op.name, [plain], [y], {"lo": lo, "hi": hi}, info={"onnx": op.info.get("onnx", [])}))]


def _one_per_plane(a: Value, b: Value) -> bool:
    """b is a constant of one number per channel or in all, or [N or 1, C or 1, 1, 1]."""
    if b.shape is None or a.shape is None or is_planar(b) or len(b.shape) > 4:
        return False
    shape = (1,) * (4 - len(b.shape)) + b.shape
    if shape[2:] != (1, 1) or a.shape[2:] == (1, 1):
        return False
    fits = (shape[0] == 1 or shape[0] == a.shape[0]) and (shape[1] == 1 or shape[1] == a.shape[1])
    return fits and (b.data is not None or len(b.shape) == 4)


def _as_planes(draft: Draft, b: Value) -> Value:
    """A constant of lower rank gets rank 4."""
    if b.data is None or b.data.ndim == 4:
        return b
    return draft.constant(f"{b.name}/planes", b.data.reshape((1,) * (4 - b.data.ndim) + b.data.shape).astype(np.float32))
