"""Layouts: which values are planar, where conversions go, and how wide the gaps are.

Convolutions and pools work on planes, and everything elementwise takes either layout, so that values stay planar from the first
convolution to the last pooling. A convolution of stride 1 needs its input, output and residual to have one row stride (width + gap
columns): such values form a class, whose gaps differ by the differences of their widths and are as wide as its widest padding needs.
"""

from __future__ import annotations

import numpy as np

from .draft import Draft, DraftOp
from .functions import COMMUTATIVE, PLANAR_BINARY
from .program import Value

ON_PLANES = {"conv", "max_pool", "average_pool", "global_average_pool", "global_max_pool"}
FROM_PLANES = {"conv", "max_pool", "average_pool"}
ELEMENTWISE = {"unary_f32", "lookup_u8", "add_u8", "quantize", "dequantize"}
PLANAR_DTYPES = {"f32", "u8"}


def assign_layouts(draft: Draft) -> None:
    """Chooses layouts, inserts `to_planar` and `to_dense`, and sets the gaps."""
    for op in draft.walk():
        _choose(draft, op)
    _Converter(draft).run()
    _Gaps(draft).solve()


def strided(op: DraftOp) -> bool:
    return op.attrs.get("stride_h", 1) > 1 or op.attrs.get("stride_w", 1) > 1


def _planar(value: Value | None) -> bool:
    return value is not None and value.layout == "planar"


def _can_be_planar(draft: Draft, value: Value) -> bool:
    return value.dtype in PLANAR_DTYPES and value.shape is not None and len(value.shape) == 4 and not draft.is_output(value)


def _choose(draft: Draft, op: DraftOp) -> None:
    """Sets the layout of what `op` writes; its inputs have theirs."""
    if op.type == "binary":
        _choose_binary(draft, op)
    elif op.type == "concat" and _joins_channels(op) and all(_can_be_planar(draft, v) for v in op.outputs):
        op.type, op.attrs = "concat_channels", {}
        op.outputs[0].layout = "planar"
    elif op.type in FROM_PLANES:
        op.outputs[0].layout = "planar"
        if draft.is_output(op.outputs[0]):
            _return_dense(draft, op)
    elif op.type in ELEMENTWISE and _can_be_planar(draft, op.outputs[0]) and _prefers_planes(draft, op):
        op.outputs[0].layout = "planar"


def _prefers_planes(draft: Draft, op: DraftOp) -> bool:
    if any(_planar(v) for v in op.inputs):
        return True
    # An elementwise operator over dense data may write planes where a reader wants them; a strided convolution reads either.
    users = draft.users(op.outputs[0])
    return any(u.type in ON_PLANES and not (u.type == "conv" and strided(u)) for u in users)


def _joins_channels(op: DraftOp) -> bool:
    """A concatenation along channels of which a part is planar, of equal zero points."""
    axis = op.attrs.get("axis", 0)
    zero_points = {v.zero_point for v in op.inputs if v is not None} | {op.outputs[0].zero_point}
    return axis in (1, -3) and any(_planar(v) for v in op.inputs) and len(zero_points) == 1


def _return_dense(draft: Draft, op: DraftOp) -> None:
    """`op` writes planes, and the program's output is a dense copy of them."""
    y = op.outputs[0]
    planes = draft.value(f"{y.name}/planes", y.dtype, y.shape, y.zero_point)
    planes.layout, y.layout = "planar", "dense"
    new = DraftOp(op.type, op.name, op.inputs, [planes], op.attrs, op.consts, op.info, op.weights)
    draft.replace(op, new)
    following = draft.ops.index(new) + 1
    anchor = draft.ops[following] if following < len(draft.ops) else None
    draft.add(DraftOp("to_dense", op.name, [planes], [y], info={"onnx": op.info.get("onnx", [])}), before=anchor)
    for user in draft.users(y):
        for index, value in enumerate(user.inputs):
            if value is y:
                draft.set_input(user, index, planes)


def _choose_binary(draft: Draft, op: DraftOp) -> None:
    """binary → binary_f32 where its contract admits the operands: equal shapes, or one number per plane on the right."""
    code = PLANAR_BINARY.get(int(op.attrs["op"]))
    a, b = op.inputs
    y = op.outputs[0]
    if code is None or a is None or b is None or y.dtype != "f32":
        return
    if not _planar(a) and _planar(b) and op.attrs["op"] in COMMUTATIVE:
        a, b = b, a
    clamps = "clamp_lo" in op.attrs
    if _planar(a) and _one_per_plane(a, b):
        b = _as_planes(draft, b)
    elif not (_planar(a) or _planar(b) or clamps) or a.shape is None or a.shape != b.shape or None in a.shape:
        if clamps:
            _split_clamp(draft, op)
        return
    attrs = {name: float(v) for name, v in op.attrs.items() if name.startswith("clamp")} | {"op": code}
    if (_planar(a) or _planar(b)) and not draft.is_output(y):
        y.layout = "planar"
    draft.replace(op, DraftOp("binary_f32", op.name, [a, b], [y], attrs, info=op.info))


def _split_clamp(draft: Draft, op: DraftOp) -> None:
    """The dense `binary` has no clamp: it gets an operator of its own."""
    y = op.outputs[0]
    plain = draft.value(f"{y.name}/unclamped", y.dtype, y.shape)
    lo, hi = float(op.attrs["clamp_lo"]), float(op.attrs["clamp_hi"])
    draft.add(DraftOp("binary", op.name, op.inputs, [plain], {"op": op.attrs["op"]}, info=op.info), before=op)
    draft.replace(op, DraftOp("clip", op.name, [plain], [y], {"lo": lo, "hi": hi}, info={"onnx": op.info.get("onnx", [])}))


def _one_per_plane(a: Value, b: Value) -> bool:
    """b is a constant of one number per channel or in all, or [N or 1, C or 1, 1, 1]."""
    if b.shape is None or a.shape is None or _planar(b) or len(b.shape) > 4:
        return False
    shape = (1,) * (4 - len(b.shape)) + b.shape
    if shape[2:] != (1, 1) or a.shape[2:] == (1, 1):
        return False
    fits = (shape[0] == 1 or shape[0] == a.shape[0]) and (shape[1] == 1 or shape[1] == a.shape[1])
    return fits and (b.data is not None or len(b.shape) == 4)


def _as_planes(draft: Draft, b: Value) -> Value:
    """A constant of lower rank gets rank 4."""
    if b.data is None or b.data.ndim == 4:
        return b
    return draft.constant(f"{b.name}/planes", b.data.reshape((1,) * (4 - b.data.ndim) + b.data.shape).astype(np.float32))


class _Converter:
    """Puts copies where an operator needs another layout than its input has; one copy serves all that need the same."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._copies: dict[tuple, Value] = {}

    def run(self) -> None:
        for op in self.draft.walk():
            for index, value in enumerate(op.inputs):
                if value is not None:
                    self._input(op, index, value)

    def _input(self, op: DraftOp, index: int, value: Value) -> None:
        if op.type in ("to_dense", "to_planar") or op.type in ELEMENTWISE:
            return
        if op.type == "conv" and index == 0 and strided(op):
            self.draft.set_input(op, index, self._phases(op, value))
            op.attrs |= {"pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0}
        elif op.type in ON_PLANES or op.type == "concat_channels":
            if not _planar(value):
                self.draft.set_input(op, index, self._copy(op, value, "to_planar", "planar"))
        elif op.type == "binary_f32":
            return
        elif _planar(value):
            self.draft.set_input(op, index, self._copy(op, value, "to_dense", "dense"))

    def _copy(self, op: DraftOp, value: Value, kind: str, layout: str) -> Value:
        key = (value, kind)
        if key not in self._copies:
            copy = self.draft.value(f"{value.name}/{layout}", value.dtype, value.shape, value.zero_point)
            copy.layout = layout
            self.draft.add(DraftOp(kind, op.name, [value], [copy], info={"onnx": []}), before=op)
            self._copies[key] = copy
        return self._copies[key]

    def _phases(self, op: DraftOp, value: Value) -> Value:
        a = op.attrs
        kernel = {f"kernel_{d}": (a[f"kernel_{d}"] - 1) * a.get(f"dilation_{d}", 1) + 1 for d in "hw"}
        names = ("stride_h", "stride_w", "pad_top", "pad_left", "pad_bottom", "pad_right")
        attrs = kernel | {name: a.get(name, 1 if name.startswith("stride") else 0) for name in names}
        key = (value, *attrs.values())
        if key not in self._copies:
            shape = _phase_shape(value, attrs)
            copy = self.draft.value(f"{value.name}/phases", value.dtype, shape, value.zero_point)
            copy.layout = "planar"
            self.draft.add(DraftOp("to_planar", op.name, [value], [copy], attrs, info={"onnx": []}), before=op)
            self._copies[key] = copy
        return self._copies[key]


def _phase_shape(value: Value, attrs: dict[str, int | float]) -> tuple:
    from .dims import plus, windowed

    phases = 1
    sizes = []
    for axis, d in enumerate("hw"):
        kernel, stride = int(attrs[f"kernel_{d}"]), int(attrs[f"stride_{d}"])
        pads = int(attrs["pad_top"] + attrs["pad_bottom"] if d == "h" else attrs["pad_left"] + attrs["pad_right"])
        phases *= min(stride, kernel)
        dim = value.shape[2 + axis] if value.shape is not None else None
        sizes.append(plus(windowed(dim, kernel, stride, 1, pads), (kernel - 1) // stride))
    batch, channels = (value.shape[0], value.shape[1]) if value.shape is not None else (None, None)
    return (batch, channels * phases if isinstance(channels, int) else None, *sizes)


class _Gaps:
    """Union-find over planar values of one row stride: width + gap_cols = constant, so gap_cols = base − (width relative to the root)."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._parent: dict[Value, tuple[Value, int]] = {}  # parent, and the width relative to the parent's
        self._cols: dict[Value, int] = {}

    def solve(self) -> None:
        convs = [op for op in self.draft.walk() if op.type == "conv"]
        for op in convs:
            self._conv(op)
        planar = dict.fromkeys(v for op in self.draft.ops for v in (*op.inputs, *op.outputs) if v is not None and v.layout == "planar")
        base: dict[Value, int] = {}
        for value in planar:
            root, width = self._find(value)
            base[root] = max(base.get(root, 0), self._cols.get(value, 0) + width)
        for value in planar:
            root, width = self._find(value)
            value.gap_cols = base[root] - width

    def _conv(self, op: DraftOp) -> None:
        a, x, y = op.attrs, op.inputs[0], op.outputs[0]
        assert x is not None
        x.gap_rows = max(x.gap_rows, int(a.get("pad_top", 0)), int(a.get("pad_bottom", 0)))
        self._cols[x] = max(self._cols.get(x, 0), int(a.get("pad_left", 0)), int(a.get("pad_right", 0)))
        extent = (int(a["kernel_w"]) - 1) * int(a.get("dilation_w", 1)) // int(a.get("stride_w", 1))
        wider = int(a.get("pad_left", 0)) + int(a.get("pad_right", 0)) - extent
        if not self._union(x, y, wider):
            self._copy_input(op, 0)
            self._conv(op)
            return
        if len(op.inputs) > 1 and op.inputs[1] is not None and not self._union(y, op.inputs[1], 0):
            self._copy_input(op, 1)
            self._union(y, op.inputs[1], 0)

    def _copy_input(self, op: DraftOp, index: int) -> None:
        """Row strides that cannot be one: the operand gets a copy with its own."""
        value = op.inputs[index]
        assert value is not None
        copy = self.draft.value(f"{value.name}/copy", value.dtype, value.shape, value.zero_point)
        copy.layout = "planar"
        self.draft.add(DraftOp("to_planar", op.name, [value], [copy], info={"onnx": []}), before=op)
        self.draft.set_input(op, index, copy)

    def _find(self, value: Value) -> tuple[Value, int]:
        """The root, and the value's width less the root's."""
        width = 0
        while value in self._parent:
            value, step = self._parent[value]
            width += step
        return value, width

    def _union(self, a: Value, b: Value, wider: int) -> bool:
        """One row stride for a and b, where b is `wider` than a. False if they have one already, with other widths."""
        (root_a, width_a), (root_b, width_b) = self._find(a), self._find(b)
        if root_a is root_b:
            return width_b - width_a == wider
        self._parent[root_b] = (root_a, width_a + wider - width_b)
        return True


