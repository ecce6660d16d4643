"""Operators that move elements without computing: they work on quantised values as on any others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import QuantizedConstant
from ..program import NUMPY_DTYPES, Value
from ..reasons import Unsupported, require
from ..shape_values import reshape_target, resolve_ints
from ..translate import Tensor, Translator, handles


def _moved(t: Translator, x: Value, output: Tensor) -> Value:
    """A value for `output` with the type, zero point and shift of `x`."""
    y = t.draft.value(output.name, x.dtype, t.shape(output), x.zero_point)
    if t.is_shifted(x):
        t.mark_shifted(y)
    t.bind(output, y)
    return y


def _move(t: Translator, node: gs.Node, op_type: str, attrs: dict | None = None, consts: Sequence[np.ndarray] = ()) -> None:
    x = t.any(node.inputs[0])
    if isinstance(x, QuantizedConstant):
        x = t.value(node.inputs[0])
    t.emit(op_type, [x], _moved(t, x, node.outputs[0]), attrs, consts)


def ints(t: Translator, node: gs.Node, index: int, attr: str) -> list[int] | None:
    """Integers that are an attribute in old opsets and a constant input in newer ones; None where they are left out."""
    if attr in node.attrs:
        return [int(v) for v in np.atleast_1d(node.attrs[attr])]
    tensor = t.input(node, index)
    return None if tensor is None else resolve_ints(t, t.value(tensor), attr)


def s64(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64)


@handles("Reshape")
def reshape(t: Translator, node: gs.Node) -> None:
    target = reshape_target(t, node)
    dims = {f"dim{i}": d for i, d in enumerate(target)}
    _move(t, node, "reshape", {"rank": len(target), **dims, "allowzero": int(node.attrs.get("allowzero", 0))})


@handles("Flatten")
def flatten(t: Translator, node: gs.Node) -> None:
    _move(t, node, "flatten", {"axis": int(node.attrs.get("axis", 1))})


@handles("Squeeze")
def squeeze(t: Translator, node: gs.Node) -> None:
    axes = ints(t, node, 1, "axes")
    _move(t, node, "squeeze", consts=[] if axes is None else [s64(axes)])


@handles("Unsqueeze")
def unsqueeze(t: Translator, node: gs.Node) -> None:
    axes = ints(t, node, 1, "axes")
    if axes is None:
        raise Unsupported("axes are left out")
    _move(t, node, "unsqueeze", consts=[s64(axes)])


@handles("Transpose")
def transpose(t: Translator, node: gs.Node) -> None:
    x = t.any(node.inputs[0])
    rank = t.rank(node.inputs[0]) if x.shape is None else len(x.shape)
    perm = [int(p) for p in node.attrs.get("perm", range(rank)[::-1])]
    if isinstance(x, QuantizedConstant):
        t.bind(node.outputs[0], x.transposed(t.draft.unique(node.outputs[0].name), perm))
        return
    _move(t, node, "transpose", consts=[s64(perm)])


@handles("Slice")
def slice_(t: Translator, node: gs.Node) -> None:
    starts, ends = ints(t, node, 1, "starts"), ints(t, node, 2, "ends")
    if starts is None or ends is None:
        raise Unsupported("starts or ends are left out")
    axes = ints(t, node, 3, "axes") or list(range(len(starts)))
    steps = ints(t, node, 4, "steps") or [1] * len(starts)
    _move(t, node, "slice", consts=[s64(starts), s64(ends), s64(axes), s64(steps)])


@handles("Split")
def split(t: Translator, node: gs.Node) -> None:
    x = t.any(node.inputs[0])
    sizes = ints(t, node, 1, "split")
    outputs = [_moved(t, x, output) for output in node.outputs]
    t.emit_many("split", [x], outputs, {"axis": int(node.attrs.get("axis", 0))}, [] if sizes is None else [s64(sizes)])


@handles("Concat")
def concat(t: Translator, node: gs.Node) -> None:
    values = [t.value(x) for x in node.inputs]
    if len(values) == 1:
        t.bind(node.outputs[0], values[0])
        return
    zero_points = {v.zero_point for v in values}
    y = t.draft.value(node.outputs[0].name, values[0].dtype, t.shape(node.outputs[0]), zero_points.pop() if len(zero_points) == 1 else 0)
    t.emit("concat", values, y, {"axis": int(node.attrs.get("axis", 0))})
    t.bind(node.outputs[0], y)


@handles("Pad")
def pad(t: Translator, node: gs.Node) -> None:
    mode = node.attrs.get("mode", "constant")
    modes = {"constant": 0, "reflect": 1, "edge": 2, "wrap": 3}
    mode = mode.decode() if isinstance(mode, bytes) else mode
    require(mode in modes, f"mode {mode}")
    x, rank = t.value(node.inputs[0]), t.rank(node.inputs[0])
    pads = ints(t, node, 1, "pads") or [0] * 2 * rank
    axes = ints(t, node, 3, "axes")
    if axes is not None:
        full = [0] * 2 * rank
        for i, axis in enumerate(axes):
            full[axis % rank], full[axis % rank + rank] = pads[i], pads[i + len(axes)]
        pads = full
    value = t.const(t.input(node, 2)) if t.input(node, 2) is not None else np.array(node.attrs.get("value", 0.0))
    if value is None:
        raise Unsupported("the value is not constant")
    t.emit("pad", [x], node.outputs[0], {"mode": modes[mode]}, [s64(pads), _element(value, x.dtype)])


def _element(value: np.ndarray, dtype: str) -> np.ndarray:
    return value.reshape(-1)[:1].astype(NUMPY_DTYPES[dtype])


@handles("Gather")
def gather(t: Translator, node: gs.Node) -> None:
    attrs, indices = {"axis": int(node.attrs.get("axis", 0))}, t.const(node.inputs[1])
    x = t.value(node.inputs[0])
    if indices is not None:
        t.emit("gather", [x], node.outputs[0], attrs, [indices.astype(np.int64)])
    else:
        t.emit("gather", [x, t.value(node.inputs[1])], node.outputs[0], attrs)


@handles("Expand")
def expand(t: Translator, node: gs.Node) -> None:
    t.emit("expand", [t.value(node.inputs[0])], node.outputs[0], consts=[s64(ints(t, node, 1, "shape") or [])])


@handles("Tile")
def tile(t: Translator, node: gs.Node) -> None:
    t.emit("tile", [t.value(node.inputs[0])], node.outputs[0], consts=[s64(ints(t, node, 1, "repeats") or [])])


@handles("DepthToSpace", "SpaceToDepth")
def blocks(t: Translator, node: gs.Node) -> None:
    op_type = "depth_to_space" if node.op == "DepthToSpace" else "space_to_depth"
    _move(t, node, op_type, {"blocksize": int(node.attrs["blocksize"]), "mode": int(node.attrs.get("mode", "DCR") in ("CRD", b"CRD"))})
