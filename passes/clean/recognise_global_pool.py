"""Global pooling in other words."""

import onnx_graphsurgeon as gs

from ...graph import View, rank, static_shape
from ..base import Match, Reject, RewriteRule
from ..patch import Patch
from .constants import axes_of
from .fold_input_batch_norm import pads_nothing

_GLOBAL = {"ReduceMean": "GlobalAveragePool", "ReduceMax": "GlobalMaxPool", "AveragePool": "GlobalAveragePool", "MaxPool": "GlobalMaxPool"}


class RecogniseGlobalPool(RewriteRule):
    """ReduceMean or ReduceMax over all spatial axes, AveragePool or MaxPool with a window as large as the input -> GlobalAveragePool or
    GlobalMaxPool, and Flatten where the axes are not kept. Exact to rounding."""

    name = "recognise-global-pool"
    roots = tuple(_GLOBAL)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        dims = rank(node.inputs[0])
        if dims is None or dims < 3 or len(node.outputs) > 1 or node.outputs[0].dtype is None:
            return None
        if node.op.startswith("Reduce"):
            axes = axes_of(node, view.graph.opset, 18)
            if not axes or sorted(axis % dims for axis in axes) != list(range(2, dims)):
                return None
            keep = bool(node.attrs.get("keepdims", 1))
        else:
            shape = static_shape(node.inputs[0])
            if shape is None or list(shape[2:]) != list(node.attrs["kernel_shape"]) or not pads_nothing(node):
                return None
            if any(d != 1 for d in node.attrs.get("dilations", [])) or static_shape(node.outputs[0]) != (*shape[:2], *[1] * (dims - 2)):
                return None
            keep = True
        if node.outputs[0].dtype.kind != "f":
            return Reject(f"global pooling of {node.outputs[0].dtype}")
        return Match(node=node, keep=keep)

    def rewrite(self, match: Match, patch: Patch) -> None:
        node = match.node
        pooled = patch.node(_GLOBAL[node.op], [node.inputs[0]])
        result = pooled if match.keep else patch.node("Flatten", [pooled], {"axis": 1}, name=f"{node.name}/Flatten")
        patch.replace(node.outputs[0], result)
