"""Nodes that lead to no graph output."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch


class RemoveDead(RewriteRule):
    """A node that nothing reads is removed, and so is what only it read. Exact."""

    name = "remove-dead"
    roots = ("*",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        used = any(tensor.outputs or view.is_output(tensor) for tensor in node.outputs)
        return None if used else Match()

    def rewrite(self, match: Match, patch: Patch) -> None:
        """Nothing: the driver removes the root of a patch once nothing reads it."""
