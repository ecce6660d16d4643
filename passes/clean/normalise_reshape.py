"""One way to write a reshape."""

import math

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, operand, static_shape
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import integers


class NormaliseReshape(RewriteRule):
    """Reshape or Squeeze that joins all but the first axis -> Flatten(axis=1). Any other Reshape of a known size: the first axis is
    copied (0) where it stays, or else left to be inferred (−1), and the others are numbers, so that the batch is free. Exact."""

    name = "normalise-reshape"
    roots = ("Reshape", "Squeeze")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        if _flattens(node):
            return Match(node=node, target=None)
        source, result = static_shape(node.inputs[0]), static_shape(node.outputs[0])
        given = integers(operand(node, 1))
        if node.op != "Reshape" or not source or not result or given is None or 0 in result or node.attrs.get("allowzero", 0):
            return None
        target = [0 if source[0] == result[0] else -1, *result[1:]]
        return None if target == given else Match(node=node, target=target)

    def rewrite(self, match: Match, patch: Patch) -> None:
        node = match.node
        if match.target is None:
            patch.replace(node.outputs[0], patch.node("Flatten", [node.inputs[0]], {"axis": 1}))
        else:
            patch.set_input(node, 1, patch.const(np.array(match.target, np.int64), node.inputs[1]))


def _flattens(node: gs.Node) -> bool:
    before, after = node.inputs[0].shape, node.outputs[0].shape
    if before is None or after is None or len(before) < 3 or len(after) != 2:
        return False
    if before[0] is not None and before[0] == after[0] and before[0] != 0:
        return True
    rest = before[1:]
    return all(isinstance(d, int) for d in rest) and math.prod(rest) == after[1] != 0
