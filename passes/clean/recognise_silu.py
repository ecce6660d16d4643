"""SiLU (Swish) from its parts."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if


class RecogniseSilu(RewriteRule):
    """x · Sigmoid(x) -> Swish(x), an operator since opset 24. Exact to rounding.

    contrib: below opset 24, QuickGelu of com.microsoft with alpha = 1, which ONNX Runtime has (for graphs that are not to be exchanged).
    """

    name = "recognise-silu"
    roots = ("Mul",)

    def __init__(self, contrib: bool = False) -> None:
        self._contrib = contrib

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        for source, gate in (node.inputs, reversed(node.inputs)):
            sigmoid = producer_if(gate, "Sigmoid")
            if sigmoid is None or sigmoid.inputs[0] is not source:
                continue
            if not view.only_feeds(gate, node):
                return Reject(f"the output of {sigmoid.name} has other users")
            if view.graph.opset < 24 and not self._contrib:
                return Reject("Swish needs opset 24")
            return Match(source=source, standard=view.graph.opset >= 24, output=node.outputs[0])
        return None

    def rewrite(self, match: Match, patch: Patch) -> None:
        op, domain = ("Swish", None) if match.standard else ("QuickGelu", "com.microsoft")
        patch.replace(match.output, patch.node(op, [match.source], {"alpha": 1.0}, domain=domain))
