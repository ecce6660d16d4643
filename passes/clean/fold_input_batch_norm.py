"""BatchNormalization before a convolution."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, operand
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .channels import Affine, batch_norm_affine, scale_conv_inputs


class FoldInputBatchNorm(RewriteRule):
    """Conv(BatchNormalization(x)) -> Conv(x).  W'[o, i] = W[o, i]·s[i], b'[o] = b[o] + Σ W[o, i]·t[i], with s, t the scale and shift.

    Needs: the convolution pads nothing, or all shifts are 0 (padding is not normalised); all parameters constant. Exact to rounding.
    """

    name = "fold-input-batch-norm"
    roots = ("BatchNormalization",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        conv = view.sole_consumer(node.outputs[0])
        if not is_op(conv, "Conv") or conv.inputs[0] is not node.outputs[0]:
            return None
        affine = batch_norm_affine(node)
        if not isinstance(affine, Affine):
            return Reject(affine)
        if constant(conv.inputs[1]) is None or (operand(conv, 2) is not None and constant(conv.inputs[2]) is None):
            return Reject(f"the parameters of {conv.name} are not constant")
        if conv.inputs[1].values.dtype.kind != "f" or affine.scale.size != conv.inputs[1].shape[1] * conv.attrs.get("group", 1):
            return Reject(f"{affine.scale.size} channels do not fit {conv.name}")
        if np.any(affine.shift != 0) and not pads_nothing(conv):
            return Reject(f"{conv.name} pads, and the padding is not shifted")
        return Match(source=node.inputs[0], conv=conv, affine=affine)

    def rewrite(self, match: Match, patch: Patch) -> None:
        weights, bias = scale_conv_inputs(match.conv, match.affine)
        conv = match.conv
        inputs = [match.source, patch.const(weights, conv.inputs[1]), patch.const(bias, operand(conv, 2) or f"{conv.name}.bias")]
        patch.replace(conv.outputs[0], patch.node("Conv", inputs, conv.attrs, name=conv.name))


def pads_nothing(node: gs.Node) -> bool:
    """Whether a Conv or pooling node has no padding."""
    auto = node.attrs.get("auto_pad", "NOTSET")
    return auto == "VALID" or (auto == "NOTSET" and not any(node.attrs.get("pads", [0])))
