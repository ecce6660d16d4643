"""Branches that are always taken."""

import onnx_graphsurgeon as gs

from ...graph import View, constant
from ..base import Match, Reject, RewriteRule
from ..patch import Patch


class InlineIf(RewriteRule):
    """If(constant condition) -> the nodes of the branch. Exact."""

    name = "inline-if"
    roots = ("If",)

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        condition = constant(node.inputs[0])
        if condition is None:
            return Reject("the condition is not constant")
        branch = node.attrs["then_branch" if condition.all() else "else_branch"]
        if any(True for _ in branch.subgraphs()):
            return Reject("the branch has subgraphs of its own")
        return Match(node=node, branch=branch)

    def rewrite(self, match: Match, patch: Patch) -> None:
        made: dict[int, gs.Tensor] = {}
        for inner in match.branch.nodes:
            inputs = [made.get(id(tensor), tensor) for tensor in inner.inputs]
            name, count = inner.name or None, len(inner.outputs)
            outputs = patch.node_with_outputs(inner.op, inputs, count, inner.attrs, name=name, domain=inner.domain)
            made.update({id(old): new for old, new in zip(inner.outputs, outputs, strict=True)})
        for old, new in zip(match.node.outputs, match.branch.outputs, strict=True):
            patch.replace(old, made.get(id(new), new))
