"""Convolutions to test kernels with: geometry, operands, the operator around a kernel, and the exact result."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from honed.kernels._native import Operator, TensorSpec


@dataclass(frozen=True)
class Conv:
    """A 2-D convolution in ONNX's terms, the gaps of its planar operands beyond what its pads need, and conv_u8s8's attribute rows."""

    in_channels: int = 8
    out_channels: int = 8
    kernel_h: int = 3
    kernel_w: int = 3
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 1
    pad_left: int = 1
    pad_bottom: int = 1
    pad_right: int = 1
    group: int = 1
    height: int = 7
    width: int = 9
    batch: int = 1
    extra_rows: int = 0
    extra_cols: int = 0
    rows: int | None = None

    @property
    def attrs(self) -> dict[str, int]:
        """The operator's attributes: a strided convolution has its padding in the phases."""
        names = ("height", "width", "batch", "extra_rows", "extra_cols")
        attrs = {k: v for k, v in asdict(self).items() if k not in names and v is not None}
        if self.strided:
            attrs |= dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 0)
        return attrs

    @property
    def strided(self) -> bool:
        return self.stride_h > 1 or self.stride_w > 1

    @property
    def extent_h(self) -> int:
        return (self.kernel_h - 1) * self.dilation_h

    @property
    def extent_w(self) -> int:
        return (self.kernel_w - 1) * self.dilation_w

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        h = (self.height + self.pad_top + self.pad_bottom - self.extent_h - 1) // self.stride_h + 1
        w = (self.width + self.pad_left + self.pad_right - self.extent_w - 1) // self.stride_w + 1
        return self.batch, self.out_channels, h, w

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return self.out_channels, self.in_channels // self.group, self.kernel_h, self.kernel_w

    @property
    def gaps(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(rows, columns) of the operator's input and of its output: the row strides must agree."""
        if self.strided:
            return (self.extra_rows, self.extra_cols), (self.extra_rows, self.extra_cols + self.extent_w // self.stride_w)
        change = self.pad_left + self.pad_right - self.extent_w  # of the width
        cols = max(self.pad_left, self.pad_right, change) + self.extra_cols
        return (max(self.pad_top, self.pad_bottom) + self.extra_rows, cols), (self.extra_rows, cols - change)

    def operator_input(self, x: np.ndarray, zero_point: int = 0) -> np.ndarray:
        """What the operator reads: x itself, or its phases."""
        if not self.strided:
            return x
        pads = ((0, 0), (0, 0), (self.pad_top, self.pad_bottom), (self.pad_left, self.pad_right))
        padded = np.pad(x, pads, constant_values=zero_point)
        phases_h, phases_w = min(self.stride_h, self.extent_h + 1), min(self.stride_w, self.extent_w + 1)
        h = self.output_shape[2] + self.extent_h // self.stride_h
        w = self.output_shape[3] + self.extent_w // self.stride_w
        out = np.full((x.shape[0], x.shape[1], phases_h, phases_w, h, w), zero_point, x.dtype)
        for a in range(phases_h):
            for b in range(phases_w):
                phase = padded[:, :, a :: self.stride_h, b :: self.stride_w][:, :, :h, :w]
                out[:, :, a, b, : phase.shape[2], : phase.shape[3]] = phase
        return out.reshape(x.shape[0], -1, h, w)

    def operator(self, kind: str, consts: list[np.ndarray], isa: str, *, dtype: str, out_dtype: str | None = None, zero_point: int = 0,
                 out_zero_point: int = 0, residual_zero_point: int | None = None, shift: int = 0, **attrs: float) -> Operator:
        """`shift` is the attribute zero_point; `out_zero_point` is what fills the output's gaps."""
        (in_rows, in_cols), (out_rows, out_cols) = self.gaps
        out_dtype = out_dtype or dtype
        inputs = [TensorSpec(dtype, True, in_rows, in_cols, zero_point)]
        if residual_zero_point is not None:
            inputs.append(TensorSpec(out_dtype, True, out_rows + 1, out_cols, residual_zero_point))
        output = TensorSpec(out_dtype, True, out_rows, out_cols, out_zero_point)
        return Operator(kind, inputs, [output], self.attrs | attrs | ({"zero_point": shift} if shift else {}), consts, isa)


POINTWISE = {"kernel_h": 1, "kernel_w": 1} | dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 0)

CASES = [
    Conv(kernel_h=1, kernel_w=1, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    Conv(),
    Conv(in_channels=5, out_channels=7, height=13, width=31, batch=2, extra_rows=1, extra_cols=2),
    Conv(stride_h=2, stride_w=2, height=14, width=15),
    Conv(kernel_h=1, kernel_w=1, stride_h=2, stride_w=2, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0, height=14, width=14),
    Conv(kernel_h=7, kernel_w=7, stride_h=2, stride_w=2, pad_top=3, pad_left=3, pad_bottom=3, pad_right=3,
         in_channels=3, height=32, width=32),
    Conv(stride_h=3, stride_w=1, dilation_h=2, dilation_w=3, height=17, width=17),
    Conv(pad_top=0, pad_left=2, pad_bottom=1, pad_right=0, height=9, width=5),
    Conv(pad_top=0, pad_left=0, pad_bottom=0, pad_right=0, height=9, width=70),
    Conv(group=2, in_channels=6, out_channels=10),
    Conv(group=8),
    Conv(kernel_h=1, kernel_w=5, pad_top=0, pad_bottom=0, pad_left=2, pad_right=2, height=1, width=200),
]

WIDE = [
    Conv(in_channels=70, out_channels=20, height=28, width=28),
    Conv(in_channels=300, out_channels=9, height=40, width=41, batch=2),
    Conv(in_channels=257, out_channels=33, height=7, width=7, **POINTWISE),
]
DEPTHWISE = [
    Conv(in_channels=8, out_channels=8, group=8, height=14, width=14),
    Conv(in_channels=5, out_channels=10, group=5, height=19, width=33, batch=2, extra_rows=1, extra_cols=1),
    Conv(in_channels=6, out_channels=6, group=6, stride_h=2, stride_w=2, height=15, width=28),
    Conv(in_channels=3, out_channels=3, group=3, kernel_h=5, kernel_w=5, pad_top=2, pad_left=2, pad_bottom=2, pad_right=2,
         height=20, width=20),
    Conv(in_channels=3, out_channels=3, group=3, kernel_h=5, kernel_w=7, stride_h=2, stride_w=3, height=20, width=30),
    Conv(in_channels=4, out_channels=4, group=4, dilation_h=2, dilation_w=2, height=12, width=13),
    Conv(in_channels=4, out_channels=4, group=4, **POINTWISE),
]
WITH_RESIDUAL = Conv(in_channels=9, out_channels=6, height=15, width=14, batch=2)


def exact(conv: Conv, x: np.ndarray, w: np.ndarray, zero_point: int = 0) -> np.ndarray:
    """The convolution's sums in int64 or float64: windows of the padded input times weights."""
    kind = np.int64 if np.issubdtype(x.dtype, np.integer) else np.float64
    pads = ((0, 0), (0, 0), (conv.pad_top, conv.pad_bottom), (conv.pad_left, conv.pad_right))
    padded = np.pad(x.astype(kind) - zero_point, pads)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (conv.extent_h + 1, conv.extent_w + 1), axis=(2, 3))
    windows = windows[:, :, :: conv.stride_h, :: conv.stride_w, :: conv.dilation_h, :: conv.dilation_w]
    n, _, h, width = conv.output_shape
    grouped = windows.reshape(n, conv.group, conv.in_channels // conv.group, h, width, conv.kernel_h, conv.kernel_w)
    weights = w.astype(kind).reshape(conv.group, conv.out_channels // conv.group, *w.shape[1:])
    return np.einsum("ngchwkl,gockl->ngohw", grouped, weights, optimize=True).reshape(conv.output_shape)


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """float32 fused multiply-add. The product of two float32 is exact in float64; the sum is rounded to odd there, then to float32."""
    product = a.astype(np.float64) * b.astype(np.float64)
    c = np.broadcast_to(c, product.shape).astype(np.float64)
    total = product + c
    virtual = total - product
    error = (product - (total - virtual)) + (c - virtual)  # Knuth's TwoSum: total + error is exact
    odd = total.view(np.int64) & 1
    toward = np.where(error > 0, np.inf, -np.inf)
    adjusted = np.where((error != 0) & (odd == 0), np.nextafter(total, toward), total)
    return adjusted.astype(np.float32)


def requantized(acc: np.ndarray, scale: np.ndarray, offset: np.ndarray, lo: float = 0, hi: float = 255, zero_point: int = 0) -> np.ndarray:
    """rint(clamp(fma(float(acc), scale, offset), less zero_point)) + zero_point as u8; scale and offset per channel (axis 1)."""
    real = fma(acc.astype(np.int32).astype(np.float32), scale.reshape(1, -1, 1, 1), offset.reshape(1, -1, 1, 1))
    return (np.rint(np.clip(real, np.float32(lo - zero_point), np.float32(hi - zero_point))) + zero_point).astype(np.uint8)
