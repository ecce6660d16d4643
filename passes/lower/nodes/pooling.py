"""Max, average and global pooling over [N, C, H, W] and, with a height of 1, [N, C, L]."""

from __future__ import annotations

import onnx_graphsurgeon as gs

from ..program import Dim, Value
from ..reasons import require
from ..translate import Tensor, Translator, handles
from .windows import emit_lifted, lift, read_window, window_shape


def _input(t: Translator, node: gs.Node) -> Value:
    """The input in the form in which it was made: pooling by maximum commutes with the shift of an s8 tensor."""
    x = t.any(node.inputs[0])
    if x.dtype == "s8":
        x = t.shifted(node.inputs[0])
    require(x.dtype in ("f32", "u8"), f"input is {x.dtype}, expected f32, u8 or s8")
    require(x.shape is not None and len(x.shape) in (3, 4), f"rank {'unknown' if x.shape is None else len(x.shape)}, expected 3 or 4")
    return x


def _read(t: Translator, node: gs.Node, x: Value) -> tuple[dict[str, int | float], tuple[Dim, ...]]:
    """Attributes, and the shape of the output; the last window of `ceil_mode` is left out where it begins in the padding, so that then
    only the runtime knows the size."""
    window = read_window(node, [int(k) for k in node.attrs["kernel_shape"]], x.shape)
    ceil = int(node.attrs.get("ceil_mode", 0))
    shape = window_shape(x, None, window, bool(ceil))
    if ceil and max(window.pads) > 0:
        shape = (*shape[:2], None, None)
    return window.attrs() | {"ceil_mode": ceil}, shape


def _emit(t: Translator, output: Tensor, x: Value, op_type: str, shape: tuple[Dim, ...], attrs: dict[str, int | float]) -> None:
    emit_lifted(t, output, x, shape, lambda y: t.emit(op_type, [lift(t, x)], y, attrs))
    if t.is_shifted(x):
        t.mark_shifted(t.any(output))


def _f32(t: Translator, node: gs.Node) -> Value:
    x = _input(t, node)
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    return x


def _pooled(x: Value) -> tuple[Dim, ...]:
    return (*(x.shape or (None, None))[:2], 1, 1)


@handles("MaxPool")
def max_pool(t: Translator, node: gs.Node) -> None:
    require(not any(t.is_used(indices) for indices in node.outputs[1:]), "the output of indices")
    x = _input(t, node)
    attrs, shape = _read(t, node, x)
    _emit(t, node.outputs[0], x, "max_pool", shape, attrs)


@handles("AveragePool")
def average_pool(t: Translator, node: gs.Node) -> None:
    x = _f32(t, node)
    attrs, shape = _read(t, node, x)
    _emit(t, node.outputs[0], x, "average_pool", shape, attrs | {"count_include_pad": int(node.attrs.get("count_include_pad", 0))})


@handles("GlobalAveragePool")
def global_average_pool(t: Translator, node: gs.Node) -> None:
    x = _f32(t, node)
    _emit(t, node.outputs[0], x, "global_average_pool", _pooled(x), {})


@handles("GlobalMaxPool")
def global_max_pool(t: Translator, node: gs.Node) -> None:
    x = _input(t, node)
    _emit(t, node.outputs[0], x, "global_max_pool", _pooled(x), {})
