"""Padding before a convolution or pooling."""

import onnx_graphsurgeon as gs

from ...graph import View, constant, operand, rank
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import integers, producer_if, scalar
from .fold_input_batch_norm import pads_nothing

_NON_NEGATIVE = ("Relu", "Sigmoid", "HardSigmoid", "Softmax", "Abs", "Exp", "Softplus")


class FoldPad(RewriteRule):
    """Pad with a constant before Conv, AveragePool or MaxPool -> the padding of that operator.

    Conv: the value is 0. AveragePool: the value is 0, and the operator counts its padding or has none. MaxPool: the value is −inf, or not
    above anything in the input, and smaller than the window. Padding of batch and channels stays. Exact.
    """

    name = "fold-pad"
    roots = ("Conv", "AveragePool", "MaxPool")

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        pad = producer_if(node.inputs[0], "Pad")
        if pad is None:
            return None
        if not view.only_feeds(node.inputs[0], node):
            return Reject(f"{pad.name} has other users")
        pads = spatial_pads(pad)
        if isinstance(pads, str):
            return Reject(pads)
        if node.attrs.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            return Reject("has automatic padding")
        reason = _obstacle(node, pad, pads)
        if reason:
            return Reject(reason)
        own = node.attrs.get("pads", [0] * len(pads)) if node.attrs.get("auto_pad", "NOTSET") == "NOTSET" else [0] * len(pads)
        return Match(node=node, source=pad.inputs[0], pads=[a + b for a, b in zip(own, pads, strict=True)])

    def rewrite(self, match: Match, patch: Patch) -> None:
        node = match.node
        attrs = {name: value for name, value in node.attrs.items() if name != "auto_pad"} | {"pads": match.pads}
        if node.op == "AveragePool":
            attrs["count_include_pad"] = 1
        outputs = patch.node_with_outputs(node.op, [match.source, *node.inputs[1:]], len(node.outputs), attrs)
        for old, new in zip(node.outputs, outputs, strict=True):
            patch.replace(old, new)


def spatial_pads(pad: gs.Node) -> list[int] | str:
    """Padding of the spatial axes, beginnings first, as Conv has it; or why it is not that."""
    dims, pads = rank(pad.inputs[0]), integers(operand(pad, 1))
    if pad.attrs.get("mode", "constant") != "constant":
        return f"padding mode {pad.attrs['mode']}"
    if dims is None or pads is None:
        return "the padding is not constant"
    axes = integers(operand(pad, 3)) if operand(pad, 3) is not None else list(range(dims))
    if axes is None:
        return "the axes of the padding are not constant"
    full = [0] * (2 * dims)
    for k, axis in enumerate(axes):
        full[axis % dims], full[dims + axis % dims] = pads[k], pads[len(axes) + k]
    if any(full[i] for i in (0, 1, dims, dims + 1)):
        return "pads batch or channels"
    if min(full) < 0:
        return "negative padding"
    return full[2:dims] + full[dims + 2 :]


def _obstacle(node: gs.Node, pad: gs.Node, pads: list[int]) -> str | None:
    value = operand(pad, 2)
    number = 0.0 if value is None else scalar(value)
    if number is None:
        return "the padding's value is not constant"
    if node.op == "MaxPool":
        return _max_pool_obstacle(node, pad, pads, number)
    if number != 0:
        return f"pads with {number}, expected 0"
    if node.op == "AveragePool":
        if node.attrs.get("ceil_mode", 0):
            return "AveragePool rounds its size up"
        if not node.attrs.get("count_include_pad", 0) and not pads_nothing(node):
            return "AveragePool does not count its own padding"
        return _window_obstacle(node, pads)
    return None


def _max_pool_obstacle(node: gs.Node, pad: gs.Node, pads: list[int], number: float) -> str | None:
    if node.attrs.get("ceil_mode", 0):
        return "MaxPool rounds its size up"
    if len(node.outputs) > 1:
        return "the indices of MaxPool are used"
    if number > 0 or (number > float("-inf") and not _is_at_least(pad.inputs[0], number)):
        return f"pads with {number}, which may exceed what MaxPool reads"
    if any(d != 1 for d in node.attrs.get("dilations", [])):
        return "MaxPool is dilated"
    return _window_obstacle(node, pads)


def _window_obstacle(node: gs.Node, pads: list[int]) -> str | None:
    own = node.attrs.get("pads", [0] * len(pads))
    fits = all(a + b < k for a, b, k in zip(pads, own, node.attrs["kernel_shape"] * 2, strict=True))
    return None if fits else "the padding is as large as the window"


def _is_at_least(tensor: gs.Tensor, number: float) -> bool:
    """Whether the producer of `tensor` bounds it from below by `number` <= 0."""
    if producer_if(tensor, *_NON_NEGATIVE) is not None:
        return True
    clip = producer_if(tensor, "Clip")
    low = constant(operand(clip, 1)) if clip is not None else None
    return low is not None and bool((low >= number).all())
