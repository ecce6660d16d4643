"""BatchNormalization after a layer with constant weights."""

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .channels import Affine, batch_norm_affine, fixed_layer, output_channels, replace_layer


class FoldBatchNorm(RewriteRule):
    """BatchNormalization(layer(x)) -> layer(x), layer: Conv, ConvTranspose, Gemm.  W' = W·γ/σ, b' = (b − μ)·γ/σ + β, σ = sqrt(var + ε).

    Needs: the layer feeds only this node, all parameters constant. Exact to rounding.
    """

    name = "fold-batch-norm"
    roots = ("BatchNormalization",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        affine = batch_norm_affine(node)
        if not isinstance(affine, Affine):
            return Reject(affine)
        layer = fixed_layer(node.inputs[0], view)
        if isinstance(layer, str):
            return Reject(layer)
        if affine.scale.size != output_channels(layer):
            return Reject(f"{affine.scale.size} channels, {layer.name} has {output_channels(layer)}")
        return Match(layer=layer, affine=affine, output=node.outputs[0])

    def rewrite(self, match: Match, patch: Patch) -> None:
        replace_layer(match.layer, match.affine, match.output, patch)
