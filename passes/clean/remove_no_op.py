"""Nodes that compute what they are given."""

from collections.abc import Callable

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, operand, same_shape
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import integers, split_operands


def _if(condition: bool | np.bool_, node: gs.Node) -> gs.Tensor | None:
    return node.inputs[0] if condition else None


def _keeps_shape(node: gs.Node) -> gs.Tensor | None:
    return _if(same_shape(node.inputs[0], node.outputs[0]), node)


def _cast(node: gs.Node) -> gs.Tensor | None:
    a, b = node.inputs[0].dtype, node.outputs[0].dtype
    return _if(a is not None and b is not None and a == b, node)


def _transpose(node: gs.Node) -> gs.Tensor | None:
    perm = node.attrs.get("perm")
    return _if(perm is not None and list(perm) == list(range(len(perm))), node)


def _pad(node: gs.Node) -> gs.Tensor | None:
    pads = integers(operand(node, 1))
    return _if(pads is not None and not any(pads), node)


def _only_operand(node: gs.Node) -> gs.Tensor | None:
    return _if(len(node.inputs) == 1, node)


def _pool(node: gs.Node) -> gs.Tensor | None:
    ones = all(k == 1 for name in ("kernel_shape", "strides") for k in node.attrs.get(name, [1]))
    return _if(ones and not any(node.attrs.get("pads", [0])) and node.attrs.get("auto_pad", "NOTSET") in ("NOTSET", "VALID"), node)


def _clip(node: gs.Node) -> gs.Tensor | None:
    low, high = operand(node, 1), operand(node, 2)
    open_low = low is None or (constant(low) is not None and np.isneginf(np.asarray(constant(low), np.float64)).all())
    open_high = high is None or (constant(high) is not None and np.isposinf(np.asarray(constant(high), np.float64)).all())
    return _if(open_low and open_high, node)


def _with_neutral(value: int, commutes: bool) -> Callable[[gs.Node], gs.Tensor | None]:
    def rule(node: gs.Node) -> gs.Tensor | None:
        pair = split_operands(node)
        if pair is None or not (commutes or pair[1] is node.inputs[1]):
            return None
        source, other = pair
        return source if (other.values == value).all() and same_shape(source, node.outputs[0]) else None

    return rule


def _slice(node: gs.Node) -> gs.Tensor | None:
    steps = operand(node, 4)
    values = integers(steps)
    forwards = steps is None or (values is not None and all(step > 0 for step in values))
    return _keeps_shape(node) if forwards else None


_RULES: dict[str, Callable[[gs.Node], gs.Tensor | None]] = {
    "Cast": _cast, "CastLike": _cast, "Transpose": _transpose, "Pad": _pad, "Clip": _clip,
    "Reshape": _keeps_shape, "Flatten": _keeps_shape, "Squeeze": _keeps_shape, "Unsqueeze": _keeps_shape, "Expand": _keeps_shape,
    "Slice": _slice, "Tile": _keeps_shape,
    "Concat": _only_operand, "Sum": _only_operand, "Max": _only_operand, "Min": _only_operand, "Mean": _only_operand, "Split": _keeps_shape,
    "MaxPool": _pool, "AveragePool": _pool,
    "Add": _with_neutral(0, True), "Sub": _with_neutral(0, False), "Mul": _with_neutral(1, True), "Div": _with_neutral(1, False),
}


class RemoveNoOp(RewriteRule):
    """f(x) -> x for a Cast to the same type, a Reshape to the same shape, a Transpose that moves nothing, a Pad by nothing, a Concat of
    one, and the like. Exact (x + 0 turns a -0 into 0)."""

    name = "remove-no-op"
    roots = tuple(_RULES)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        if len(node.outputs) != 1 and any(t.outputs or view.is_output(t) for t in node.outputs[1:]):
            return None
        source = _RULES[node.op](node)
        if source is None:
            return None
        target = node.outputs[0]
        if view.is_output(target) and (not source.inputs or view.is_output(source)):
            return Reject("gives a graph output its name")
        return Match(source=source, target=target)

    def rewrite(self, match: Match, patch: Patch) -> None:
        patch.replace(match.target, match.source)
