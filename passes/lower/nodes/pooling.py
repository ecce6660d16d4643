"""Max, average and global pooling: over [N, C, H, W] and, with a height of 1, [N, C, L] on planes; over more dimensions, and where the
places of maxima are wanted, on dense tensors."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..program import Dim, Value
from ..reasons import require
from ..translate import Tensor, Translator, handles
from .windows import Axis, emit_lifted, lift, read_axes, shape_over, window_of


def _input(t: Translator, node: gs.Node) -> Value:
    """The input in the form in which it was made: pooling by maximum commutes with the shift of an s8 tensor."""
    x = t.any(node.inputs[0])
    if x.dtype == "s8":
        x = t.shifted(node.inputs[0])
    require(x.dtype in ("f32", "u8"), f"input is {x.dtype}, expected f32, u8 or s8")
    require(x.shape is not None and 3 <= len(x.shape) <= 8, f"rank {'unknown' if x.shape is None else len(x.shape)}, expected 3 to 8")
    return x


def _pool(t: Translator, node: gs.Node, x: Value, op_type: str, attrs: dict[str, int | float]) -> None:
    axes, ceil = _read(node, x)
    shape = shape_over(x, (x.shape or (None, None))[1], axes, bool(ceil))
    if len(axes) > 2:
        y = t.draft.value(node.outputs[0].name, x.dtype, shape, x.zero_point)
        _emit_nd(t, node, x, [y], f"{op_type}_nd", axes, attrs | {"ceil_mode": ceil})
    else:
        _emit(t, node.outputs[0], x, op_type, shape, window_of(axes).attrs() | attrs | {"ceil_mode": ceil})


def _read(node: gs.Node, x: Value) -> tuple[list[Axis], int]:
    return read_axes(node, [int(k) for k in node.attrs["kernel_shape"]], x.shape), int(node.attrs.get("ceil_mode", 0))


def _emit_nd(
    t: Translator, node: gs.Node, x: Value, outputs: list[Value], op_type: str, axes: list[Axis], attrs: dict[str, int | float]
) -> None:
    """On dense tensors."""
    pads = [a.begin for a in axes] + [a.end for a in axes]
    lists = [[a.kernel for a in axes], [a.stride for a in axes], [a.dilation for a in axes], pads]
    t.emit_many(op_type, [x], outputs, attrs, [np.array(values, np.int64) for values in lists])
    for output, value in zip(node.outputs, outputs, strict=False):
        t.bind(output, value)
    if t.is_shifted(x):
        t.mark_shifted(outputs[0])


def _emit(t: Translator, output: Tensor, x: Value, op_type: str, shape: tuple[Dim, ...], attrs: dict[str, int | float]) -> None:
    emit_lifted(t, output, x, shape, lambda y: t.emit(op_type, [lift(t, x)], y, attrs))
    if t.is_shifted(x):
        t.mark_shifted(t.any(output))


def _f32(t: Translator, node: gs.Node) -> Value:
    x = _input(t, node)
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    return x


@handles("MaxPool")
def max_pool(t: Translator, node: gs.Node) -> None:
    x = _input(t, node)
    if not any(t.is_used(indices) for indices in node.outputs[1:]):
        _pool(t, node, x, "max_pool", {})
        return
    axes, ceil = _read(node, x)
    shape = shape_over(x, (x.shape or (None, None))[1], axes, bool(ceil))
    y = t.draft.value(node.outputs[0].name, x.dtype, shape, x.zero_point)
    indices = t.draft.value(node.outputs[1].name, "s64", shape)
    attrs: dict[str, int | float] = {"column_major": int(node.attrs.get("storage_order", 0)), "ceil_mode": ceil}
    _emit_nd(t, node, x, [y, indices], "max_pool_nd", axes, attrs)


@handles("AveragePool")
def average_pool(t: Translator, node: gs.Node) -> None:
    _pool(t, node, _f32(t, node), "average_pool", {"count_include_pad": int(node.attrs.get("count_include_pad", 0))})


@handles("GlobalAveragePool")
def global_average_pool(t: Translator, node: gs.Node) -> None:
    _global(t, node, _f32(t, node), "global_average_pool", 1)


@handles("GlobalMaxPool")
def global_max_pool(t: Translator, node: gs.Node) -> None:
    _global(t, node, _input(t, node), "global_max_pool", 2)


def _global(t: Translator, node: gs.Node, x: Value, op_type: str, reduction: int) -> None:
    n, c, *sizes = x.shape or ()
    if len(sizes) <= 2:
        _emit(t, node.outputs[0], x, op_type, (n, c, *[1] * len(sizes)), {})
        return
    y = t.draft.value(node.outputs[0].name, x.dtype, (n, c, *[1] * len(sizes)), x.zero_point)
    t.bind(node.outputs[0], t.emit("reduce", [x], y, {"op": reduction}, [np.arange(2, 2 + len(sizes))]))
    if t.is_shifted(x):
        t.mark_shifted(y)
