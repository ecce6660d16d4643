"""Loading and saving ONNX: the only place where protobuf and the graph meet."""

import os
from pathlib import Path

import onnx
import onnx_graphsurgeon as gs
from google.protobuf.message import DecodeError
from onnx_graphsurgeon.ir.tensor import LazyValues
from onnx_graphsurgeon.logger.logger import OnnxGraphSurgeonException

from .errors import ModelError
from .external_data import resolve_external_data
from .importing import normalise
from .tensors import to_array

MAX_INLINE_BYTES = (1 << 31) - (1 << 20)
"""A model whose weights take more bytes than this is saved with external data: a protobuf file ends at 2 GiB."""

_MAX_IR_VERSION = 14
_MIN_IR_VERSION = 8
_EXTERNAL_ABOVE_BYTES = 1024


def load(source: str | os.PathLike | bytes | onnx.ModelProto) -> gs.Graph:
    """Loads an ONNX model from a file, from the bytes of one, or from a ModelProto (which is left as it is).

    The graph has no functions, no Constant nodes and opset 13 or later; constants are read-only arrays, nodes have unique names.
    Raises ModelError, which names the source, for whatever is not a sound ONNX model.
    """
    name = "model" if isinstance(source, (bytes, onnx.ModelProto)) else os.fspath(source)
    try:
        model, folder = _parse(source)
        resolve_external_data(model, folder)
        return _import(normalise(model))
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error.__cause__


def to_model(graph: gs.Graph) -> onnx.ModelProto:
    """The ModelProto of `graph`, with its opsets, graph inputs and outputs, and metadata."""
    imports = {entry.domain: entry.version for entry in graph.import_domains or []}
    imports[""] = graph.opset
    imports.pop("ai.onnx", None)
    for node in graph.nodes:
        imports.setdefault("" if node.domain in (None, "", "ai.onnx") else node.domain, 1)
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in imports.items()]
    model = gs.export_onnx(graph, do_type_check=False, opset_imports=opsets)
    model.ir_version = min(max(graph.ir_version or 0, onnx.helper.find_min_ir_version_for(opsets, True), _MIN_IR_VERSION), _MAX_IR_VERSION)
    onnx.helper.set_model_props(model, metadata(graph))
    return model


def metadata(graph: gs.Graph) -> dict[str, str]:
    """The metadata of the model (ONNX metadata_props), to be read and changed."""
    return graph.__dict__.setdefault("metadata", {})


def save(graph: gs.Graph, path: str | os.PathLike, external_data: bool = False) -> None:
    """Writes `graph` as ONNX, to a temporary file that is then renamed: `path` is the old file or the whole new one.

    With `external_data`, or where the weights would not fit in one protobuf, weights go to `<path>.data`, beside it.
    """
    path = Path(path)
    model = to_model(graph)
    if external_data or sum(len(t.raw_data) for t in model.graph.initializer) > MAX_INLINE_BYTES:
        data = path.with_name(path.name + ".data")
        _write(data, _move_to_external(model, data.name))
    _write(path, [model.SerializeToString()])


def _write(path: Path, chunks) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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


def _parse(source) -> tuple[onnx.ModelProto, Path | None]:
    model = onnx.ModelProto()
    if isinstance(source, onnx.ModelProto):
        model.CopyFrom(source)
        return model, None
    folder = None
    if not isinstance(source, bytes):
        path = Path(source)
        folder = path.parent
        try:
            source = path.read_bytes()
        except OSError as error:
            raise ModelError(f"cannot be read: {error.strerror}") from error
    try:
        model.ParseFromString(source)
    except DecodeError as error:
        raise ModelError("not an ONNX model: the protobuf does not parse") from error
    if not model.ir_version or not model.HasField("graph") or not model.graph.output:
        raise ModelError("not an ONNX model: no IR version, graph or outputs")
    return model, folder


def _import(model: onnx.ModelProto) -> gs.Graph:
    try:
        graph = gs.import_onnx(model)
        _load_constants(graph)
    except (OnnxGraphSurgeonException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"cannot be imported: {error}") from error
    graph.import_domains = [entry for entry in model.opset_import]
    metadata(graph).update({entry.key: entry.value for entry in model.metadata_props})
    _name_nodes(graph)
    return graph


def _load_constants(graph: gs.Graph) -> None:
    """Turns every lazily loaded constant into a read-only array."""
    for level in [graph, *graph.subgraphs(recursive=True)]:
        constants = [t for t in level.tensors().values() if isinstance(t, gs.Constant)]
        constants += [a for node in level.nodes for a in node.attrs.values() if isinstance(a, gs.Constant)]
        for constant in constants:
            if isinstance(constant._values, LazyValues):
                constant.values = to_array(constant._values.tensor)


def _name_nodes(graph: gs.Graph) -> None:
    used: set[str] = {node.name for node in graph.nodes if node.name}
    seen: set[str] = set()
    for node in graph.nodes:
        if not node.name or node.name in seen:
            node.name = unique_name(node.name or node.op, used)
        seen.add(node.name)


def unique_name(stem: str, used: set[str]) -> str:
    """`stem`, or `stem` with the first number that makes it new to `used`, to which it is added."""
    name, number = stem, 0
    while name in used or not name:
        number += 1
        name = f"{stem}_{number}"
    used.add(name)
    return name


def copy(graph: gs.Graph) -> gs.Graph:
    """A graph of its own with the same constants (arrays are shared: they are never written to)."""
    new = graph.copy()
    metadata(new).update(metadata(graph))
    return new
