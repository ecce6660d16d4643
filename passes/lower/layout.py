"""Layouts: which values are planar.

Convolutions and pools work on planes, and everything elementwise takes either layout, so that values stay planar from the first
convolution to the last pooling. `planes.py` has the operators that have a form of their own over planes, `conversions.py` puts copies where
layouts differ, and `gaps.py` makes the gaps as wide as convolutions need.
"""

from __future__ import annotations

from collections.abc import Callable

from .conversions import insert_conversions
from .costs import Costs
from .draft import Draft, DraftOp
from .gaps import set_gaps
from .planes import (
    choose_binary,
    is_planar,
    join_channels,
    multiply_pixels,
    pad_planes,
    pick_channels,
    split_channels,
    strided,
)
from .program import Value

ON_PLANES = {
    "conv", "max_pool", "average_pool", "global_average_pool", "global_max_pool", "resize_nearest", "resize_linear", "resize_filter",
    "concat_channels", "slice_channels", "channel_shuffle", "pad_planar", "scale_u8",
}  # fmt: skip
"""Operators that read planes only: their first input, and any other that is as large."""
TO_DENSE = {"global_average_pool", "global_max_pool"}
ELEMENTWISE = {"unary_f32", "lookup_u8", "add_u8", "quantize", "dequantize"}
FORMS: dict[str, Callable[[Draft, DraftOp], list[DraftOp]]] = {
    "conv": multiply_pixels,
    "concat": join_channels,
    "slice": pick_channels,
    "split": split_channels,
    "pad": pad_planes,
    "binary": choose_binary,
}
"""Operators that may take another form."""


def assign_layouts(draft: Draft, costs: Costs) -> None:
    """Chooses layouts, inserts `to_planar` and `to_dense`, and sets the gaps. costs: by which kernels are chosen."""
    for op in draft.walk():
        form = FORMS.get(op.type)
        for chosen in (form(draft, op) if form is not None else []) or [op]:
            _choose(draft, chosen)
    insert_conversions(draft, ON_PLANES, ELEMENTWISE | {"binary_f32"}, costs)
    set_gaps(draft, ELEMENTWISE | {"binary_f32", "concat_channels", "slice_channels", "channel_shuffle", "scale_u8"}, costs)


def _choose(draft: Draft, op: DraftOp) -> None:
    """Sets the layout of what `op` writes; its inputs have theirs."""
    if op.type in ON_PLANES - TO_DENSE:
        for y in op.outputs:
            y.layout = "planar"
        if any(draft.is_output(y) for y in op.outputs):
            _return_dense(draft, op)
    elif op.type in ELEMENTWISE and _can_be_planar(draft, op.outputs[0]) and _prefers_planes(draft, op):
        op.outputs[0].layout = "planar"


def _can_be_planar(draft: Draft, value: Value) -> bool:
    return value.dtype in ("f32", "u8") and value.shape is not None and len(value.shape) == 4 and not draft.is_output(value)


def _prefers_planes(draft: Draft, op: DraftOp) -> bool:
    if any(is_planar(v) for v in op.inputs):
        return True
    # An elementwise operator over dense data may write planes where a reader wants them; a strided convolution reads either.
    users = draft.users(op.outputs[0])
    return any(u.type in ON_PLANES and not (u.type == "conv" and strided(u)) for u in users) and not _is_pixel(op.outputs[0])


def _is_pixel(value: Value) -> bool:
    return value.shape is not None and value.shape[2:] == (1, 1)


def _return_dense(draft: Draft, op: DraftOp) -> None:
    """`op` writes planes, and the program's output is a dense copy of them."""
    for i, y in enumerate(list(op.outputs)):
        if not draft.is_output(y):
            continue
        planes = draft.value(f"{y.name}/planes", y.dtype, y.shape, y.zero_point)
        planes.layout, y.layout = "planar", "dense"
        for user in draft.users(y):
            for index, value in enumerate(user.inputs):
                if value is y:
                    draft.set_input(user, index, planes)
        draft.set_output(op, i, planes)
        draft.add_after(op, DraftOp("to_dense", op.name, [planes], [y], info={"onnx": op.info.get("onnx", [])}))
