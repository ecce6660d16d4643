"""Topological order."""

import heapq

import onnx_graphsurgeon as gs

from .errors import ModelError


def sort_nodes(graph: gs.Graph) -> None:
    """Orders the nodes of `graph`, in place, so that each comes after the nodes that it reads from; otherwise as they were.

    ModelError, naming some of the nodes concerned, where there is a cycle.
    """
    position = {id(node): i for i, node in enumerate(graph.nodes)}
    waiting: list[int] = []
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for i, node in enumerate(graph.nodes):
        sources = {position[id(p)] for t in read_by(node) for p in t.inputs if id(p) in position}
        waiting.append(len(sources))
        for source in sources:
            readers[source].append(i)
    ready = [i for i, count in enumerate(waiting) if count == 0]
    order: list[gs.Node] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(graph.nodes[i])
        for reader in readers[i]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) < len(graph.nodes):
        stuck = [node.name for node, count in zip(graph.nodes, waiting, strict=True) if count > 0]
        raise ModelError(f"the graph has a cycle among the nodes {', '.join(map(repr, stuck[:5]))}")
    graph.nodes[:] = order


def read_by(node: gs.Node) -> list[gs.Tensor]:
    """The tensors that `node` reads, those that its subgraphs take from outside included."""
    tensors = list(node.inputs)
    for subgraph in node.subgraphs(recursive=True):
        for inner in subgraph.nodes:
            tensors += inner.inputs
    return [tensor for tensor in tensors if not tensor.is_empty()]
