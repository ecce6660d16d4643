"""Copies where an operator needs another layout than its input has; one copy serves all that need the same."""

from __future__ import annotations

from collections.abc import Mapping, Set

from .costs import Costs
from .dims import plus, windowed
from .draft import Draft, DraftOp
from .loose import read_whole, reads_any_layout
from .planes import is_planar, strided
from .program import Dim, Value

DENSE_INPUTS = {("scale_u8", 1)}
"""Inputs of operators over planes that are dense all the same."""

Key = tuple[Value, tuple[object, ...]]


def insert_conversions(draft: Draft, on_planes: Set[str], either: Set[str], costs: Costs) -> None:
    """on_planes: operators that read planes; either: those that read both layouts. All others read dense values. costs: by which kernels
    are chosen that read strided convolutions' inputs as they are."""
    copies: dict[Key, Value] = {}
    for op in draft.walk():
        read_whole(op, costs)
        for index, value in enumerate(op.inputs):
            if value is None or op.type in either or op.type in ("to_dense", "to_planar"):
                continue
            if op.type == "conv" and index == 0 and strided(op) and not op.attrs.get("whole", 0):
                draft.set_input(op, index, _phases(draft, copies, op, value))
                op.attrs |= {"pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0}
                continue
            if (op.type.startswith("resize_") and index == 1) or (index == 0 and reads_any_layout(op)):
                continue
            planes = op.type in on_planes and (op.type, index) not in DENSE_INPUTS
            if planes and not is_planar(value):
                draft.set_input(op, index, _copy(draft, copies, op, value, "to_planar", "planar"))
            elif not planes and is_planar(value):
                draft.set_input(op, index, _copy(draft, copies, op, value, "to_dense", "dense"))


def _copy(draft: Draft, copies: dict[Key, Value], op: DraftOp, value: Value, kind: str, layout: str) -> Value:
    key = (value, (kind,))
    if key not in copies:
        copies[key] = copy = draft.value(f"{value.name}/{layout}", value.dtype, value.shape, value.zero_point)
        copy.layout = layout
        draft.add(DraftOp(kind, op.name, [value], [copy], info={"onnx": []}), before=op)
    return copies[key]


def _phases(draft: Draft, copies: dict[Key, Value], op: DraftOp, value: Value) -> Value:
    """What a strided convolution reads: the padded input, split by row and column modulo the stride."""
    a = op.attrs
    attrs = {f"kernel_{d}": int(a[f"kernel_{d}"] - 1) * int(a.get(f"dilation_{d}", 1)) + 1 for d in "hw"}
    attrs |= {f"stride_{d}": int(a.get(f"stride_{d}", 1)) for d in "hw"}
    attrs |= {name: int(a.get(name, 0)) for name in ("pad_top", "pad_left", "pad_bottom", "pad_right")}
    key = (value, tuple(attrs.values()))
    if key not in copies:
        copies[key] = copy = draft.value(f"{value.name}/phases", value.dtype, phase_shape(value.shape, attrs), value.zero_point)
        copy.layout = "planar"
        draft.add(DraftOp("to_planar", op.name, [value], [copy], dict(attrs), info={"onnx": []}), before=op)
    return copies[key]


def phase_shape(shape: tuple[Dim, ...] | None, attrs: Mapping[str, int]) -> tuple[Dim, ...]:
    """Of the planes into which `to_planar` with these attributes splits an input [N, C, H, W]."""
    batch, channels, height, width = shape or (None,) * 4
    phases, sizes = 1, []
    for dim, d, pads in ((height, "h", ("pad_top", "pad_bottom")), (width, "w", ("pad_left", "pad_right"))):
        kernel, stride = attrs[f"kernel_{d}"], attrs[f"stride_{d}"]
        phases *= min(stride, kernel)
        sizes.append(plus(windowed(dim, kernel, stride, 1, sum(attrs[p] for p in pads)), (kernel - 1) // stride))
    return (batch, channels * phases if isinstance(channels, int) else None, *sizes)
