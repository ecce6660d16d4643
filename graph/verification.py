"""What must hold of a graph at each stage."""

import onnx
import onnx_graphsurgeon as gs

from .errors import ModelError
from .order import read_by
from .view import ONNX_DOMAINS, is_op

STAGES = ("imported", "optimised")


def verify(graph: gs.Graph, stage: str = "optimised") -> None:
    """Raises ModelError, naming the node, unless `graph` is sound.

    imported: names are unique, uses are consistent with the nodes' lists, every tensor has one producer that comes before its readers,
    every operator's inputs, outputs and attributes fit its definition, graph inputs and outputs have a type.
    optimised: and the type of every tensor is known, and there are no Constant or Identity nodes but where a graph output needs one.
    """
    if stage not in STAGES:
        raise ValueError(f"stage {stage!r}, expected one of {', '.join(STAGES)}")
    _check_names(graph)
    _check_links(graph)
    _check_order(graph)
    for node in graph.nodes:
        _check_definition(node, graph.opset)
        if is_op(node, "Conv", "ConvTranspose"):
            _check_convolution(node)
        if is_op(node, "QuantizeLinear", "DequantizeLinear"):
            _check_quantisation(node)
    for tensor in [*graph.inputs, *graph.outputs]:
        if tensor.dtype is None:
            raise ModelError(f"graph input or output {tensor.name!r} has no type")
    if stage == "optimised":
        _check_optimised(graph)


def _check_names(graph: gs.Graph) -> None:
    names: set[str] = set()
    for node in graph.nodes:
        if not node.name or node.name in names:
            raise ModelError(f"{node.op} {node.name!r}: the name is empty or taken")
        names.add(node.name)
    tensors: dict[str, gs.Tensor] = {}
    for owner, tensor in _tensors(graph):
        if not tensor.is_empty() and tensors.setdefault(tensor.name, tensor) is not tensor:
            raise ModelError(f"{owner}: two tensors are named {tensor.name!r}")


def _tensors(graph: gs.Graph):
    for tensor in [*graph.inputs, *graph.outputs]:
        yield "graph", tensor
    for node in graph.nodes:
        for tensor in [*node.inputs, *node.outputs]:
            yield f"{node.op} {node.name!r}", tensor


def _check_links(graph: gs.Graph) -> None:
    inner = {id(node) for level in graph.subgraphs(recursive=True) for node in level.nodes}
    present = {id(node) for node in graph.nodes} | inner
    for owner, tensor in _tensors(graph):
        if tensor.is_empty():
            continue
        if len(tensor.inputs) > 1:
            makers = ", ".join(repr(node.name) for node in tensor.inputs)
            raise ModelError(f"{owner}: tensor {tensor.name!r} is produced by {makers}, expected one node")
        stray = [node.name for node in [*tensor.inputs, *tensor.outputs] if id(node) not in present]
        if stray:
            raise ModelError(f"{owner}: tensor {tensor.name!r} is tied to {stray[0]!r}, which is not in the graph")


def _check_order(graph: gs.Graph) -> None:
    local = {id(t) for level in graph.subgraphs(recursive=True) for node in level.nodes for t in node.outputs}
    local |= {id(t) for level in graph.subgraphs(recursive=True) for t in level.inputs}
    defined = {id(tensor) for tensor in graph.inputs} | local
    for node in graph.nodes:
        for tensor in read_by(node):
            if id(tensor) not in defined and not isinstance(tensor, gs.Constant):
                what = f"comes from the later node {tensor.inputs[0].name!r}" if tensor.inputs else "is not defined"
                raise ModelError(f"{node.op} {node.name!r}: input {tensor.name!r} {what}")
        defined.update(id(tensor) for tensor in node.outputs)
    for tensor in graph.outputs:
        if id(tensor) not in defined:
            raise ModelError(f"graph output {tensor.name!r} is not produced by any node")


def _check_definition(node: gs.Node, opset: int) -> None:
    if node.domain not in ONNX_DOMAINS or not onnx.defs.has(node.op, ""):
        return
    schema = onnx.defs.get_schema(node.op, opset, "")
    if not schema.min_input <= len(node.inputs) <= schema.max_input:
        raise ModelError(f"{node.op} {node.name!r}: {len(node.inputs)} inputs, expected {schema.min_input} to {schema.max_input}")
    if not schema.min_output <= len(node.outputs) <= schema.max_output:
        raise ModelError(f"{node.op} {node.name!r}: {len(node.outputs)} outputs, expected {schema.min_output} to {schema.max_output}")
    unknown = [name for name in node.attrs if name not in schema.attributes]
    if unknown:
        known = ", ".join(sorted(schema.attributes)) or "none"
        raise ModelError(f"{node.op} {node.name!r}: attribute {unknown[0]!r}, expected one of {known}")
    missing = [name for name, attr in schema.attributes.items() if attr.required and name not in node.attrs]
    if missing:
        raise ModelError(f"{node.op} {node.name!r}: attribute {missing[0]!r} is missing")


def _check_convolution(node: gs.Node) -> None:
    """Weights that fit the groups and the input's channels, which the ONNX package's inference does not check."""
    group, shape, source = node.attrs.get("group", 1), node.inputs[1].shape, node.inputs[0].shape
    if shape is None or source is None or len(shape) < 3 or len(source) < 3 or not all(isinstance(d, int) for d in (*shape[:2], source[1])):
        return
    channels = shape[0] if node.op == "ConvTranspose" else shape[1] * group
    if group < 1 or shape[0] % group or channels != source[1]:
        raise ModelError(
            f"{node.op} {node.name!r}: weights {list(shape)} in {group} groups do not fit "
            f"the {source[1]} channels of {node.inputs[0].name!r}"
        )


def _check_quantisation(node: gs.Node) -> None:
    """One scale and zero point, or one for each index of the axis (blocks apart)."""
    shape, axis = node.inputs[0].shape, node.attrs.get("axis", 1)
    if shape is None or node.attrs.get("block_size", 0):
        return
    for tensor in node.inputs[1:]:
        if tensor.shape is None or len(tensor.shape) == 0 or list(tensor.shape) == [1]:
            continue
        if len(tensor.shape) > 1 or not -len(shape) <= axis < len(shape) or not _may_be_equal(tensor.shape[0], shape[axis]):
            raise ModelError(
                f"{node.op} {node.name!r}: {tensor.name!r} of shape {list(tensor.shape)} does not fit axis {axis} of shape {list(shape)}"
            )


def _may_be_equal(a: int | str | None, b: int | str | None) -> bool:
    return a == b or not (isinstance(a, int) and isinstance(b, int))


def _check_optimised(graph: gs.Graph) -> None:
    outputs = {id(tensor) for tensor in graph.outputs}
    for node in graph.nodes:
        for tensor in node.outputs:
            if tensor.dtype is None and not tensor.is_empty() and node.domain in ONNX_DOMAINS:
                raise ModelError(f"{node.op} {node.name!r}: the type of output {tensor.name!r} is not known")
        if node.op in ("Identity", "Constant") and node.domain in ONNX_DOMAINS and id(node.outputs[0]) not in outputs:
            raise ModelError(f"{node.op} {node.name!r} is left over")
