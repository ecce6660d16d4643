"""Gaps: how many columns behind each row, and rows behind each plane, planar values have.

A convolution of stride 1 needs its input, output and residual to have one row stride (width + gap columns). Values so tied form a class,
in which gaps differ by the differences of widths and are as wide as the widest padding needs. Elementwise operators take any gaps, but run
over whole planes at once where strides agree, so that they are tied too where that costs nothing.
"""

from __future__ import annotations

from collections.abc import Set

from .draft import Draft, DraftOp
from .program import Value

WIDE = 6
"""Padding above this gets a copy of the input with gaps of its own, unless it is what the input has anyway."""


def set_gaps(draft: Draft, same_strides: Set[str]) -> None:
    """Sets the gaps of all planar values, with copies where row strides cannot agree. same_strides: operators worth tying."""
    classes = _Classes()
    for op in [op for op in draft.walk() if op.type == "conv"]:
        _isolate_wide(draft, op)
        _tie_conv(draft, classes, op)
    for op in draft.walk():
        if op.type in same_strides:
            _tie_equal(classes, op)
    planar = dict.fromkeys(v for op in draft.ops for v in (*op.inputs, *op.outputs) if v is not None and v.layout == "planar")
    classes.solve(list(planar))


def _pads(op: DraftOp) -> tuple[int, int, int, int]:
    top, left, bottom, right = (int(op.attrs.get(f"pad_{side}", 0)) for side in ("top", "left", "bottom", "right"))
    return top, left, bottom, right


def _isolate_wide(draft: Draft, op: DraftOp) -> None:
    """A convolution with wide padding reads a copy, so that the gaps of all other values need not be as wide."""
    x = op.inputs[0]
    if x is not None and max(_pads(op)) > WIDE and len(draft.users(x)) > 1:
        _copy_input(draft, op, 0)


def _tie_conv(draft: Draft, classes: _Classes, op: DraftOp) -> None:
    x, y = op.inputs[0], op.outputs[0]
    assert x is not None
    top, left, bottom, right = _pads(op)
    extent = (int(op.attrs["kernel_w"]) - 1) * int(op.attrs.get("dilation_w", 1)) // int(op.attrs.get("stride_w", 1))
    if not classes.tie(x, y, left + right - extent):
        x = _copy_input(draft, op, 0)
        classes.tie(x, y, left + right - extent)
    classes.need(x, max(top, bottom), max(left, right))
    residual = op.inputs[1] if len(op.inputs) > 1 else None
    if residual is not None and (residual.layout != "planar" or not classes.tie(y, residual, 0)):
        classes.tie(y, _copy_input(draft, op, 1), 0)


def _tie_equal(classes: _Classes, op: DraftOp) -> None:
    """Planar values of equal height and width get equal strides, as far as what is tied already allows."""
    y = op.outputs[0]
    for x in op.inputs:
        if x is not None and x.layout == y.layout == "planar" and x.shape and y.shape and x.shape[2:] == y.shape[2:]:
            classes.tie(y, x, 0)
            classes.tie_rows(y, x)


def _copy_input(draft: Draft, op: DraftOp, index: int) -> Value:
    """A copy of an operand, with gaps of its own."""
    value = op.inputs[index]
    assert value is not None
    copy = draft.value(f"{value.name}/copy", value.dtype, value.shape, value.zero_point)
    copy.layout = "planar"
    draft.add(DraftOp("to_planar", op.name, [value], [copy], info={"onnx": []}), before=op)
    draft.set_input(op, index, copy)
    return copy


class _Classes:
    """Union-find with weights: of any two values in a class it is known how much wider one is. Rows are tied apart, without weights."""

    def __init__(self) -> None:
        self._parent: dict[Value, tuple[Value, int]] = {}  # parent, and the width less the parent's
        self._row_parent: dict[Value, Value] = {}
        self._needs: dict[Value, tuple[int, int]] = {}

    def need(self, value: Value, rows: int, cols: int) -> None:
        old = self._needs.get(value, (0, 0))
        self._needs[value] = (max(old[0], rows), max(old[1], cols))

    def tie(self, a: Value, b: Value, wider: int) -> bool:
        """One row stride for a and b, where b is `wider` than a. False if they have one already, with other widths."""
        (root_a, width_a), (root_b, width_b) = self._find(a), self._find(b)
        if root_a is root_b:
            return width_b - width_a == wider
        self._parent[root_b] = (root_a, width_a + wider - width_b)
        return True

    def tie_rows(self, a: Value, b: Value) -> None:
        root_a, root_b = self._find_rows(a), self._find_rows(b)
        if root_a is not root_b:
            self._row_parent[root_b] = root_a

    def solve(self, values: list[Value]) -> None:
        """Sets the narrowest gaps that meet every need."""
        cols: dict[Value, int] = {}
        rows: dict[Value, int] = {}
        for value in values:
            need_rows, need_cols = self._needs.get(value, (0, 0))
            root, width = self._find(value)
            cols[root] = max(cols.get(root, 0), need_cols + width)
            top = self._find_rows(value)
            rows[top] = max(rows.get(top, 0), need_rows)
        for value in values:
            root, width = self._find(value)
            value.gap_cols, value.gap_rows = cols[root] - width, rows[self._find_rows(value)]

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
