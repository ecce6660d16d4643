"""Nodes that pass their input on."""

import onnx_graphsurgeon as gs

from ...graph import View, constant, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch


class RemoveIdentity(RewriteRule):
    """Identity(x) -> x, and Dropout(x) -> x outside training. Exact."""

    name = "remove-identity"
    roots = ("Identity", "Dropout")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        source, target = node.inputs[0], node.outputs[0]
        if node.op == "Dropout":
            training = constant(operand(node, 2))
            if operand(node, 2) is not None and (training is None or training.any()):
                return Reject("Dropout in training mode")
            if len(node.outputs) > 1 and (node.outputs[1].outputs or view.is_output(node.outputs[1])):
                return Reject("the mask of Dropout is used")
        if view.is_output(target) and node.op == "Identity" and (not source.inputs or view.is_output(source)):
            return Reject("gives a graph output its name")
        return Match(source=source, target=target)

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.target, match.source)
