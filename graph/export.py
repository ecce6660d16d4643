"""From the graph to protobuf."""

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.ir.tensor import LazyValues

from . import packing

_MAX_IR_VERSION = 14
_MIN_IR_VERSION = 8


def to_model(graph: gs.Graph) -> onnx.ModelProto:
    """The ModelProto of `graph`, with its opsets, graph inputs and outputs, and metadata.

    From opset 21 on, quantised weights that fit 4 bits are packed (packing.py).
    """
    imports = {entry.domain: entry.version for entry in graph.import_domains or []}
    imports[""] = graph.opset
    imports.pop("ai.onnx", None)
    for node in graph.nodes:
        imports.setdefault("" if node.domain in (None, "", "ai.onnx") else node.domain, 1)
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in imports.items()]
    for tensor in graph.tensors().values():
        if isinstance(tensor, gs.Constant):
            prepare_constant(tensor)
    model = gs.export_onnx(graph, do_type_check=False, opset_imports=opsets)
    model.ir_version = min(max(graph.ir_version or 0, onnx.helper.find_min_ir_version_for(opsets, True), _MIN_IR_VERSION), _MAX_IR_VERSION)
    onnx.helper.set_model_props(model, metadata(graph))
    if graph.opset >= packing.OPSET:
        packing.pack_weights(model)
    return model


def prepare_constant(tensor: gs.Constant) -> None:
    """Turns a constant of strings, which gs cannot export from an array, into gs's lazy form."""
    if not isinstance(tensor._values, LazyValues) and tensor.values.dtype == object:
        tensor.values = LazyValues(onnx.numpy_helper.from_array(tensor.values, tensor.name))


def metadata(graph: gs.Graph) -> dict[str, str]:
    """The metadata of the model (ONNX metadata_props), to be read and changed."""
    return graph.__dict__.setdefault("metadata", {})


def copy(graph: gs.Graph) -> gs.Graph:
    """A graph of its own with the same constants (arrays are shared: they are never written to)."""
    new = graph.copy()
    metadata(new).update(metadata(graph))
    return new


def forget_constants(graph: gs.Graph) -> None:
    """Takes the arrays out of a graph that is not needed any more. It stays a while itself: its tensors and nodes refer to each other."""
    for tensor in graph.tensors().values():
        if isinstance(tensor, gs.Constant):
            tensor.values = np.empty(0, tensor.dtype)
