"""Shapes and types of all tensors, from those of the graph inputs."""

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.exporters.onnx_exporter import OnnxExporter, dtype_to_onnx

from .errors import ModelError
from .export import prepare_constant, to_model
from .skeleton import DETACH_ABOVE
from .stand_ins import stand_in


def infer_shapes(graph: gs.Graph, dims: dict[str, int] | None = None) -> None:
    """Fills in dtype and shape of every Variable of `graph`, as far as they follow from the graph inputs.

    Dimensions are numbers or symbols (strings); symbols of the graph inputs are kept, or replaced by numbers where `dims` names
    them. What was known of an inner tensor and cannot be inferred stays. Built on the ONNX package's inference with propagation
    of shape data; operators of com.microsoft are inferred through standard ones of the same shapes.
    Raises ModelError where shapes contradict each other.
    """
    if dims:
        for tensor in graph.inputs:
            if tensor.shape is not None:
                tensor.shape = [dims.get(d, d) if isinstance(d, str) else d for d in tensor.shape]
    model = _skeleton(graph, keep_known=not dims)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True, strict_mode=True)
    except (onnx.shape_inference.InferenceError, RuntimeError) as error:
        raise ModelError(f"shapes do not fit: {' '.join(str(error).split())}") from error
    tensors = {name: t for name, t in graph.tensors().items() if isinstance(t, gs.Variable)}
    for info in [*inferred.graph.value_info, *inferred.graph.output]:
        if info.name in tensors and not any(tensors[info.name] is t for t in graph.inputs):
            _fill(tensors[info.name], info, bool(dims))


def _fill(tensor: gs.Variable, info: onnx.ValueInfoProto, overwrite: bool) -> None:
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type"):
        return
    if kind.elem_type:
        tensor.dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    if not kind.HasField("shape"):
        return
    shape = [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in kind.shape.dim]
    known = tensor.shape
    if not overwrite and known is not None and len(known) == len(shape):
        shape = [old if new is None or (isinstance(new, str) and isinstance(old, (int, np.integer))) else new
                 for old, new in zip(known, shape, strict=True)]
    tensor.shape = shape


def _skeleton(graph: gs.Graph, keep_known: bool) -> onnx.ModelProto:
    """A model with the shapes of `graph`: large constants are graph inputs, operators of other domains are replaced."""
    bare = gs.Graph(nodes=[], inputs=[], outputs=[], opset=graph.opset, import_domains=graph.import_domains, ir_version=graph.ir_version)
    model = to_model(bare)
    model.ir_version = 13
    for tensor in graph.inputs:
        model.graph.input.append(_info(tensor))
    for tensor in graph.tensors().values():
        if isinstance(tensor, gs.Constant):
            if tensor.values.size > DETACH_ABOVE:
                model.graph.input.append(_info(tensor))
            else:
                prepare_constant(tensor)
                model.graph.initializer.append(OnnxExporter.export_tensor_proto(tensor))
    for tensor in graph.outputs:
        model.graph.output.append(_info(tensor, shape=keep_known))
    for node in graph.nodes:
        model.graph.node.extend(stand_in(node))
    return model


def _info(tensor: gs.Tensor, shape: bool = True) -> onnx.ValueInfoProto:
    if tensor.dtype is None:
        return onnx.helper.make_empty_tensor_value_info(tensor.name)
    dtype = dtype_to_onnx(tensor.dtype)
    return onnx.helper.make_tensor_value_info(tensor.name, dtype, tensor.shape if shape else None)
