"""Applying patches to a graph. Only the driver does."""

import onnx_graphsurgeon as gs

from ..graph import index_of, unique_name
from .patch import Patch


class Applier:
    """Applies patches to one graph, keeps names unique, and removes what no longer leads to a graph output."""

    def __init__(self, graph: gs.Graph) -> None:
        self.graph = graph
        self.names = {node.name for node in graph.nodes}
        for level in [graph, *graph.subgraphs(recursive=True)]:
            self.names |= {name for name in level.tensors()} | {tensor.name for tensor in level.inputs}

    def apply(self, patch: Patch) -> None:
        """Applies `patch`. New nodes stand where the root stood, or at the end: the order may need sorting afterwards."""
        position = index_of(self.graph.nodes, patch.root)
        created = [gs.Node(new.op, "", dict(new.attrs), [], [], new.domain) for new in patch.nodes]
        touched = [old.inputs[0] for old, _ in patch.replacements if old.inputs] + [patch.root] * (position >= 0)
        for node, index, tensor in patch.inputs:
            touched += _set_input(node, index, tensor)
        for node, name, value in patch.attrs:
            if value is None:
                node.attrs.pop(name, None)
            else:
                node.attrs[name] = value
        for node, new in zip(created, patch.nodes, strict=True):
            node.inputs.extend(new.inputs)
            node.outputs.extend(new.outputs)
        at = len(self.graph.nodes) if position < 0 else position
        self.graph.nodes[at:at] = created
        for old, new in patch.replacements:
            self._redirect(old, new, created)
        freed = self._remove_dead(touched)
        self._name(patch, created, freed)

    def _redirect(self, old: gs.Tensor, new: gs.Tensor, created: list[gs.Node]) -> None:
        for reader in list(old.outputs):
            if index_of(created, reader) >= 0:
                continue
            for i, tensor in enumerate(reader.inputs):
                if tensor is old:
                    reader.inputs[i] = new
        if isinstance(new, gs.Variable) and new.inputs and index_of(created, new.inputs[0]) >= 0:
            new.dtype = old.dtype if new.dtype is None else new.dtype
            new.shape = old.shape if new.shape is None else new.shape
        place = index_of(self.graph.outputs, old)
        if place >= 0:
            self._replace_output(place, old, new)

    def _replace_output(self, place: int, old: gs.Tensor, new: gs.Tensor) -> None:
        taken = index_of(self.graph.outputs, new) >= 0 or index_of(self.graph.inputs, new) >= 0
        name = old.name
        old.name = unique_name(name, self.names)
        if isinstance(new, gs.Constant) or taken or not new.inputs:
            output = gs.Variable(name, old.dtype, old.shape)
            self.graph.nodes.append(gs.Node("Identity", unique_name(f"{name}/Identity", self.names), {}, [new], [output]))
            new = output
        new.name, new.dtype, new.shape = name, old.dtype, old.shape
        self.graph.outputs[place] = new

    def _remove_dead(self, candidates: list[gs.Node]) -> set[str]:
        """Removes candidates without readers, and then their producers without readers. Returns the names that became free."""
        freed: set[str] = set()
        removed: set[int] = set()
        outputs = {id(tensor) for tensor in self.graph.outputs}
        while candidates:
            node = candidates.pop()
            if id(node) in removed or any(t.outputs or id(t) in outputs for t in node.outputs):
                continue
            removed.add(id(node))
            freed.add(node.name)
            freed |= {tensor.name for tensor in node.outputs}
            candidates += [tensor.inputs[0] for tensor in _disconnect(node) if tensor.inputs]
        if removed:
            self.graph.nodes[:] = [node for node in self.graph.nodes if id(node) not in removed]
        return freed

    def _name(self, patch: Patch, created: list[gs.Node], freed: set[str]) -> None:
        """Gives final names; a name whose owner is gone may be taken over."""
        self.names -= freed
        for node, new in zip(created, patch.nodes, strict=True):
            node.name = unique_name(new.name, self.names)
        heirs = {id(new): old for old, new in patch.replacements}
        for new in patch.nodes:
            for tensor in new.outputs:
                if index_of(self.graph.outputs, tensor) >= 0:
                    continue
                old = heirs.get(id(tensor))
                if old is not None and (old.name in freed or self._is_gone(old)):
                    self.names.discard(old.name)
                    tensor.name = old.name
                tensor.name = unique_name(tensor.name, self.names)
        for constant, like in patch.constants:
            if like is not None and self._is_gone(like):
                self.names.discard(like.name)
            constant.name = unique_name(constant.name, self.names)

    def _is_gone(self, tensor: gs.Tensor) -> bool:
        """Whether nothing makes or reads the tensor any more; an input of the graph stays even then."""
        return not (tensor.inputs or tensor.outputs) and index_of(self.graph.inputs, tensor) < 0


def _set_input(node: gs.Node, index: int, tensor: gs.Tensor) -> list[gs.Node]:
    """Sets an input, and returns the producer of what was there."""
    if index == len(node.inputs):
        node.inputs.append(tensor)
        return []
    before = node.inputs[index]
    node.inputs[index] = tensor
    return [before.inputs[0]] if before.inputs else []


def _disconnect(node: gs.Node) -> list[gs.Tensor]:
    """Cuts `node`, and the nodes of its subgraphs, from their tensors, and returns the tensors that were read."""
    nodes = [node] + [inner for subgraph in node.subgraphs(recursive=True) for inner in subgraph.nodes]
    read = [tensor for each in nodes for tensor in each.inputs]
    for each in nodes:
        each.inputs.clear()
        each.outputs.clear()
    return read
