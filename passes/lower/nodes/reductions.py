"""Reductions. A mean over height and width is global average pooling."""

from __future__ import annotations

import onnx_graphsurgeon as gs

from ..translate import Translator, handles
from .movement import ints, s64

_OPERATORS = {
    name: code
    for code, name in enumerate(
        ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
         "ReduceLogSumExp")
    )
}  # fmt: skip


@handles(*_OPERATORS)
def reduce(t: Translator, node: gs.Node) -> None:
    axes, rank = ints(t, node, 1, "axes") or [], t.rank(node.inputs[0])
    keepdims = int(node.attrs.get("keepdims", 1))
    x, output = t.value(node.inputs[0]), node.outputs[0]
    if not axes and node.attrs.get("noop_with_empty_axes", 0):
        t.bind(output, x)
        return
    axes = sorted(a % rank for a in axes)
    if node.op == "ReduceMean" and rank == 4 and axes == [2, 3] and x.dtype == "f32":
        shape = None if x.shape is None else (*x.shape[:2], 1, 1)
        y = t.emit("global_average_pool", [x], output if keepdims else t.temporary(output, "pooled", shape))
        if not keepdims:
            t.emit("flatten", [y], output, {"axis": 1})
        return
    consts = [s64(axes)] if axes else []
    t.emit("reduce", [x], output, {"op": _OPERATORS[node.op], "keepdims": keepdims}, consts)


@handles("ArgMax", "ArgMin")
def arg(t: Translator, node: gs.Node) -> None:
    attrs = {"axis": int(node.attrs.get("axis", 0)), "keepdims": int(node.attrs.get("keepdims", 1))}
    attrs["select_last_index"] = int(node.attrs.get("select_last_index", 0))
    t.emit(node.op.lower(), [t.value(node.inputs[0])], node.outputs[0], attrs)
