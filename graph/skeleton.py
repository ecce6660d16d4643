"""A model without its weights, so that tools which copy or serialise a whole model stay cheap and below 2 GB."""

import math

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
    listed = {value.name for value in model.graph.input}
    weights = {}
    for i in reversed(large):
        tensor = initializers[i]
        weights[tensor.name] = to_array(tensor)
        if tensor.name not in listed:
            model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        del initializers[i]
    return weights
