"""Transposes of transposes."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if


class MergeTransposes(RewriteRule):
    """Transpose(Transpose(x, p), q) -> Transpose(x, p∘q). Exact. Needs: the inner one has no other users."""

    name = "merge-transposes"
    roots = ("Transpose",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        inner = producer_if(node.inputs[0], "Transpose")
        if inner is None or "perm" not in inner.attrs or "perm" not in node.attrs:
            return None
        if not view.only_feeds(node.inputs[0], node):
            return Reject(f"the output of {inner.name} has other users")
        return Match(source=inner.inputs[0], perm=[inner.attrs["perm"][axis] for axis in node.attrs["perm"]], output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.output, patch.node("Transpose", [match.source], {"perm": match.perm}))
