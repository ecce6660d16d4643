"""LayerNormalization from its parts."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, rank, static_shape
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import axes_of, is_scalar, producer_if, split_operands
from .scalar_patterns import shifted


class RecogniseLayerNorm(RewriteRule):
    """(x − mean(x)) / sqrt(mean((x − mean(x))²) + ε) [· γ [+ β]], means over the last axes -> LayerNormalization(x, γ, β).

    Needs opset 17, and sizes of the normalised axes that are known. Exact to rounding.
    """

    name = "recognise-layer-norm"
    roots = ("Div",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        found = _normalisation(node, view.graph.opset)
        if found is None:
            return None
        source, axes, epsilon = found
        dims, shape = rank(source), source.shape
        if view.graph.opset < 17:
            return Reject("LayerNormalization needs opset 17")
        if dims is None or sorted(axis % dims for axis in axes) != list(range(dims - len(axes), dims)):
            return Reject(f"the mean is over axes {axes}, expected the last ones")
        normalised = tuple(shape[-len(axes) :])
        if not all(isinstance(d, int) for d in normalised):
            return Reject(f"the size {list(normalised)} of the normalised axes is not known")
        output, scale, bias = _affine(node, normalised, view)
        return Match(source=source, axis=-len(axes), epsilon=epsilon, normalised=normalised, output=output, scale=scale, bias=bias)

    def rewrite(self, match: Match, patch: Patch) -> None:
        dtype = match.source.dtype
        scale = np.ones(match.normalised, dtype) if match.scale is None else np.broadcast_to(match.scale.values, match.normalised)
        inputs = [match.source, patch.const(scale, match.scale or "scale")]
        if match.bias is not None:
            inputs.append(patch.const(np.broadcast_to(match.bias.values, match.normalised), match.bias))
        patch.replace(match.output, patch.node("LayerNormalization", inputs, {"axis": match.axis, "epsilon": match.epsilon}))


def _normalisation(node: gs.Node, opset: int) -> tuple[gs.Tensor, list[int], float] | None:
    """(x, axes, ε) of the quotient."""
    centre, root = producer_if(node.inputs[0], "Sub"), producer_if(node.inputs[1], "Sqrt")
    if centre is None or root is None:
        return None
    source, offset = centre.inputs[0], shifted(root.inputs[0])
    mean = producer_if(centre.inputs[1], "ReduceMean")
    variance = producer_if(offset[0], "ReduceMean") if offset is not None else None
    if mean is None or variance is None or offset is None:
        return None
    if mean.inputs[0] is not source or not _squares(variance.inputs[0], centre.outputs[0]):
        return None
    axes, again = axes_of(mean, opset, 18), axes_of(variance, opset, 18)
    if not axes or axes != again or not mean.attrs.get("keepdims", 1) or not variance.attrs.get("keepdims", 1):
        return None
    return source, axes, offset[1]


def _squares(tensor: gs.Tensor, of: gs.Tensor) -> bool:
    node = producer_if(tensor, "Pow", "Mul")
    if node is None or node.inputs[0] is not of:
        return False
    return is_scalar(node.inputs[1], 2.0) if node.op == "Pow" else node.inputs[1] is of


def _affine(node: gs.Node, normalised: tuple[int, ...], view: View) -> tuple[gs.Tensor, gs.Constant | None, gs.Constant | None]:
    """What follows the quotient: (output, γ, β)."""
    output, found = node.outputs[0], []
    for op in ("Mul", "Add"):
        following = view.sole_consumer(output)
        pair = split_operands(following) if following is not None and is_op(following, op) else None
        if following is None or pair is None or not _fits(pair[1], normalised):
            break
        output = following.outputs[0]
        found.append(pair[1])
    scale, bias = [*found, None, None][:2]
    return output, scale, bias


def _fits(tensor: gs.Tensor, normalised: tuple[int, ...]) -> bool:
    """Whether a constant broadcasts to the normalised axes alone."""
    shape = static_shape(tensor) if constant(tensor) is not None else None
    if shape is None or any(d != 1 for d in shape[: -len(normalised)]) or len(shape) > len(normalised):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(normalised), strict=False))
