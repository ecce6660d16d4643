"""Gelu from its parts."""

import math

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import is_scalar, producer_if
from .scalar_patterns import FLOATS, scaled_by, shifted


class RecogniseGelu(RewriteRule):
    """½·x·(1 + erf(x / √2)), in any order of the factors -> Gelu(x), an operator since opset 20. Exact to rounding.

    contrib: below opset 20, the operator of com.microsoft, which ONNX Runtime has (for graphs that are not to be exchanged).
    """

    name = "recognise-gelu"
    roots = ("Mul",)

    def __init__(self, contrib: bool = False) -> None:
        self._contrib = contrib

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        if node.outputs[0].dtype not in FLOATS:
            return None
        factors = product(node, view)
        gate = next((f for f in factors if _erf_source(f) is not None), None)
        half = next((f for f in factors if is_scalar(f, 0.5)), None)
        if len(factors) != 3 or gate is None or half is None:
            return None
        source = next(f for f in factors if f is not gate and f is not half)
        if source is not _erf_source(gate):
            return None
        if view.graph.opset < 20 and not self._contrib:
            return Reject("Gelu needs opset 20")
        domain = None if view.graph.opset >= 20 else "com.microsoft"
        return Match(source=source, domain=domain, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.output, patch.node("Gelu", [match.source], domain=match.domain))


def product(node: gs.Node, view: View) -> list[gs.Tensor]:
    """The factors of a tree of Mul nodes, of which only the root has other users."""
    factors: list[gs.Tensor] = []
    for tensor in node.inputs:
        inner = producer_if(tensor, "Mul")
        if inner is not None and view.only_feeds(tensor, node):
            factors += product(inner, view)
        else:
            factors.append(tensor)
    return factors


def _erf_source(tensor: gs.Tensor) -> gs.Tensor | None:
    """x of 1 + erf(x / √2)."""
    sum_ = shifted(tensor)
    erf = producer_if(sum_[0], "Erf") if sum_ is not None and sum_[1] == 1 else None
    division = producer_if(erf.inputs[0], "Div", "Mul") if erf is not None else None
    scaled = scaled_by(division) if division is not None else None
    return scaled[0] if scaled is not None and abs(scaled[1] - math.sqrt(2)) < 1e-5 else None
