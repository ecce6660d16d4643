"""Conv, of one, two or three dimensions."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import Weights
from ..program import Value
from ..reasons import Unsupported, require
from ..translate import Tensor, Translator, handles
from .frames import emit_on_frames
from .windows import Axis, Window, emit_lifted, lift, read_axes, shape_over, window_of


@handles("Conv")
def conv(t: Translator, node: gs.Node) -> None:
    weights = read_weights(t, node.inputs[1], t.input(node, 2))
    shape = weights.values.shape
    require(len(shape) in (3, 4, 5), f"{len(shape) - 2}-D convolution, expected 1-D to 3-D")
    x, output = t.value(node.inputs[0]), node.outputs[0]
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    require(x.shape is None or len(x.shape) == len(shape), f"input has rank {len(x.shape or ())}, weights {len(shape)}")
    group = int(node.attrs.get("group", 1))
    require(group > 0 and shape[0] % group == 0, f"{shape[0]} output channels do not divide into {group} groups")
    channels, expected = x.shape[1] if x.shape else None, shape[1] * group
    require(channels in (expected, None) or isinstance(channels, str), f"input has {channels} channels, weights expect {expected}")
    axes = read_axes(node, shape[2:], x.shape)
    if len(shape) == 5:
        _conv_3d(t, x, output, weights, group, axes)
        return
    if len(shape) == 3:
        weights.values = weights.values[:, :, None, :]
    window = window_of(axes)
    emit_lifted(t, output, x, shape_over(x, shape[0], axes), lambda y: emit_conv(t, lift(t, x), y, weights, group, window))


def emit_conv(t: Translator, x: Value, y: Value, weights: Weights, group: int, window: Window) -> Value:
    """A 2-D convolution."""
    out_channels, per_group = weights.values.shape[:2]
    attrs = {"in_channels": per_group * group, "out_channels": out_channels, "group": group, **window.attrs()}
    return t.emit("conv", [x], y, attrs, weights=weights)


def _conv_3d(t: Translator, x: Value, output: Tensor, weights: Weights, group: int, axes: list[Axis]) -> None:
    """Output frame o is a 2-D convolution over the frames o·stride + k·dilation − pad: one channel per channel and tap k."""
    depth, window = axes[0], window_of(axes[1:])
    _, *shape = shape_over(x, weights.values.shape[0], axes)
    weights.values = weights.values.reshape(weights.values.shape[0], -1, *weights.values.shape[3:])
    places = np.arange(shape[1] if isinstance(shape[1], int) else 0)[:, None] * depth.stride + np.arange(depth.kernel) * depth.dilation
    emit_on_frames(t, x, output, places - depth.begin, shape, lambda frame, y: emit_conv(t, frame, y, weights, group, window))


def read_weights(t: Translator, tensor: Tensor, bias: Tensor | None, out_axis: int = 0) -> Weights:
    """Weights (`out_axis` moved to the front) and bias; quantised weights keep their integers where the kernels take them."""
    values, scales = _weight_values(t, tensor, out_axis)
    out_channels = len(values)
    result = Weights(values, np.zeros(out_channels, np.float32), scales)
    if bias is not None:
        constant = t.const(bias)
        if constant is None:
            raise Unsupported("bias is not constant")
        result.bias = np.broadcast_to(constant.reshape(-1), (out_channels,)).astype(np.float32)
        integers = t.quantized_const(bias)
        if integers is not None and integers.dtype == "s32":
            result.bias_integers = np.broadcast_to(integers.integers().reshape(-1), (out_channels,))
            result.bias_scales = np.broadcast_to(integers.scales.reshape(-1), (out_channels,))
    return result


def _weight_values(t: Translator, tensor: Tensor, out_axis: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Weights with `out_axis` in front, and the scales of those that stay integers."""
    quantized = t.quantized_const(tensor)
    if quantized is not None and quantized.dtype in ("s8", "u8") and (quantized.scales.size == 1 or quantized.axis == out_axis):
        integers = quantized.integers()
        require(integers.ndim > out_axis, f"weights have rank {integers.ndim}")
        values = np.moveaxis(integers, out_axis, 0)
        return values, np.broadcast_to(quantized.scales.reshape(-1), values.shape[:1]).astype(np.float32)
    array = t.const(tensor)
    if array is None:
        raise Unsupported("weights are not constant")
    require(array.ndim > out_axis, f"weights have rank {array.ndim}")
    return np.moveaxis(array, out_axis, 0), None
