"""Factors of Gemm."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch


class NormaliseGemm(RewriteRule):
    """Gemm with alpha or beta other than 1 -> Gemm without, where weights and bias are constant.

    W' = alpha·W, b' = beta·b. Exact to rounding.
    """

    name = "normalise-gemm"
    roots = ("Gemm",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        alpha, beta = node.attrs.get("alpha", 1.0), node.attrs.get("beta", 1.0) if operand(node, 2) is not None else 1.0
        if alpha == 1.0 and beta == 1.0:
            return None
        parameters = [tensor for tensor in node.inputs[1:] if not tensor.is_empty()]
        if not all(isinstance(tensor, gs.Constant) for tensor in parameters):
            return Reject("its parameters are not constant")
        return Match(node=node, factors=[alpha, beta][: len(parameters)], parameters=parameters)

    def rewrite(self, match: Match, patch: Patch) -> None:
        pairs = zip(match.parameters, match.factors, strict=True)
        scaled = [patch.const((tensor.values.astype(np.float64) * factor).astype(tensor.dtype), tensor) for tensor, factor in pairs]
        attrs = {name: value for name, value in match.node.attrs.items() if name not in ("alpha", "beta")}
        patch.replace(match.node.outputs[0], patch.node("Gemm", [match.node.inputs[0], *scaled], attrs))
