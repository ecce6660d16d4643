"""What convolutions and pools share: kernel, strides, dilations, pads, and the 1-D forms, which run as 2-D with a height of 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import onnx_graphsurgeon as gs

from ..dims import refine, windowed
from ..program import Dim, Value
from ..reasons import Unsupported, require
from ..translate import Tensor, Translator

WINDOW_ATTRS = (
    "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left", "pad_bottom", "pad_right",
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """The geometry of a 2-D convolution or pool; pads are top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]

    def attrs(self) -> dict[str, int | float]:
        return dict(zip(WINDOW_ATTRS, (*self.kernel, *self.strides, *self.dilations, *self.pads), strict=True))


def read_window(node: gs.Node, kernel: Sequence[int], shape: tuple[Dim, ...] | None) -> Window:
    """`kernel` has 1 or 2 dimensions, `shape` is the input's. Raises Unsupported."""
    rank = len(kernel)
    require(rank in (1, 2), f"{rank}-D windows, expected 1-D or 2-D")
    strides = [int(s) for s in node.attrs.get("strides", [1] * rank)]
    dilations = [int(d) for d in node.attrs.get("dilations", [1] * rank)]
    require(min(strides + dilations + list(kernel)) > 0, "a kernel, stride or dilation is not positive")
    pads = _pads(node, kernel, strides, dilations, shape)
    require(min(pads) >= 0, f"negative pads {pads}")
    if rank == 1:
        return Window((1, kernel[0]), (1, strides[0]), (1, dilations[0]), (0, pads[0], 0, pads[1]))
    return Window((kernel[0], kernel[1]), (strides[0], strides[1]), (dilations[0], dilations[1]), (pads[0], pads[1], pads[2], pads[3]))


def _pads(
    node: gs.Node, kernel: Sequence[int], strides: list[int], dilations: list[int], shape: tuple[Dim, ...] | None
) -> list[int]:
    auto = node.attrs.get("auto_pad", "NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if auto == "VALID":
        return [0] * 2 * len(kernel)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        return [int(p) for p in node.attrs.get("pads", [0] * 2 * len(kernel))]
    begins, ends = [], []
    for i, (k, s, d) in enumerate(zip(kernel, strides, dilations, strict=True)):
        extent = (k - 1) * d
        size = shape[2 + i] if shape is not None else None
        if s == 1:
            total = extent
        elif isinstance(size, int):
            total = max((-(-size // s) - 1) * s + extent + 1 - size, 0)
        else:
            raise Unsupported(f"auto_pad {auto} with stride {s} over a size that is not known before run time")
        small = total // 2
        begins.append(small if auto == "SAME_UPPER" else total - small)
        ends.append(total - begins[-1])
    return begins + ends


def lift(t: Translator, x: Value) -> Value:
    """[N, C, L] as [N, C, 1, L]; a value of rank 4 as it is."""
    if x.shape is None or len(x.shape) == 4:
        return x
    require(len(x.shape) == 3, f"rank {len(x.shape)}, expected 3 or 4")
    lifted = t.draft.value(f"{x.name}/2d", x.dtype, (*x.shape[:2], 1, x.shape[2]), x.zero_point)
    return t.emit("reshape", [x], lifted, {"rank": 4, "dim0": 0, "dim1": 0, "dim2": 1, "dim3": -1})


def emit_lifted(t: Translator, output: Tensor, x: Value, shape: tuple[Dim, ...], emit: Callable[[Value], Value]) -> None:
    """Calls emit(y) with the value to write, of rank 4 and `shape`, and gives `output` the rank of `x`."""
    given = t.shape(output)
    if x.shape is None or len(x.shape) == 4:
        y = t.draft.value(output.name, x.dtype, refine(given, shape), x.zero_point)
        t.bind(output, emit(y))
        return
    flat = refine(given, (shape[0], shape[1], shape[3]))
    y = emit(t.temporary(output, "2d", shape, x.dtype, x.zero_point))
    result = t.draft.value(output.name, x.dtype, flat, x.zero_point)
    t.bind(output, t.emit("reshape", [y], result, {"rank": 3, "dim0": 0, "dim1": 0, "dim2": -1}))


def window_shape(x: Value, channels: int | None, window: Window, ceil: bool = False) -> tuple[Dim, ...]:
    """The shape, of rank 4, that a convolution or pool over `x` gives; channels: None keeps those of `x`."""
    shape = x.shape or (None,) * 4
    height, width = (1, shape[2]) if len(shape) == 3 else shape[2:]
    sizes = [
        windowed(dim, window.kernel[i], window.strides[i], window.dilations[i], window.pads[i] + window.pads[2 + i], ceil)
        for i, dim in enumerate((height, width))
    ]
    return (shape[0], shape[1] if channels is None else channels, sizes[0], sizes[1])
