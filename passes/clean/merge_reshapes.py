"""Reshapes of reshapes."""

import onnx_graphsurgeon as gs

from ...graph import View, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import integers, producer_if

_VIEWS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


class MergeReshapes(RewriteRule):
    """Reshape(view(x)) -> Reshape(x) and Flatten(view(x), axis=1) -> Flatten(x, axis=1), view: Reshape, Flatten, Squeeze, Unsqueeze. Exact.

    Needs: the outer operator copies no dimension of its input (but the first, where the inner one keeps it).
    """

    name = "merge-reshapes"
    roots = ("Reshape", "Flatten")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        inner = producer_if(node.inputs[0], *_VIEWS)
        if inner is None:
            return None
        before, between = inner.inputs[0].shape, node.inputs[0].shape
        keeps_first = bool(before and between) and before[0] is not None and before[0] == between[0]
        if node.op == "Flatten":
            if node.attrs.get("axis", 1) != 1 or not keeps_first:
                return Reject(f"{inner.name} changes the first axis")
        else:
            target = integers(operand(node, 1))
            if target is None or node.attrs.get("allowzero", 0):
                return Reject("the target shape is not constant")
            if 0 in target[1:] or (target[:1] == [0] and not keeps_first):
                return Reject(f"copies dimensions that {inner.name} makes")
        return Match(node=node, source=inner.inputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.set_input(match.node, 0, match.source)
