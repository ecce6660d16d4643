"""Relu, Clip and LeakyRelu in other words."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import is_scalar, scalar, split_operands
from .scalar_patterns import FLOATS


class RecogniseRelu(RewriteRule):
    """Clip(x, 0, none), Max(x, 0), PRelu(x, 0), LeakyRelu(x, 0) -> Relu(x); PRelu(x, a) with one slope -> LeakyRelu(x, a). Exact."""

    name = "recognise-relu"
    roots = ("Clip", "Max", "PRelu", "LeakyRelu")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        if node.outputs[0].dtype not in FLOATS:
            return None
        source: gs.Tensor = node.inputs[0]
        if node.op == "Clip":
            high = constant(operand(node, 2))
            open_high = operand(node, 2) is None or (high is not None and bool(np.isposinf(high).all()))
            slope = 0.0 if open_high and is_scalar(operand(node, 1), 0.0) else None
        elif node.op == "Max":
            pair = split_operands(node) if len(node.inputs) == 2 else None
            slope = 0.0 if pair is not None and is_scalar(pair[1], 0.0) and pair[1].values.ndim == 0 else None
            source = pair[0] if pair is not None else source
        else:
            slope = scalar(operand(node, 1)) if node.op == "PRelu" else node.attrs.get("alpha", 0.01)
        if slope is None or (node.op == "LeakyRelu" and slope != 0):
            return None
        return Match(source=source, slope=slope, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        op, attrs = ("Relu", {}) if match.slope == 0 else ("LeakyRelu", {"alpha": match.slope})
        patch.replace(match.output, patch.node(op, [match.source], attrs))
