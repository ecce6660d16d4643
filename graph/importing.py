"""Brings a parsed ONNX model into the one form that the rest works on: checked, without functions and Constant nodes, opset 13 or later."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.message import Message  # type: ignore[import-untyped]
from onnx import TensorProto, checker, helper, inliner, numpy_helper, version_converter

from .errors import ModelError
from .parsing import Weight
from .skeleton import declare_weights, detach_weights
from .tensors import check_tensor, densify, tensors_of_model, to_array

MIN_OPSET = 13
"""The lowest opset of ONNX's own domain that graphs have after loading."""


def normalise(model: onnx.ModelProto, parsed: Sequence[Weight] = ()) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """Checks `model` (which it may change) and returns its normal form, without its weights (see skeleton.py), and these.

    parsed: weights that were taken out of it already.

    Raises ModelError.
    """
    _check_versions(model)
    _check_tensors(model)
    _check_interface(model.graph)
    weights = _by_name(parsed)
    _drop_repeated_initializers(model.graph, weights)
    _densify_initializers(model.graph)
    declare_weights(model.graph, [weight.tensor for weight in parsed])
    weights |= detach_weights(model)
    _check_text(model)
    if model.functions:
        model = _call("inlining its functions", inliner.inline_local_functions, model)
    _lift_constants(model.graph)
    if opset_of(model) < MIN_OPSET:
        model = _upgrade(model)
        _lift_constants(model.graph)
    _call("the checks of the ONNX package", checker.check_model, model)
    return model, weights


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operator set that `model` imports; ModelError if it imports none."""
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            return entry.version
    raise ModelError("imports no version of the ONNX operator set")


def _check_text(message: Message) -> None:
    """UnicodeDecodeError where a string inside `message` is not UTF-8: protobuf checks that, if at all, when one is read."""
    for field, value in message.ListFields():
        for item in value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else [value]:
            if isinstance(item, Message):
                _check_text(item)
            elif field.type == FieldDescriptor.TYPE_STRING and isinstance(item, bytes):
                item.decode()


def _check_versions(model: onnx.ModelProto) -> None:
    newest = onnx.defs.onnx_opset_version()
    if not 1 <= model.ir_version <= onnx.IR_VERSION:
        raise ModelError(f"IR version {model.ir_version}, expected 1 to {onnx.IR_VERSION}")
    if not 1 <= opset_of(model) <= newest:
        raise ModelError(f"opset {opset_of(model)}, expected 1 to {newest}")


def _check_interface(graph: onnx.GraphProto) -> None:
    for what, values in (("input", graph.input), ("output", graph.output)):
        for value in values:
            if not value.type.HasField("tensor_type") and value.type.WhichOneof("value") is not None:
                raise ModelError(f"graph {what} {value.name!r} is a {value.type.WhichOneof('value')}, expected a tensor")


def _check_tensors(model: onnx.ModelProto) -> None:
    problems = []
    for where, tensor in tensors_of_model(model):
        try:
            check_tensor(tensor)
        except (ValueError, KeyError, TypeError) as error:
            problems.append(f"{where}: {error}")
    if problems:
        raise ModelError("damaged tensors: " + "; ".join(problems))


def _by_name(weights: Sequence[Weight]) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = {}
    for tensor, values in weights:
        if not _same(result.setdefault(tensor.name, values), values):
            raise ModelError(_TWICE.format(tensor.name))
    return result


_TWICE = "two initialisers named {!r} with different values"


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have the same bits."""
    return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())


def _drop_repeated_initializers(graph: onnx.GraphProto, weights: Mapping[str, np.ndarray]) -> None:
    """weights: initialisers that are not among those of `graph` any more."""
    first: dict[str, TensorProto] = {}
    for tensor in graph.initializer:
        if tensor.name in weights:
            if not _same(to_array(tensor), weights[tensor.name]):
                raise ModelError(_TWICE.format(tensor.name))
            continue
        known = first.setdefault(tensor.name, tensor)
        if known is not tensor and known != tensor:
            raise ModelError(_TWICE.format(tensor.name))
    if len(first) < len(graph.initializer):
        unique = [numpy_helper.from_array(numpy_helper.to_array(t), n) for n, t in first.items()]
        del graph.initializer[:]
        graph.initializer.extend(unique)


def _densify_initializers(graph: onnx.GraphProto) -> None:
    for sparse in graph.sparse_initializer:
        try:
            graph.initializer.append(densify(sparse))
        except ValueError as error:
            raise ModelError(f"sparse initialiser {sparse.values.name!r}: {error}") from error
    del graph.sparse_initializer[:]


def _lift_constants(graph: onnx.GraphProto) -> None:
    """Turns the Constant nodes of `graph` (not of its subgraphs) into initialisers."""
    nodes = []
    for node in graph.node:
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
            graph.initializer.append(_constant_tensor(node))
        else:
            nodes.append(node)
    if len(nodes) < len(graph.node):
        kept = [_copy_node(node) for node in nodes]
        del graph.node[:]
        graph.node.extend(kept)


def _copy_node(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _constant_tensor(node: onnx.NodeProto) -> TensorProto:
    if len(node.attribute) != 1 or len(node.output) != 1:
        raise ModelError(f"Constant {node.name!r}: {len(node.attribute)} attributes and {len(node.output)} outputs, expected one of each")
    attr, name = node.attribute[0], node.output[0]
    kinds = {"value_float": TensorProto.FLOAT, "value_floats": TensorProto.FLOAT, "value_int": TensorProto.INT64,
             "value_ints": TensorProto.INT64, "value_string": TensorProto.STRING, "value_strings": TensorProto.STRING}
    if attr.name == "value":
        tensor = TensorProto()
        tensor.CopyFrom(attr.t)
        tensor.name = name
        return tensor
    if attr.name == "sparse_value":
        try:
            tensor = densify(attr.sparse_tensor)
        except ValueError as error:
            raise ModelError(f"Constant {node.name!r}: {error}") from error
        tensor.name = name
        return tensor
    if attr.name not in kinds:
        raise ModelError(f"Constant {node.name!r}: unknown attribute {attr.name!r}")
    value = helper.get_attribute_value(attr)
    dims = [len(value)] if attr.name.endswith("s") else []
    return helper.make_tensor(name, kinds[attr.name], dims, value if dims else [value])


def _upgrade(model: onnx.ModelProto) -> onnx.ModelProto:
    opset = opset_of(model)
    return _call(f"converting it from opset {opset} to {MIN_OPSET}", version_converter.convert_version, model, MIN_OPSET)


def _call(what: str, function, *args):
    """Calls into the ONNX package, whose native code raises RuntimeError and others, and turns what it raises into a ModelError."""
    try:
        return function(*args)
    except (RuntimeError, ValueError, TypeError, checker.ValidationError, version_converter.ConvertError) as error:
        raise ModelError(f"{what} failed: {' '.join(str(error).split())}") from error
