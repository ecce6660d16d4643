"""Clip in other words."""

import onnx_graphsurgeon as gs

from ...graph import View, constant, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if, split_operands


class RecogniseClip(RewriteRule):
    """Min(Max(x, a), b), Max(Min(x, b), a), Min(Relu(x), b), Clip(Relu(x), a, b) -> Clip(x, a, b); a and b scalars, a <= b. Exact."""

    name = "recognise-clip"
    roots = ("Min", "Max", "Clip")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        outer = _bounds(node)
        inner_node = producer_if(outer[0], "Min", "Max", "Relu", "Clip") if outer is not None else None
        inner = _bounds(inner_node) if inner_node is not None else None
        if outer is None or inner is None or inner_node is None or (node.op == inner_node.op and node.op != "Clip"):
            return None
        if not view.only_feeds(outer[0], node):
            return Reject(f"the output of {inner_node.name} has other users")
        source, low, high = inner
        low = low if outer[1] is None else outer[1] if low is None else max(low, outer[1])
        high = high if outer[2] is None else outer[2] if high is None else min(high, outer[2])
        if low is None or high is None or not low <= high:
            return None
        return Match(source=source, low=low, high=high, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.output, patch.node("Clip", [match.source, patch.const(match.low, "low"), patch.const(match.high, "high")]))


def _bounds(node: gs.Node):
    """(source, low, high) of an operator that bounds its input, bounds as scalar arrays or None; None where it is not that."""
    if node.op == "Relu":
        return node.inputs[0], node.inputs[0].dtype.type(0), None
    if node.op == "Clip":
        given = [operand(node, 1), operand(node, 2)]
        values = [None if tensor is None else constant(tensor) for tensor in given]
        if any(t is not None and v is None for t, v in zip(given, values, strict=True)):
            return None
        low, high = (None if v is None else v.reshape(-1)[0] for v in values)
        return node.inputs[0], low, high
    pair = split_operands(node) if len(node.inputs) == 2 else None
    if pair is None or pair[1].values.ndim:
        return None
    value = pair[1].values[()]
    return (pair[0], value, None) if node.op == "Max" else (pair[0], None, value)
