"""HardSwish from its parts."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if
from .scalar_patterns import clip_bounds, scaled_by, shifted


class RecogniseHardSwish(RewriteRule):
    """x · HardSigmoid(x, 1/6, 1/2), or (x · Clip(x + 3, 0, 6)) / 6 -> HardSwish(x). Needs opset 14. Exact to rounding."""

    name = "recognise-hard-swish"
    roots = ("Mul", "Div")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        found = self._product(node) if node.op == "Mul" else None
        found = found or self._quotient(node)
        if found is None:
            return None
        if view.graph.opset < 14:
            return Reject("HardSwish needs opset 14")
        source, inner = found
        if any(view.sole_consumer(tensor) is None for tensor in inner):
            return Reject("the values in between have other users")
        return Match(source=source, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.output, patch.node("HardSwish", [match.source]))

    @staticmethod
    def _product(node: gs.Node):
        for x, gate in (node.inputs, reversed(node.inputs)):
            sigmoid = producer_if(gate, "HardSigmoid")
            if sigmoid is None or sigmoid.inputs[0] is not x:
                continue
            if abs(sigmoid.attrs.get("alpha", 0.2) - 1 / 6) < 1e-6 and abs(sigmoid.attrs.get("beta", 0.5) - 0.5) < 1e-6:
                return x, [gate]
        return None

    @staticmethod
    def _quotient(node: gs.Node):
        scaled = scaled_by(node)
        product = producer_if(scaled[0], "Mul") if scaled is not None else None
        if scaled is None or product is None or abs(scaled[1] - 6) > 6e-6:
            return None
        for x, gate in (product.inputs, reversed(product.inputs)):
            clip = producer_if(gate, "Clip")
            offset = shifted(clip.inputs[0]) if clip is not None else None
            if clip is not None and offset is not None and offset[0] is x and offset[1] == 3 and clip_bounds(clip) == (0, 6):
                return x, [scaled[0], gate, clip.inputs[0]]
        return None
