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
class Axis:
    """The windows along one axis."""

    kernel: int
    stride: int
    dilation: int
    begin: int
    end: int

    @property
    def extent(self) -> int:
        """How many elements a window spans."""
        return (self.kernel - 1) * self.dilation + 1

    def count(self, dim: Dim, ceil: bool = False) -> Dim:
        """The number of windows; with `ceil` the last one may hang over the end, but not begin behind it."""
        number = windowed(dim, self.kernel, self.stride, self.dilation, self.begin + self.end, ceil)
        if not ceil or (self.begin + self.end == 0 and self.stride <= self.extent):
            return number
        if not isinstance(number, int) or not isinstance(dim, int):
            return None
        return number - (number > 1 and (number - 1) * self.stride >= dim + self.begin)


@dataclass(frozen=True)
class Window:
    """The geometry of a 2-D convolution or pool; pads are top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]

    def attrs(self) -> dict[str, int | float]:
        return dict(zip(WINDOW_ATTRS, (*self.kernel, *self.strides, *self.dilations, *self.pads), strict=True))


def window_of(axes: Sequence[Axis]) -> Window:
    """Of one or two axes; one alone is that of the columns."""
    h, w = axes if len(axes) == 2 else (Axis(1, 1, 1, 0, 0), axes[0])
    return Window((h.kernel, w.kernel), (h.stride, w.stride), (h.dilation, w.dilation), (h.begin, w.begin, h.end, w.end))


def read_axes(node: gs.Node, kernel: Sequence[int], shape: tuple[Dim, ...] | None) -> list[Axis]:
    """One per dimension of `kernel`; `shape` is the input's. Raises Unsupported."""
    rank = len(kernel)
    strides, dilations = steps(node, rank)
    require(min(kernel) > 0, f"kernel {list(kernel)}")
    pads = _pads(node, kernel, strides, dilations, shape)
    require(min(pads) >= 0, f"negative pads {pads}")
    return [Axis(int(kernel[i]), strides[i], dilations[i], pads[i], pads[rank + i]) for i in range(rank)]


def steps(node: gs.Node, rank: int) -> tuple[list[int], list[int]]:
    """Strides and dilations. Raises Unsupported where one is not positive."""
    strides, dilations = ([int(s) for s in node.attrs.get(name, [1] * rank)] for name in ("strides", "dilations"))
    require(len(strides) == len(dilations) == rank and min(strides + dilations) > 0, f"strides {strides}, dilations {dilations}")
    return strides, dilations


def auto_pad(node: gs.Node) -> str:
    auto = node.attrs.get("auto_pad", "NOTSET")
    return auto.decode() if isinstance(auto, bytes) else str(auto)


def explicit_pads(node: gs.Node, rank: int) -> list[int]:
    pads = [int(p) for p in node.attrs.get("pads", [0] * 2 * rank)]
    require(len(pads) == 2 * rank, f"pads {pads} for {rank} axes")
    return pads


def _pads(node: gs.Node, kernel: Sequence[int], strides: list[int], dilations: list[int], shape: tuple[Dim, ...] | None) -> list[int]:
    auto = auto_pad(node)
    if auto == "VALID":
        return [0] * 2 * len(kernel)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        return explicit_pads(node, len(kernel))
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
    """Calls emit(y) with the value to write, of rank 4, and gives `output` the rank of `x` and `shape`."""
    y = t.draft.value(output.name, x.dtype, refine(t.shape(output), shape), x.zero_point)
    if len(shape) == 4:
        t.bind(output, emit(y))
        return
    lifted = t.temporary(output, "2d", (*shape[:2], 1, shape[2]), x.dtype, x.zero_point)
    t.bind(output, t.emit("reshape", [emit(lifted)], y, {"rank": 3, "dim0": 0, "dim1": 0, "dim2": -1}))


def shape_over(x: Value, channels: Dim, axes: Sequence[Axis], ceil: bool = False) -> tuple[Dim, ...]:
    """The shape that windows over `x` give."""
    n, _, *sizes = x.shape or (None,) * (2 + len(axes))
    return (n, channels, *(axis.count(dim, ceil) for axis, dim in zip(axes, sizes, strict=True)))
