"""Outputs that nothing reads."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch


class TrimOutputs(RewriteRule):
    """The optional last outputs of an operator (the indices of MaxPool, the mask of Dropout) go where nothing reads them. Exact."""

    name = "trim-outputs"
    roots = ("MaxPool", "Dropout", "BatchNormalization", "LayerNormalization", "LSTM", "GRU", "RNN")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        count = len(node.outputs)
        while count > 1 and not node.outputs[count - 1].outputs and not view.is_output(node.outputs[count - 1]):
            count -= 1
        if count == len(node.outputs) or node.attrs.get("training_mode", 0):
            return None
        return Match(node=node, count=count)

    def rewrite(self, match: Match, patch: Patch) -> None:
        node = match.node
        outputs = patch.node_with_outputs(node.op, node.inputs, match.count, node.attrs)
        for old, new in zip(node.outputs, outputs, strict=False):
            patch.replace(old, new)
