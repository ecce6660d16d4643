"""MatMul of matrices with constant weights."""

import onnx_graphsurgeon as gs

from ...graph import View, is_op, rank
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if, split_operands


class MatmulToGemm(RewriteRule):
    """MatMul(x, W) [+ b] -> Gemm(x, W, b), x a matrix, W and b [N] constant. Exact to rounding.

    W may be quantised: DequantizeLinear of a constant. Needs for the bias: the product has no other users.
    """

    name = "matmul-to-gemm"
    roots = ("MatMul",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        weights = node.inputs[1]
        quantised = producer_if(weights, "DequantizeLinear")
        if not isinstance(weights, gs.Constant) and (quantised is None or not isinstance(quantised.inputs[0], gs.Constant)):
            return None
        if rank(node.inputs[0]) != 2 or rank(weights) != 2:
            return Reject(f"of ranks {rank(node.inputs[0])} and {rank(weights)}, expected 2 and 2")
        following = view.sole_consumer(node.outputs[0])
        pair = split_operands(following) if following is not None and is_op(following, "Add") else None
        if following is None or pair is None or pair[1].values.shape not in ((weights.shape[1],), (1, weights.shape[1])):
            return Match(node=node, bias=None, output=node.outputs[0])
        return Match(node=node, bias=pair[1], output=following.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        bias = None if match.bias is None else patch.const(match.bias.values.reshape(-1), match.bias)
        patch.replace(match.output, patch.node("Gemm", [*match.node.inputs, bias]))
