"""Weights of 4 bits: stored two to a byte as INT4 or UINT4, in graphs as arrays of int8 or uint8.

In a file, a Cast expands the stored weights, and DequantizeLinear reads 8 bits: engines that fold constants when they load a model then run
it with the same integer operators as one whose weights are stored in 8 bits.
"""

from collections.abc import Iterator

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx import TensorProto, helper
from onnx_graphsurgeon.exporters.onnx_exporter import dtype_to_onnx

from .view import ONNX_DOMAINS, index_of, is_op, unique_name

BITS = 4

OPSET = 21
"""The first opset of ONNX's own domain that knows types of 4 bits."""

PACK_FROM = 512
"""Elements from which on packed weights, with their Cast, take fewer bytes."""

_WIDE: dict[int, type] = {TensorProto.INT4: np.int8, TensorProto.UINT4: np.uint8}
_NARROW = {TensorProto.INT8: TensorProto.INT4, TensorProto.UINT8: TensorProto.UINT4}


def pack_weights(model: onnx.ModelProto) -> None:
    """Packs the initialisers of `model`, of opset 21 or later, that only DequantizeLinear nodes read, as what they dequantise, and that
    hold nothing that 4 bits do not. Initialisers have raw data."""
    graph = model.graph
    readers = _sole_readers(graph)
    names = {name for node in graph.node for name in [*node.input, *node.output]} | {t.name for t in graph.initializer}
    casts = []
    for tensor in graph.initializer:
        if tensor.name in readers and _fits(tensor):
            wide, kind = unique_name(f"{tensor.name}_expanded", names), tensor.data_type
            casts.append(helper.make_node("Cast", [tensor.name], [wide], name=f"{tensor.name}_Cast", to=kind))
            for node in readers[tensor.name]:
                node.input[0] = wide
            tensor.raw_data, tensor.data_type = pack(np.frombuffer(tensor.raw_data, np.uint8)).tobytes(), _NARROW[kind]
    if casts:
        rest = onnx.GraphProto(node=graph.node)
        del graph.node[:]
        graph.node.extend([*casts, *rest.node])


def _sole_readers(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    """Tensor name -> the nodes that dequantise it, where nothing else uses it."""
    found: dict[str, list[onnx.NodeProto]] = {}
    used = {output.name for output in graph.output} | set(_names_in_subgraphs(graph))
    for node in graph.node:
        dequantises = node.op_type == "DequantizeLinear" and node.domain in ONNX_DOMAINS
        for i, name in enumerate(node.input):
            if i == 0 and dequantises:
                found.setdefault(name, []).append(node)
            else:
                used.add(name)
    return {name: nodes for name, nodes in found.items() if name not in used}


def _names_in_subgraphs(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        for attr in node.attribute:
            for inner in [attr.g] * attr.HasField("g") + list(attr.graphs):
                yield from (name for each in inner.node for name in each.input)
                yield from (output.name for output in inner.output)
                yield from _names_in_subgraphs(inner)


def _fits(tensor: TensorProto) -> bool:
    if tensor.data_type not in _NARROW or not tensor.HasField("raw_data"):
        return False
    return fits(np.frombuffer(tensor.raw_data, np.int8 if tensor.data_type == TensorProto.INT8 else np.uint8))


def fits(values: np.ndarray) -> bool:
    """Whether weights of 8 bits are packed where the opset allows it."""
    if values.size < PACK_FROM or values.dtype not in (np.int8, np.uint8):
        return False
    lo, hi = (-8, 7) if values.dtype == np.int8 else (0, 15)
    return bool(values.min() >= lo and values.max() <= hi)


def stored_bytes(values: np.ndarray, opset: int) -> int:
    """What a constant that DequantizeLinear reads takes in the file of a model in that opset."""
    return (values.size + 1) // 2 if opset >= OPSET and fits(values) else values.nbytes


def pack(values: np.ndarray) -> np.ndarray:
    """The lower 4 bits of elements of 8, two to a byte, the first one in its lower half; u8."""
    bits = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    packed = bits[::2] & 15
    packed[: bits.size // 2] |= bits[1::2] << 4
    return packed


def widen_weights(graph: gs.Graph) -> None:
    """Gives nodes of `graph` that dequantise or cast a constant of 4 bits one of 8 bits instead, in place. A Cast that only expands
    disappears."""
    names = set(graph.tensors())
    wide: dict[int, tuple[gs.Constant, gs.Constant]] = {}
    for level in [graph, *graph.subgraphs(recursive=True)]:
        for node in list(level.nodes):
            for i in _narrow_inputs(node):
                old = node.inputs[i]
                if id(old) not in wide:
                    wide[id(old)] = old, gs.Constant(unique_name(f"{old.name}_expanded", names), _expand(old))
                node.inputs[i] = wide[id(old)][1]
                if _only_expands(node, level):
                    _bypass(node, level)
    for old, new in wide.values():
        if not old.outputs:
            new.name = old.name


def _narrow_inputs(node: gs.Node) -> list[int]:
    if not is_op(node, "Cast", "DequantizeLinear") or not _is_narrow(node.inputs[0]):
        return []
    return [i for i in ((0,) if node.op == "Cast" else (0, 2)) if i < len(node.inputs) and _is_narrow(node.inputs[i])]


def _only_expands(node: gs.Node, graph: gs.Graph) -> bool:
    """Whether `node` casts a constant to the type that it has."""
    return node.op == "Cast" and dtype_to_onnx(node.attrs["to"]) == _type(node.inputs[0]) and index_of(graph.outputs, node.outputs[0]) < 0


def _bypass(node: gs.Node, graph: gs.Graph) -> None:
    constant, old = node.inputs[0], node.outputs[0]
    node.inputs.clear()
    for reader in list(old.outputs):
        reader.inputs[index_of(reader.inputs, old)] = constant
    node.outputs.clear()
    del graph.nodes[index_of(graph.nodes, node)]


def _is_narrow(tensor: gs.Tensor) -> bool:
    return isinstance(tensor, gs.Constant) and _type(tensor) in _WIDE


def _type(tensor: gs.Constant) -> int:
    return int(helper.np_dtype_to_tensor_dtype(tensor.dtype))


def _expand(tensor: gs.Constant) -> np.ndarray:
    values = tensor.values.astype(_WIDE[_type(tensor)])
    values.flags.writeable = False
    return values
