"""Tensors inside an ONNX protobuf: finding them, checking their sizes before use, and turning them into arrays.

Everything here reads data that is hostile until checked.
"""

import math
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

MAX_DENSE_BYTES = 1 << 31
"""The largest dense form that a sparse tensor of a model may have, in bytes."""

_BITS: dict[int, int] = {TensorProto.INT4: 4, TensorProto.UINT4: 4}
_NUMERIC = {t for t in TensorProto.DataType.values() if t not in (TensorProto.UNDEFINED, TensorProto.STRING)}


def tensors_of_graph(graph: onnx.GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor in `graph` and its subgraphs, with words on where it is."""
    for tensor in graph.initializer:
        yield f"initializer {tensor.name!r}", tensor
    for sparse in graph.sparse_initializer:
        yield f"sparse initializer {sparse.values.name!r}", sparse.values
        yield f"indices of sparse initializer {sparse.values.name!r}", sparse.indices
    yield from tensors_of_nodes(graph.node)


def tensors_of_nodes(nodes) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor in the attributes of `nodes` and their subgraphs, with words on where it is."""
    for node in nodes:
        for attr in node.attribute:
            where = f"attribute {attr.name!r} of {node.op_type} {node.name!r}"
            for tensor in [attr.t] * attr.HasField("t") + list(attr.tensors):
                yield where, tensor
            for sparse in [attr.sparse_tensor] * attr.HasField("sparse_tensor"):
                yield where, sparse.values
                yield where, sparse.indices
            for graph in [attr.g] * attr.HasField("g") + list(attr.graphs):
                yield from tensors_of_graph(graph)


def tensors_of_model(model: onnx.ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor in `model`, with words on where it is."""
    yield from tensors_of_graph(model.graph)
    for function in model.functions:
        yield from tensors_of_nodes(function.node)


def element_count(tensor: TensorProto) -> int:
    """Product of the dimensions. ValueError on a negative one."""
    if any(d < 0 for d in tensor.dims):
        raise ValueError(f"negative dimension in shape {list(tensor.dims)}")
    return math.prod(tensor.dims)


def data_bytes(tensor: TensorProto) -> int:
    """Bytes of the tensor's raw form. ValueError for a data type that has none, or a bad shape."""
    if tensor.data_type not in _NUMERIC:
        raise ValueError(f"data type {tensor.data_type}, expected a numeric one")
    bits = _BITS.get(tensor.data_type) or 8 * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return (element_count(tensor) * bits + 7) // 8


def check_tensor(tensor: TensorProto) -> None:
    """ValueError unless the data of `tensor` is present and of the size that its shape and data type ask for."""
    if tensor.data_type == TensorProto.STRING:
        if len(tensor.string_data) != element_count(tensor):
            raise ValueError(f"{len(tensor.string_data)} strings, expected {element_count(tensor)} for shape {list(tensor.dims)}")
        return
    expected = data_bytes(tensor)
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != expected:
            raise ValueError(f"{len(tensor.raw_data)} bytes, expected {expected} for shape {list(tensor.dims)}")
        return
    field = getattr(tensor, onnx.helper.tensor_dtype_to_field(tensor.data_type))
    per_element = 2 if tensor.data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128) else 1
    count = element_count(tensor) * per_element
    if tensor.data_type in _BITS:
        count = expected
    if len(field) != count:
        raise ValueError(f"{len(field)} values, expected {count} for shape {list(tensor.dims)}")


def to_array(tensor: TensorProto) -> np.ndarray:
    """The tensor, already checked, as a read-only array."""
    array = np.asarray(numpy_helper.to_array(tensor))
    array.flags.writeable = False
    return array


def densify(sparse: onnx.SparseTensorProto) -> TensorProto:
    """The dense form of a sparse tensor (linear or coordinate indices). ValueError where it is malformed or too large."""
    name, dims = sparse.values.name, list(sparse.dims)
    count = element_count(TensorProto(dims=dims))
    itemsize = onnx.helper.tensor_dtype_to_np_dtype(sparse.values.data_type).itemsize
    if count * itemsize > MAX_DENSE_BYTES:
        raise ValueError(f"dense form of shape {dims} exceeds {MAX_DENSE_BYTES} bytes")
    check_tensor(sparse.values)
    check_tensor(sparse.indices)
    values, indices = to_array(sparse.values).reshape(-1), to_array(sparse.indices)
    if indices.ndim == 2:
        if indices.shape[1] != len(dims) or (indices < 0).any() or (indices >= np.array(dims)).any():
            raise ValueError(f"indices of shape {list(indices.shape)} do not address shape {dims}")
        indices = np.ravel_multi_index(tuple(indices.T), dims)
    if indices.shape != values.shape or (indices < 0).any() or (indices >= count).any():
        raise ValueError(f"{indices.shape} indices do not address {values.size} values in shape {dims}")
    dense = np.zeros(count, values.dtype)
    dense[indices] = values
    return numpy_helper.from_array(dense.reshape(dims), name)
