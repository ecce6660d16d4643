"""A model without its weights, so that tools which copy or serialise a whole model stay cheap and below 2 GB."""

import onnx
from onnx import TensorProto

DETACH_ABOVE = 1024
"""Initialisers with more elements than this are weights; smaller ones (shapes, axes, scales) stay, for tools read their values."""


def detach_weights(model: onnx.ModelProto) -> dict[str, TensorProto]:
    """Turns the large initialisers of `model` into graph inputs of the same name, and returns them by name.

    The model stays valid ONNX. attach_weights() is the inverse.
    """
    weights, kept = {}, []
    for tensor in model.graph.initializer:
        count = 1
        for d in tensor.dims:
            count *= d
        if count > DETACH_ABOVE and tensor.data_type != TensorProto.STRING:
            weights[tensor.name] = tensor
        else:
            kept.append(tensor)
    if not weights:
        return {}
    weights = {name: _copy(tensor) for name, tensor in weights.items()}
    kept = [_copy(tensor) for tensor in kept]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    listed = {value.name for value in model.graph.input}
    for name, tensor in weights.items():
        if name not in listed:
            model.graph.input.append(onnx.helper.make_tensor_value_info(name, tensor.data_type, tensor.dims))
    return weights


def attach_weights(model: onnx.ModelProto, weights: dict[str, TensorProto]) -> None:
    """Puts the weights that detach_weights() took out of a model back into it, or into what was made from it."""
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.graph.initializer.extend(weights.values())


def _copy(tensor: TensorProto) -> TensorProto:
    copy = TensorProto()
    copy.CopyFrom(tensor)
    return copy
