"""Loading and saving ONNX files."""

import os
from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.ir.tensor import LazyValues
from onnx_graphsurgeon.logger.logger import OnnxGraphSurgeonException

from .errors import ModelError
from .export import metadata, to_model
from .external_data import resolve_external_data
from .files import write_atomically
from .finite import check_finite
from .importing import normalise
from .infer import infer_shapes
from .packing import widen_weights
from .parsing import Weight, parse
from .tensors import to_array
from .verification import verify
from .view import ONNX_DOMAINS, index_of, unique_name

MAX_INLINE_BYTES = (1 << 31) - (1 << 20)
"""A model whose weights take more bytes than this is saved with external data: a protobuf file ends at 2 GiB."""

_EXTERNAL_ABOVE_BYTES = 1024


def load(source: str | os.PathLike | bytes | onnx.ModelProto) -> gs.Graph:
    """Loads an ONNX model from a file, from the bytes of one, or from a ModelProto (which is left as it is).

    The graph has no functions, no Constant nodes and opset 13 or later; constants are read-only arrays, nodes have unique names.
    Raises ModelError, which names the source, for whatever is not a sound ONNX model.
    """
    name = "model" if isinstance(source, (bytes, onnx.ModelProto)) else os.fspath(source)
    try:
        model, weights, folder = _parse(source)
        if not model.ir_version or not model.HasField("graph") or not model.graph.output:
            raise ModelError("not an ONNX model: no IR version, graph or outputs")
        resolve_external_data(model, folder)
        return _import(*normalise(model, weights))
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error.__cause__
    except UnicodeDecodeError as error:
        raise ModelError(f"{name}: holds text that is not UTF-8: {error}") from error


def save(graph: gs.Graph, path: str | os.PathLike, external_data: bool = False) -> None:
    """Writes `graph` as ONNX, to a temporary file that is then renamed: `path` is the old file or the whole new one.

    With `external_data`, or where the weights would not fit in one protobuf, weights go to `<path>.data`, beside it.
    """
    path = Path(path)
    model = to_model(graph)
    if external_data or sum(len(t.raw_data) for t in model.graph.initializer) > MAX_INLINE_BYTES:
        data = path.with_name(path.name + ".data")
        write_atomically(data, _move_to_external(model, data.name))
    write_atomically(path, model.SerializeToString())


def _move_to_external(model: onnx.ModelProto, location: str) -> list[bytes]:
    """Takes the weights out of `model`, leaves references to the file `location`, and returns what that file is to hold."""
    chunks, offset = [], 0
    for tensor in model.graph.initializer:
        raw = tensor.raw_data
        if len(raw) <= _EXTERNAL_ABOVE_BYTES:
            continue
        onnx.external_data_helper.set_external_data(tensor, location, offset, len(raw))
        tensor.ClearField("raw_data")
        padding = -len(raw) % 64
        chunks += [raw, bytes(padding)]
        offset += len(raw) + padding
    return chunks


def _parse(source) -> tuple[onnx.ModelProto, list[Weight], Path | None]:
    """The model, large weights that are no part of it any more, and the folder in which it lies."""
    if isinstance(source, onnx.ModelProto):
        model = onnx.ModelProto()
        model.CopyFrom(source)
        return model, [], None
    return *parse(source), None if isinstance(source, bytes) else Path(source).parent


def _import(model: onnx.ModelProto, weights: dict[str, np.ndarray]) -> gs.Graph:
    try:
        graph = gs.import_onnx(model)
        _attach(graph, weights)
        _load_constants(graph)
        widen_weights(graph)
    except (OnnxGraphSurgeonException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"cannot be imported: {error}") from error
    graph.import_domains = [entry for entry in model.opset_import]
    metadata(graph).update({entry.key: entry.value for entry in model.metadata_props})
    _name_nodes(graph)
    _produce_constant_outputs(graph)
    check_finite(graph)
    _forget_inner_shapes(graph)
    infer_shapes(graph)
    verify(graph, "imported")
    return graph


def _forget_inner_shapes(graph: gs.Graph) -> None:
    """Drops what the file says of inner tensors that can be inferred: it may be wrong."""
    kept = {id(tensor) for tensor in [*graph.inputs, *graph.outputs]}
    for node in graph.nodes:
        for tensor in node.outputs if node.domain in ONNX_DOMAINS else ():
            if id(tensor) not in kept:
                tensor.dtype = tensor.shape = None


def _attach(graph: gs.Graph, weights: dict[str, np.ndarray]) -> None:
    """Turns the graph inputs that stand for weights into constants."""
    for tensor in graph.inputs:
        if tensor.name in weights:
            tensor.to_constant(weights[tensor.name])
    graph.inputs = [tensor for tensor in graph.inputs if isinstance(tensor, gs.Variable)]


def _produce_constant_outputs(graph: gs.Graph) -> None:
    """Puts an Identity before each graph output that is a constant."""
    for i, tensor in enumerate(graph.outputs):
        if isinstance(tensor, gs.Constant):
            source = gs.Constant(unique_name(f"{tensor.name}/value", set(graph.tensors())), tensor.values)
            output = gs.Variable(tensor.name, tensor.dtype, list(tensor.shape))
            for reader in list(tensor.outputs):
                reader.inputs[index_of(reader.inputs, tensor)] = source
            graph.nodes.append(gs.Node("Identity", unique_name(tensor.name, {node.name for node in graph.nodes}), {}, [source], [output]))
            graph.outputs[i] = output


def _load_constants(graph: gs.Graph) -> None:
    """Turns every lazily loaded constant into a read-only array."""
    for level in [graph, *graph.subgraphs(recursive=True)]:
        constants = [t for t in level.tensors().values() if isinstance(t, gs.Constant)]
        constants += [a for node in level.nodes for a in node.attrs.values() if isinstance(a, gs.Constant)]
        for constant in constants:
            if isinstance(constant._values, LazyValues):
                constant.values = to_array(constant._values.tensor)


def _name_nodes(graph: gs.Graph) -> None:
    """Gives nodes without a name, or with one that is taken, a name of their own."""
    taken = {node.name for node in graph.nodes}
    seen = {""}
    for node in graph.nodes:
        if node.name in seen:
            node.name = unique_name(node.name or node.op, taken)
        seen.add(node.name)
