"""HardSigmoid from its parts."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import producer_if
from .scalar_patterns import clip_bounds, scaled_by, shifted


class RecogniseHardSigmoid(RewriteRule):
    """Clip(x + b, 0, c) / c -> HardSigmoid(x) with alpha = 1/c, beta = b/c;  Clip(a·x + b, 0, 1) -> HardSigmoid(x). Exact to rounding.

    The division may be a multiplication by 1/c.
    """

    name = "recognise-hard-sigmoid"
    roots = ("Div", "Mul", "Clip")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        found = _from_clip(node) if node.op == "Clip" else _from_quotient(node)
        if found is None:
            return None
        source, alpha, beta, inner = found
        if any(view.sole_consumer(tensor) is None for tensor in inner):
            return Reject("the values in between have other users")
        return Match(source=source, alpha=alpha, beta=beta, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.output, patch.node("HardSigmoid", [match.source], {"alpha": match.alpha, "beta": match.beta}))


def _from_quotient(node: gs.Node):
    scaled = scaled_by(node)
    clip = producer_if(scaled[0], "Clip") if scaled is not None else None
    bounds = clip_bounds(clip)
    if scaled is None or clip is None or bounds is None or bounds[0] != 0 or abs(bounds[1] - scaled[1]) > 1e-6 * bounds[1]:
        return None
    offset = shifted(clip.inputs[0])
    if offset is None:
        return None
    return offset[0], 1 / bounds[1], offset[1] / bounds[1], [scaled[0], clip.inputs[0]]


def _from_clip(node: gs.Node):
    offset = shifted(node.inputs[0])
    if clip_bounds(node) != (0, 1) or offset is None:
        return None
    scale = producer_if(offset[0], "Mul", "Div")
    scaled = scaled_by(scale) if scale is not None else None
    if scaled is None:
        return offset[0], 1.0, offset[1], [node.inputs[0]]
    return scaled[0], 1 / scaled[1], offset[1], [node.inputs[0], offset[0]]
