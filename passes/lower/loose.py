"""Float convolutions whose kernels do not need the row strides and gaps that a convolution over flat pixels needs.

Their kernels are chosen before gaps are: whatever lies between them can do without gaps, and then has fewer pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

from .costs import Costs
from .draft import DraftOp
from .select import Choice, plane_size, select_conv

DENSE = ("conv_f32", "conv_bf16")
_SHORT, _LONG = 12, 64


def choose_early(op: DraftOp, costs: Costs) -> Choice | None:
    """The choice of a convolution's kernel, where it is one of these; else None.

    conv_winograd_f32               any strides, any gaps
    sparse_conv_f32, depthwise_f32  one row stride, gap rows
    depthwise_f32                   of a whole input: any strides, any gaps
    conv_f32, conv_bf16             of one tap and no padding: the row stride of x is free
    """
    choice = _choose(op, costs)
    return choice if choice is not None and _is_early(choice, op) else None


def read_whole(op: DraftOp, costs: Costs) -> None:
    """Chooses the kernel of a convolution whose input may be read as it lies, whatever its strides and gaps. A choice that is not for such
    a kernel, but an early one all the same, stands: it is not made twice."""
    if op.type != "conv":
        return
    width = (op.outputs[0].shape or (None,) * 4)[3]
    kernels = [k for k in ("depthwise_f32", "conv_f32") if is_better_whole(k, op.attrs, width if isinstance(width, int) else None)]
    choice = _choose(op, costs) if kernels else None
    if choice is None:
        return
    if choice.kernel in kernels:
        op.choice, op.attrs["whole"] = choice, 1
    elif _is_early(choice, op):
        op.choice = choice


def is_better_whole(kernel: str, attrs: Mapping[str, int | float], width: int | None) -> bool:
    """Of a convolution's attributes and its output's width, None where that is known at run time only.

    depthwise_f32 keeps rows in registers for 3x3 taps, and splits columns in two as it reads them. For other taps, phases that are split
    once cost less than to split every row for each of its taps. Short rows fill vectors only where they are read one behind the other, and
    planes that come from far are best read in order. conv_f32 copies what several taps read anyway, and splits columns in two meanwhile."""
    strides = [attrs.get(f"stride_{axis}", 1) for axis in "hw"]
    if kernel == "conv_f32":
        return strides[1] == 2 and attrs["kernel_h"] * attrs["kernel_w"] > 1
    if kernel != "depthwise_f32" or attrs.get("group", 1) != attrs["in_channels"] or (attrs["kernel_h"], attrs["kernel_w"]) != (3, 3):
        return False
    if strides not in ([1, 1], [2, 2]) or any(attrs.get(f"dilation_{axis}", 1) != 1 for axis in "hw"):
        return False
    return strides == [2, 2] or width is None or _SHORT <= width <= _LONG


def reads_any_layout(op: DraftOp) -> bool:
    """Of the first input: dense or planes."""
    return op.choice is not None and op.choice.kernel == "conv_f32" and bool(op.attrs.get("whole", 0))


def _choose(op: DraftOp, costs: Costs) -> Choice | None:
    x, weights = op.inputs[0], op.weights
    if x is None or x.dtype != "f32" or weights is None:
        return None
    size, residual = plane_size(op.outputs[0]), len(op.inputs) > 1
    return select_conv(weights.real(), op.attrs, size, costs, gap=0, residual=residual, precision=op.precision)


def _is_early(choice: Choice, op: DraftOp) -> bool:
    return is_pointwise(op) or not needs_columns(choice.kernel, "f32")


def needs_columns(kernel: str, dtype: str) -> bool:
    """Whether the kernel needs gap columns for its padding."""
    return dtype != "f32" or kernel in DENSE


def is_pointwise(op: DraftOp) -> bool:
    """One tap and no padding. Strides do not matter: the input is what they leave."""
    pads = any(op.attrs.get(f"pad_{side}", 0) for side in ("top", "left", "bottom", "right"))
    return op.attrs["kernel_h"] == op.attrs["kernel_w"] == 1 and not pads
