"""Pieces of a graph as models of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx import helper

from ....graph import to_model
from ....graph.order import read_by


def needed_nodes(graph: gs.Graph, targets: Collection[str]) -> list[bool]:
    """For every node, in order, whether one of the tensors `targets` depends on it. The graph is sorted."""
    wanted = set(targets)
    needed = [False] * len(graph.nodes)
    for i in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[i]
        if any(output.name in wanted for output in node.outputs):
            needed[i] = True
            wanted.update(tensor.name for tensor in read_by(node))
    return needed


def boundary(nodes: Sequence[gs.Node]) -> dict[str, gs.Tensor]:
    """The tensors that `nodes` read and neither make nor hold as constants, by name."""
    inner = [graph for node in nodes for graph in node.subgraphs(recursive=True)]
    own = {output.name for node in [*nodes, *(n for graph in inner for n in graph.nodes)] for output in node.outputs}
    own |= {tensor.name for graph in inner for tensor in graph.inputs}
    read = {tensor.name: tensor for node in nodes for tensor in read_by(node) if not isinstance(tensor, gs.Constant)}
    return {name: tensor for name, tensor in read.items() if name not in own}


def segment_model(graph: gs.Graph, nodes: Sequence[gs.Node], feed: Mapping[str, np.ndarray], outputs: Sequence[str]) -> onnx.ModelProto:
    """The nodes as a model of its own, for inputs of the shapes and types of `feed`. `outputs`: tensors that the nodes make."""
    read = boundary(nodes)
    made = {tensor.name: tensor for node in nodes for tensor in node.outputs}
    piece = gs.Graph(
        list(nodes), [read[name] for name in feed], [made[name] for name in outputs],
        name="segment", opset=graph.opset, import_domains=graph.import_domains, ir_version=graph.ir_version,
    )  # fmt: skip
    model = to_model(piece)
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for name, a in feed.items()]
    del model.graph.value_info[:], model.graph.input[:]
    model.graph.input.extend(inputs)
    for value in model.graph.output:
        value.type.tensor_type.elem_type = value.type.tensor_type.elem_type or onnx.TensorProto.FLOAT
    return model
