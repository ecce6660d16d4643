"""A change to a graph, as a value: nothing happens until the driver applies it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs


@dataclass
class NewNode:
    op: str
    inputs: list[gs.Tensor]
    outputs: list[gs.Variable]
    attrs: dict[str, Any]
    name: str
    domain: str | None


@dataclass
class Patch:
    """New nodes, and what they take the place of.

    root: the node that the change is about; reports name it, and new nodes are named after it unless told otherwise.
    Tensors and nodes that lose their last reader, and the root if it has none, are removed by the driver; a patch never says so.
    """

    root: gs.Node | None = None
    nodes: list[NewNode] = field(default_factory=list)
    replacements: list[tuple[gs.Tensor, gs.Tensor]] = field(default_factory=list)
    inputs: list[tuple[gs.Node, int, gs.Tensor]] = field(default_factory=list)
    attrs: list[tuple[gs.Node, str, Any]] = field(default_factory=list)
    constants: list[tuple[gs.Constant, gs.Tensor | None]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def node(self, op: str, inputs: Sequence[gs.Tensor | None], attrs: Mapping[str, Any] | None = None, *, name: str | None = None,
             domain: str | None = None) -> gs.Variable:
        """A new node with one output, which is returned. None among `inputs`: left out. `name`: by default the root's."""
        return self.node_with_outputs(op, inputs, 1, attrs, name=name, domain=domain)[0]

    def node_with_outputs(self, op: str, inputs: Sequence[gs.Tensor | None], count: int, attrs: Mapping[str, Any] | None = None, *,
                          name: str | None = None, domain: str | None = None) -> list[gs.Variable]:
        """A new node with `count` outputs, which are returned."""
        name = name or (self.root.name if self.root is not None else op)
        filled = [gs.Variable.empty() if tensor is None else tensor for tensor in inputs]
        while filled and filled[-1].is_empty():
            filled.pop()
        outputs = [gs.Variable(f"{name}_out") for _ in range(count)]
        kept = {key: value for key, value in (attrs or {}).items() if value is not None}
        self.nodes.append(NewNode(op, filled, outputs, kept, name, domain))
        return outputs

    def const(self, values: np.ndarray, like: gs.Tensor | str | None = None) -> gs.Constant:
        """A new constant, named `like`, or after the tensor `like`, whose very name it takes if the patch leaves that one unused."""
        values = np.array(values)
        values.flags.writeable = False
        hint = like if isinstance(like, str) else like.name if like is not None else "constant"
        constant = gs.Constant(hint, values)
        self.constants.append((constant, like if isinstance(like, gs.Tensor) else None))
        return constant

    def replace(self, old: gs.Tensor, new: gs.Tensor) -> None:
        """All that reads `old`, but the nodes of this patch, reads `new`; a graph output keeps its name. `new` takes over the name,
        type and shape of `old` where it is an output of this patch, unless `old` stays in use."""
        self.replacements.append((old, new))

    def set_input(self, node: gs.Node, index: int, tensor: gs.Tensor) -> None:
        """`node`, which stays, reads `tensor` at position `index` (at most one past its inputs)."""
        self.inputs.append((node, index, tensor))

    def set_attr(self, node: gs.Node, name: str, value: Any) -> None:
        """`node`, which stays, gets the attribute; None removes it."""
        self.attrs.append((node, name, value))

    def note(self, **facts: Any) -> None:
        """Facts for the report: numbers, strings and lists of them."""
        self.facts.update(facts)
