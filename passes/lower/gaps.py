"""Gaps: how many columns behind each row, and rows behind each plane, planar values have.

A convolution over flat pixels needs its input, output and residual to have one row stride (width + gap columns). Values so tied form a
class, in which gaps differ by the differences of widths and are as wide as the widest padding needs. Some float kernels need less
(`loose.py`). Elementwise operators take any gaps, but run over whole planes at once where strides agree, so that they are tied too where
that costs nothing.
"""

from __future__ import annotations

from collections.abc import Set

from .costs import Costs
from .draft import Draft, DraftOp
from .loose import DENSE, choose_early
from .program import Value

WIDE = 6
"""Padding above this gets a copy of the input with gaps of its own, unless it is what the input has anyway."""

_COLUMNS_PER_COPY = 64
"""To copy planes costs a pointwise convolution more than one column in so many."""


def set_gaps(draft: Draft, same_strides: Set[str], costs: Costs) -> None:
    """Sets the gaps of all planar values. same_strides: types of operators whose values are worth tying. costs: by which kernels are chosen
    that need fewer."""
    classes = _Classes()
    for op in [op for op in draft.walk() if op.type == "conv"]:
        op.choice = op.choice or choose_early(op, costs)
        _isolate_wide(draft, op)
        _tie_conv(classes, op)
    for op in draft.walk():
        if op.type in same_strides:
            _tie_equal(classes, op)
        elif op.choice is not None and op.choice.kernel == "conv_f32":
            _tie_pointwise(classes, op)
    planar = dict.fromkeys(v for op in draft.ops for v in (*op.inputs, *op.outputs) if v is not None and v.layout == "planar")
    classes.solve(list(planar))


def _pads(op: DraftOp) -> tuple[int, int, int, int]:
    top, left, bottom, right = (int(op.attrs.get(f"pad_{side}", 0)) for side in ("top", "left", "bottom", "right"))
    return top, left, bottom, right


def _isolate_wide(draft: Draft, op: DraftOp) -> None:
    """A convolution with wide padding reads a copy, so that the gaps of all other values need not be as wide."""
    x = op.inputs[0]
    if x is None or op.choice is not None or max(_pads(op)) <= WIDE or len(draft.users(x)) == 1:
        return
    copy = draft.value(f"{x.name}/copy", x.dtype, x.shape, x.zero_point)
    copy.layout = "planar"
    draft.add(DraftOp("to_planar", op.name, [x], [copy], info={"onnx": []}), before=op)
    draft.set_input(op, 0, copy)


def _tie_conv(classes: _Classes, op: DraftOp) -> None:
    x, y = op.inputs[0], op.outputs[0]
    assert x is not None
    top, left, bottom, right = _pads(op)
    extent = (int(op.attrs["kernel_w"]) - 1) * int(op.attrs.get("dilation_w", 1)) // int(op.attrs.get("stride_w", 1))
    kernel, whole = None if op.choice is None else op.choice.kernel, bool(op.attrs.get("whole", 0))
    if kernel == "conv_winograd_f32" or (kernel == "depthwise_f32" and whole):
        return
    if whole:
        classes.need(y, 0, extent)
    elif kernel not in DENSE:
        classes.tie(x, y, left + right - extent)
        classes.need(x, max(top, bottom), max(left, right) if kernel is None else 0)
    if len(op.inputs) > 1 and op.inputs[1] is not None:
        classes.tie(y, op.inputs[1], 0)


def _tie_equal(classes: _Classes, op: DraftOp) -> None:
    """Planar values of equal height and width get equal strides, unless that made narrow gaps wide."""
    y = op.outputs[0]
    for x in op.inputs:
        if x is not None and x.layout == y.layout == "planar" and x.shape and y.shape and x.shape[2:] == y.shape[2:]:
            classes.tie_if_close(y, x)


def _tie_pointwise(classes: _Classes, op: DraftOp) -> None:
    """One tap reads x in place where strides are equal, and copies it where they are not: a few more columns cost less than that."""
    x, y = op.inputs[0], op.outputs[0]
    if x is None or not x.shape or not y.shape or x.shape[2:] != y.shape[2:]:
        return
    width = y.shape[3]
    if isinstance(width, int):
        classes.tie_columns_if_close(x, y, width // _COLUMNS_PER_COPY)


class _Classes:
    """Union-find with weights: of any two values in a class it is known how much wider one is than the other, so that ties never
    contradict each other. Rows are tied apart, without weights."""

    def __init__(self) -> None:
        self._parent: dict[Value, tuple[Value, int]] = {}  # parent, and the width less the parent's
        self._row_parent: dict[Value, Value] = {}
        self._cols: dict[Value, int] = {}  # of a root: its gap
        self._rows: dict[Value, int] = {}

    def need(self, value: Value, rows: int, cols: int) -> None:
        """Gaps of `value` are at least so wide."""
        root, width = self._find(value)
        self._cols[root] = max(self._cols.get(root, 0), cols + width)
        top = self._find_rows(value)
        self._rows[top] = max(self._rows.get(top, 0), rows)

    def tie(self, a: Value, b: Value, wider: int) -> None:
        """One row stride for a and b, where b is `wider` than a."""
        (root_a, width_a), (root_b, width_b) = self._find(a), self._find(b)
        if root_a is not root_b:
            step = width_a + wider - width_b
            self._parent[root_b] = (root_a, step)
            self._cols[root_a] = max(self._cols.get(root_a, 0), self._cols.pop(root_b, 0) + step)
        self.need(a, 0, 0)
        self.need(b, 0, 0)

    def tie_columns_if_close(self, a: Value, b: Value, most: int) -> bool:
        """Equal strides for a and b, of equal width, where that widens neither by more than `most` columns."""
        close = abs(self._gap(a) - self._gap(b)) <= most
        if close:
            self.tie(a, b, 0)
        return close

    def tie_if_close(self, a: Value, b: Value) -> None:
        """The same, and equal gap rows, where that widens neither by much."""
        if not self.tie_columns_if_close(a, b, WIDE):
            return
        top_a, top_b = self._find_rows(a), self._find_rows(b)
        if top_a is not top_b and abs(self._rows.get(top_a, 0) - self._rows.get(top_b, 0)) <= WIDE:
            self._row_parent[top_b] = top_a
            self._rows[top_a] = max(self._rows.get(top_a, 0), self._rows.pop(top_b, 0))

    def solve(self, values: list[Value]) -> None:
        """Sets the narrowest gaps that meet every need."""
        for value in values:
            value.gap_cols, value.gap_rows = self._gap(value), self._rows.get(self._find_rows(value), 0)

    def _gap(self, value: Value) -> int:
        root, width = self._find(value)
        return self._cols.get(root, 0) - width

    def _find(self, value: Value) -> tuple[Value, int]:
        """The root, and the value's width less the root's."""
        width = 0
        while value in self._parent:
            value, step = self._parent[value]
            width += step
        return value, width

    def _find_rows(self, value: Value) -> Value:
        while value in self._row_parent:
            value = self._row_parent[value]
        return value
