"""A model without its weights, so that tools which copy or serialise a whole model stay cheap and below 2 GB."""

import math
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto

from .tensors import to_array

DETACH_ABOVE = 1024
"""Initialisers with more elements than this are weights; smaller ones (shapes, axes, scales) stay, for tools read their values."""


def detach_weights(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Turns the large initialisers of `model`, already checked, into graph inputs of the same name, and returns their values by name.

    The model stays valid ONNX.
    """
    initializers = model.graph.initializer
    large = [i for i, t in enumerate(initializers) if math.prod(t.dims) > DETACH_ABOVE and t.data_type != TensorProto.STRING]
    declare_weights(model.graph, [initializers[i] for i in large])
    weights = {}
    for i in reversed(large):
        weights[initializers[i].name] = to_array(initializers[i])
        del initializers[i]
    return weights


def declare_weights(graph: onnx.GraphProto, weights: Sequence[TensorProto]) -> None:
    """Adds graph inputs of the names, types and shapes of `weights`, where there are none."""
    listed = {value.name for value in graph.input}
    for tensor in weights:
        if tensor.name not in listed:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
            listed.add(tensor.name)
