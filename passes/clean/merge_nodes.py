"""Common subexpressions."""

from collections.abc import Hashable, Iterator
from typing import Any

import onnx_graphsurgeon as gs

from ...graph import View
from ..base import GraphPass, Reject
from ..patch import Patch
from .fold_constants import RANDOM

_KEPT = RANDOM | {"Identity", "If", "Loop", "Scan"}


class MergeNodes(GraphPass):
    """Nodes of the same operator, attributes and inputs become one. Exact.

    Needs: deterministic operators without subgraphs; the outputs of the later node are no graph outputs.
    """

    name = "merge-nodes"

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        first: dict[Hashable, gs.Node] = {}
        for node in list(view.graph.nodes):
            if node.op in _KEPT or any(isinstance(value, gs.Graph) for value in node.attrs.values()):
                continue
            kept = first.setdefault(_node_key(node), node)
            if kept is node:
                continue
            if any(view.is_output(tensor) for tensor in node.outputs):
                yield Reject(f"computes the same as {kept.name}, and is a graph output", node)
                continue
            patch = Patch(node)
            for mine, theirs in zip(node.outputs, kept.outputs, strict=True):
                patch.replace(mine, theirs)
            yield patch


def _node_key(node: gs.Node) -> Hashable:
    attrs = tuple((name, _freeze(value)) for name, value in sorted(node.attrs.items()))
    inputs = tuple("" if tensor.is_empty() else id(tensor) for tensor in node.inputs)
    return node.op, node.domain or "", attrs, inputs, tuple(tensor.is_empty() for tensor in node.outputs)


def _freeze(value: Any) -> Hashable:
    if isinstance(value, gs.Constant):
        return value.values.dtype.str, value.values.shape, value.values.tobytes()
    return tuple(value) if isinstance(value, list) else value
