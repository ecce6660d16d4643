"""QuantizeLinear and DequantizeLinear. Constants stay constants; quantised activations are u8, s8 ones shifted by 128.

Activations with many scales are computed in float (`spread.py`)."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import QuantizedConstant
from ..program import DTYPE_NAMES, Value
from ..reasons import Unsupported, require
from ..translate import Translator, handles
from .spread import dequantize_by_axis, quantize_by_axis, spread


@handles("QuantizeLinear")
def quantize(t: Translator, node: gs.Node) -> None:
    scale, zero_point, dtype = _parameters(t, node)
    array = t.const(node.inputs[0])
    if array is not None:
        t.bind(node.outputs[0], t.draft.constant(node.outputs[0].name, _quantize_constant(node, array, scale, zero_point, dtype)))
        return
    x = t.value(node.inputs[0])
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    if scale.size > 1:
        quantize_by_axis(t, node, scale, zero_point, dtype)
        return
    zero = int(zero_point.reshape(-1)[0]) + (128 if dtype == "s8" else 0)
    y = t.draft.value(node.outputs[0].name, "u8", t.shape(node.outputs[0]) or x.shape, zero)
    t.emit("quantize", [x], y, {"scale": float(scale.reshape(-1)[0]), "zero_point": zero})
    t.bind(node.outputs[0], y)
    if dtype == "s8":
        t.mark_shifted(y)


def _parameters(t: Translator, node: gs.Node) -> tuple[np.ndarray, np.ndarray, str]:
    """Scale, zero point and the dtype of the quantised side."""
    scale = t.require_const(node, 1, "the scale").astype(np.float32)
    require(bool(np.isfinite(scale).all() and (scale > 0).all()), "a scale is not a positive number")
    zero = t.input(node, 2)
    if zero is not None:
        zero_point = t.require_const(node, 2, "the zero point")
        name = DTYPE_NAMES.get(zero_point.dtype, str(zero_point.dtype))
    elif node.op == "DequantizeLinear":
        array = t.const(node.inputs[0])
        name = t.any(node.inputs[0]).dtype if array is None else DTYPE_NAMES.get(array.dtype, str(array.dtype))
        zero_point = np.zeros(1, np.int64)
    else:
        name, zero_point = {2: "u8", 3: "s8", 0: "u8"}.get(int(node.attrs.get("output_dtype", 0)), "another type"), np.zeros(1, np.int64)
    require(name in ("u8", "s8", "s32"), f"quantised to {name}, expected u8 or s8")
    return scale, zero_point.astype(np.int64), name


def _quantize_constant(node: gs.Node, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, dtype: str) -> np.ndarray:
    scale, zero_point = (spread(node, array, x.shape) for array in (scale, zero_point))
    info = np.iinfo(np.uint8 if dtype == "u8" else np.int8)
    return np.clip(np.rint(x.astype(np.float32) / scale) + zero_point, info.min, info.max).astype(info.dtype)


@handles("DequantizeLinear")
def dequantize(t: Translator, node: gs.Node) -> None:
    scale, zero_point, _ = _parameters(t, node)
    output = node.outputs[0]
    array = t.const(node.inputs[0])
    if array is not None:
        t.bind(output, _constant(t, node, array, scale, zero_point))
        return
    if scale.size > 1:
        dequantize_by_axis(t, node, scale, zero_point)
        return
    source = t.any(node.inputs[0])
    signed = source.dtype == "s8" or t.is_shifted(source)
    x = source if source.dtype == "s32" else t.shifted(node.inputs[0])
    require(x.dtype in ("u8", "s32"), f"input is {x.dtype}, expected u8, s8 or s32")
    zero = int(zero_point.reshape(-1)[0]) + (128 if signed else 0)
    if x.dtype == "u8":
        x = with_zero_point(t, x, zero)
    t.emit("dequantize", [x], output, {"scale": float(scale.reshape(-1)[0]), "zero_point": zero})


def _constant(t: Translator, node: gs.Node, array: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> Value:
    dtype = DTYPE_NAMES.get(array.dtype)
    if dtype not in ("u8", "s8", "s32"):
        raise Unsupported(f"a constant quantised to {array.dtype}, expected uint8, int8 or int32")
    if scale.size > 1 and int(node.attrs.get("block_size", 0)):
        scales, zero_points = spread(node, scale, array.shape), spread(node, zero_point, array.shape)
        return t.draft.constant(node.outputs[0].name, (array.astype(np.int64) - zero_points).astype(np.float32) * scales)
    axis = int(node.attrs.get("axis", 1)) % max(array.ndim, 1)
    fits = scale.size == 1 or (array.ndim > 0 and scale.size == array.shape[axis])
    require(fits, f"{scale.size} scales over axis {axis} of {list(array.shape)}")
    require(zero_point.size in (1, scale.size), f"{zero_point.size} zero points for {scale.size} scales")
    name = t.draft.unique(node.outputs[0].name)
    return QuantizedConstant(name, dtype, array.shape, data=array, scales=scale.reshape(-1), zero_points=zero_point.reshape(-1), axis=axis)


def with_zero_point(t: Translator, x: Value, zero_point: int) -> Value:
    """The same numbers in a value whose gaps hold `zero_point`."""
    if x.zero_point == zero_point:
        return x
    producer = t.draft.producer(x)
    if (producer is None or producer.type == "shift_u8") and not t.draft.users(x):
        x.zero_point = zero_point
        return x
    relabelled = t.draft.value(f"{x.name}/zero", "u8", x.shape, zero_point)
    return t.emit("lookup_u8", [x], relabelled, consts=[np.arange(256, dtype=np.uint8)])
