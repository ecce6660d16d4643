"""Arithmetic with a constant per channel after a layer with constant weights."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .channels import Affine, fixed_layer, output_channels, replace_layer
from .constants import per_channel, split_operands


class FoldChannelArithmetic(RewriteRule):
    """layer(x) + c, − c, · c, / c -> layer(x), layer: Conv, ConvTranspose, Gemm; c a constant that depends on the output channel alone.

    Needs: the layer feeds only this node. Exact to rounding.
    """

    name = "fold-channel-arithmetic"
    roots = ("Add", "Sub", "Mul", "Div")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        pair = split_operands(node)
        if pair is None or (node.op == "Div" and pair[0] is not node.inputs[0]):
            return None
        source, other = pair
        layer = fixed_layer(source, view)
        if isinstance(layer, str):
            return Reject(layer)
        channels = output_channels(layer)
        values = per_channel(other, channels, layer.inputs[1].values.ndim)
        if values is None:
            return Reject(f"the constant of shape {list(other.shape)} depends on more than the {channels} channels of {layer.name}")
        if node.op == "Div" and not values.all():
            return Reject("divides by 0")
        return Match(layer=layer, affine=_affine(node, values.astype(np.float64), pair[0] is node.inputs[0]), output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        replace_layer(match.layer, match.affine, match.output, patch)


def _affine(node: gs.Node, values: np.ndarray, constant_last: bool) -> Affine:
    one, zero = np.ones_like(values), np.zeros_like(values)
    if node.op == "Add":
        return Affine(one, values)
    if node.op == "Sub":
        return Affine(one, -values) if constant_last else Affine(-one, values)
    return Affine(values if node.op == "Mul" else 1 / values, zero)
