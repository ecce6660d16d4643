"""ConvTranspose, of one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from ..dims import plus, times
from ..draft import Weights
from ..program import Dim, Value
from ..reasons import Unsupported, require
from ..translate import Translator, handles
from .frames import emit_on_frames
from .windows import Axis, auto_pad, emit_lifted, explicit_pads, lift, steps


@dataclass(frozen=True)
class _Transposed:
    """Weights [IC, OC/group, ...], bias [OC], and along each axis the window and by how much the output is longer."""

    weights: np.ndarray
    bias: np.ndarray
    group: int
    axes: Sequence[Axis]
    more: Sequence[int]

    @property
    def out_channels(self) -> int:
        return self.weights.shape[1] * self.group

    def size(self, i: int, dim: Dim) -> Dim:
        """stride·(dim − 1) + extent + more − pads."""
        axis = self.axes[i]
        return plus(times(dim, axis.stride), axis.extent + self.more[i] - axis.begin - axis.end - axis.stride)

    def last(self, weights: np.ndarray) -> _Transposed:
        """The same over the last two axes."""
        return _Transposed(weights, self.bias, self.group, self.axes[-2:], self.more[-2:])


@handles("ConvTranspose")
def conv_transpose(t: Translator, node: gs.Node) -> None:
    w, x = t.require_const(node, 1, "the weight").astype(np.float32), t.value(node.inputs[0])
    require(w.ndim in (3, 4, 5), f"{w.ndim - 2}-D transposed convolution, expected 1-D to 3-D")
    require(x.shape is None or len(x.shape) == w.ndim, f"input has rank {len(x.shape or ())}, weights {w.ndim}")
    group = int(node.attrs.get("group", 1))
    bias = np.zeros(w.shape[1] * group) if t.input(node, 2) is None else t.require_const(node, 2, "the bias")
    more = [int(p) for p in node.attrs.get("output_padding", [0] * (w.ndim - 2))]
    require(len(more) == w.ndim - 2 and min(more) >= 0, f"output_padding {more}")
    c = _Transposed(w, bias.astype(np.float32), group, _read_axes(node, w.shape[2:], more, x.shape), more)
    if w.ndim == 5:
        _emit_3d(t, node, x, c)
        return
    n, _, *sizes = x.shape or (None,) * w.ndim
    shape = (n, c.out_channels, *(c.size(i, d) for i, d in enumerate(sizes)))
    if w.ndim == 3:
        c = _Transposed(w[:, :, None], c.bias, group, [Axis(1, 1, 1, 0, 0), *c.axes], [0, *more])
    emit_lifted(t, node.outputs[0], x, shape, lambda y: _emit_2d(t, lift(t, x), y, c))


def _read_axes(node: gs.Node, kernel: Sequence[int], more: list[int], shape: tuple[Dim, ...] | None) -> list[Axis]:
    """A pad at the end is negative where what is wanted is longer than what the windows reach."""
    rank = len(kernel)
    (strides, dilations), auto = steps(node, rank), auto_pad(node)
    axes = [Axis(int(k), s, d, 0, 0) for k, s, d in zip(kernel, strides, dilations, strict=True)]
    if "output_shape" in node.attrs:
        sizes = (shape or (None,) * (rank + 2))[2:]
        wanted = [int(d) for d in node.attrs["output_shape"]][-rank:]
        known = all(isinstance(d, int) for d in sizes)
        require(len(wanted) == rank and known, "output_shape over sizes that are not known before run time")
        totals = [a.stride * (int(d or 0) - 1) + a.extent + m - w for a, d, m, w in zip(axes, sizes, more, wanted, strict=True)]
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [a.extent + m - a.stride for a, m in zip(axes, more, strict=True)]
    else:
        pads = [0] * 2 * rank if auto == "VALID" else explicit_pads(node, rank)
        return [Axis(a.kernel, a.stride, a.dilation, pads[i], pads[rank + i]) for i, a in enumerate(axes)]
    begins = [max(total // 2 if auto == "SAME_UPPER" else total - total // 2, 0) for total in totals]
    return [Axis(a.kernel, a.stride, a.dilation, b, total - b) for a, b, total in zip(axes, begins, totals, strict=True)]


def _emit_2d(t: Translator, x: Value, y: Value, c: _Transposed) -> Value:
    """By phases: output pixel s·i + a of a transposed convolution only meets the taps k ≡ a + pad (mod s), so that a plain convolution with
    s_h·s_w times the output channels computes all phases, depth_to_space interleaves them, and a slice cuts off the pads."""
    (h, w), name = c.axes, f"{y.name}/phases"
    phases, many = transposed_phases(c.weights, c.axes, c.more, c.group), h.stride * w.stride
    taps = phases.shape[2:]
    attrs = {"in_channels": c.weights.shape[0], "out_channels": c.out_channels * many, "group": c.group, "kernel_h": taps[0]}
    attrs |= {"kernel_w": taps[1], "pad_top": taps[0] - 1, "pad_bottom": taps[0] - 1, "pad_left": taps[1] - 1, "pad_right": taps[1] - 1}
    n, _, *sizes = x.shape or (None,) * 4
    sizes = [plus(d, k - 1) for d, k in zip(sizes, taps, strict=True)]
    begins = [a.begin for a in c.axes]
    surplus = [a.stride * k - a.extent - m + a.end for a, k, m in zip(c.axes, taps, c.more, strict=True)]
    cropped, weights = any(begins + surplus), Weights(phases, np.repeat(c.bias, many))
    target = y if many == 1 and not cropped else t.draft.value(name, "f32", (n, c.out_channels * many, *sizes))
    full = t.emit("conv", [x], target, attrs, weights=weights)
    if many > 1:
        shape = (n, c.out_channels, *(times(d, a.stride) for d, a in zip(sizes, c.axes, strict=True)))
        target = t.draft.value(f"{y.name}/full", "f32", shape) if cropped else y
        full = t.emit("depth_to_space", [full], target, {"blocksize": h.stride, "block_w": w.stride, "mode": 1})
    if not cropped:
        return full
    ends = [-s if s else np.iinfo(np.int64).max for s in surplus]
    return t.emit("slice", [full], y, consts=[np.array(v, np.int64) for v in (begins, ends, [2, 3], [1, 1])])


def transposed_phases(w: np.ndarray, axes: Sequence[Axis], more: Sequence[int], group: int) -> np.ndarray:
    """Weights [IC, OC/group, KH, KW] of a transposed convolution as those of a plain one, [OC·s_h·s_w, IC/group, taps, taps], where output
    channel (oc·s_h + a)·s_w + b is the phase (a, b) of the full (unpadded) output, and whose pads are taps − 1 on every side.

    There are as many taps as it takes for the full output to reach to the end of what is wanted: `more` less the pad at the end.
    """
    in_per_group, out_per_group, (sh, sw) = w.shape[0] // group, w.shape[1], (a.stride for a in axes)
    taps = [-(-(a.extent + max(m - a.end, 0)) // a.stride) for a, m in zip(axes, more, strict=True)]
    result = np.zeros((group * out_per_group, sh, sw, in_per_group, *taps), np.float32)
    grouped = w.reshape(group, in_per_group, out_per_group, *w.shape[2:]).transpose(0, 2, 1, 3, 4)
    grouped = grouped.reshape(group * out_per_group, in_per_group, *w.shape[2:])
    for ky in range(w.shape[2]):
        for kx in range(w.shape[3]):
            (i, a), (j, b) = divmod(ky * axes[0].dilation, sh), divmod(kx * axes[1].dilation, sw)
            result[:, a, b, :, taps[0] - 1 - i, taps[1] - 1 - j] = grouped[:, :, ky, kx]
    return result.reshape(-1, in_per_group, *taps)


def _emit_3d(t: Translator, node: gs.Node, x: Value, c: _Transposed) -> None:
    """Output frame o meets the taps k of the frames (o + pad − k·dilation) / stride, where that is a whole number."""
    depth, shape = c.axes[0], (c.out_channels, *(c.size(i, d) for i, d in enumerate((x.shape or (None,) * 5)[2:])))
    if not isinstance(shape[1], int):
        raise Unsupported("a 3-D convolution over sizes that are not known before run time")
    shifted = np.arange(shape[1])[:, None] + depth.begin - np.arange(depth.kernel) * depth.dilation
    places = np.where(shifted % depth.stride == 0, shifted // depth.stride, -1)
    weights = np.moveaxis(c.weights, 2, 1).reshape(-1, c.weights.shape[1], *c.weights.shape[3:])
    emit_on_frames(t, x, node.outputs[0], places, shape, lambda frames, y: _emit_2d(t, frames, y, c.last(weights)))
