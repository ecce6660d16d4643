"""Conv and ConvTranspose."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import Weights
from ..program import Value
from ..reasons import Unsupported, require
from ..translate import Tensor, Translator, handles
from .windows import Window, emit_lifted, lift, read_window, window_shape


@handles("Conv")
def conv(t: Translator, node: gs.Node) -> None:
    weights = read_weights(t, node.inputs[1], t.input(node, 2))
    shape = weights.values.shape
    require(len(shape) in (3, 4), f"{len(shape) - 2}-D convolution, expected 1-D or 2-D")
    x = t.value(node.inputs[0])
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    group = int(node.attrs.get("group", 1))
    out_channels, in_channels = shape[0], shape[1] * group
    require(group > 0 and out_channels % group == 0, f"{out_channels} output channels do not divide into {group} groups")
    channels = x.shape[1] if x.shape else None
    require(not isinstance(channels, int) or channels == in_channels, f"input has {channels} channels, weights expect {in_channels}")
    window = read_window(node, shape[2:], x.shape)
    if len(shape) == 3:
        weights.values = weights.values[:, :, None, :]
    attrs = {"in_channels": in_channels, "out_channels": out_channels, "group": group, **window.attrs()}
    require(x.shape is None or len(x.shape) == len(shape), f"input has rank {len(x.shape or ())}, weights {len(shape)}")
    y_shape = window_shape(x, out_channels, window)
    emit_lifted(t, node.outputs[0], x, y_shape, lambda y: t.emit("conv", [lift(t, x)], y, attrs, weights=weights))


def read_weights(t: Translator, tensor: Tensor, bias: Tensor | None, out_axis: int = 0) -> Weights:
    """Weights (`out_axis` moved to the front) and bias; quantised weights keep their integers where the kernels take them."""
    quantized = t.quantized_const(tensor)
    array = t.const(tensor)
    if array is None:
        raise Unsupported("weights are not constant")
    require(array.ndim > out_axis, f"weights have rank {array.ndim}")
    out_channels = array.shape[out_axis]
    result = Weights(np.moveaxis(array, out_axis, 0), np.zeros(out_channels, np.float32))
    if bias is not None:
        constant = t.const(bias)
        if constant is None:
            raise Unsupported("bias is not constant")
        result.bias = np.broadcast_to(constant.reshape(-1), (out_channels,)).astype(np.float32)
        integers = t.quantized_const(bias)
        if integers is not None and integers.dtype == "s32":
            result.bias_integers = np.broadcast_to(integers.integers().reshape(-1), (out_channels,))
            result.bias_scales = np.broadcast_to(integers.scales.reshape(-1), (out_channels,))
    if quantized is not None and quantized.dtype in ("s8", "u8") and (quantized.scales.size == 1 or quantized.axis == out_axis):
        result.values = np.moveaxis(quantized.integers(), out_axis, 0)
        result.scales = np.broadcast_to(quantized.scales.reshape(-1), (out_channels,)).astype(np.float32)
    return result


@handles("ConvTranspose")
def conv_transpose(t: Translator, node: gs.Node) -> None:
    """By phases: output pixel s·i + a of a transposed convolution only meets the taps k ≡ a + pad (mod s), so that a plain convolution with
    s_h·s_w times the output channels computes all phases, depth_to_space interleaves them, and a slice cuts off the pads."""
    w = t.require_const(node, 1, "the weight")
    require(w.ndim == 4, f"{w.ndim - 2}-D transposed convolution, expected 2-D")
    x = t.value(node.inputs[0])
    group = int(node.attrs.get("group", 1))
    window = read_window(node, w.shape[2:], None)
    require("output_shape" not in node.attrs, "attribute output_shape")
    require(window.strides[0] == window.strides[1], f"strides {list(window.strides)}, expected equal ones")
    require(x.shape is None or x.shape[1] in (None, w.shape[0]) or isinstance(x.shape[1], str), "channels of input and weight differ")
    out_padding = [int(p) for p in node.attrs.get("output_padding", [0, 0])]
    stride, phases = window.strides[0], transposed_phases(w, window, group)
    out_channels = w.shape[1] * group
    bias = t.input(node, 2)
    bias_values = np.zeros(out_channels, np.float32) if bias is None else t.require_const(node, 2, "the bias").astype(np.float32)
    weights = Weights(phases, np.repeat(bias_values, stride * stride))
    taps = phases.shape[2:]
    attrs = {"in_channels": w.shape[0], "out_channels": out_channels * stride * stride, "group": group}
    attrs |= {"kernel_h": taps[0], "kernel_w": taps[1]}
    attrs |= {"pad_top": taps[0] - 1, "pad_bottom": taps[0] - 1, "pad_left": taps[1] - 1, "pad_right": taps[1] - 1}
    output = node.outputs[0]
    y = t.emit("conv", [x], t.temporary(output, "phases", (_batch(x), out_channels * stride * stride, None, None)), attrs, weights=weights)
    if stride > 1:
        full = t.temporary(output, "full", (_batch(x), out_channels, None, None))
        y = t.emit("depth_to_space", [y], full, {"blocksize": stride, "mode": 1})
    _crop(t, y, output, window, taps, out_padding)


def _batch(x: Value):
    return x.shape[0] if x.shape else None


def transposed_phases(w: np.ndarray, window: Window, group: int) -> np.ndarray:
    """Weights [IC, OC/group, KH, KW] of a transposed convolution as those of a plain one, [OC·s·s, IC/group, taps, taps], where output
    channel (oc·s + a)·s + b is the phase (a, b) of the full (unpadded) output, and whose pads are taps − 1 on every side."""
    stride, (dh, dw) = window.strides[0], window.dilations
    in_per_group, out_per_group = w.shape[0] // group, w.shape[1]
    taps = [-(-((k - 1) * d + 1) // stride) for k, d in zip(window.kernel, window.dilations, strict=True)]
    result = np.zeros((group * out_per_group, stride, stride, in_per_group, *taps), np.float32)
    grouped = w.reshape(group, in_per_group, out_per_group, *w.shape[2:]).transpose(0, 2, 1, 3, 4)
    grouped = grouped.reshape(group * out_per_group, in_per_group, *w.shape[2:])
    for ky in range(w.shape[2]):
        for kx in range(w.shape[3]):
            (i, a), (j, b) = divmod(ky * dh, stride), divmod(kx * dw, stride)
            result[:, a, b, :, taps[0] - 1 - i, taps[1] - 1 - j] = grouped[:, :, ky, kx]
    return result.reshape(-1, in_per_group, *taps)


def _crop(t: Translator, y: Value, output: Tensor, window: Window, taps: tuple[int, ...], out_padding: list[int]) -> None:
    """From s·(H + taps − 1) rows to s·(H − 1) + extent + out_padding − pads; columns alike."""
    starts, ends = [], []
    for axis in (0, 1):
        stride, extent = window.strides[axis], (window.kernel[axis] - 1) * window.dilations[axis] + 1
        begin, end = window.pads[axis], window.pads[2 + axis]
        surplus = stride * taps[axis] - extent - out_padding[axis] + end
        require(surplus >= 0, f"output_padding {out_padding} reaches past the last tap")
        starts.append(begin)
        ends.append(-surplus if surplus else np.iinfo(np.int64).max)
    consts = [np.array(v, np.int64) for v in (starts, ends, [2, 3], [1, 1])]
    t.emit("slice", [y], output, consts=consts)
