"""The maths of scaling and shifting the output or the input channels of a layer with constant weights.

Layers are Conv, ConvTranspose and Gemm; weights are in ONNX's layout. All arithmetic is in double precision, rounded once.
"""

from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, is_op, operand, producer
from ..patch import Patch

LAYERS = ("Conv", "ConvTranspose", "Gemm")


@dataclass(frozen=True)
class Affine:
    """y = scale·x + shift, per channel (axis 1): float64[C] each."""

    scale: np.ndarray
    shift: np.ndarray


def batch_norm_affine(node: gs.Node) -> Affine | str:
    """What a BatchNormalization computes: scale = γ / sqrt(var + ε), shift = β − μ·scale. Or why it is not that."""
    if node.attrs.get("training_mode", 0):
        return "training mode"
    values = [constant(tensor) for tensor in node.inputs[1:5]]
    if any(v is None for v in values):
        return "its parameters are not constant"
    gamma, beta, mean, variance = (np.asarray(v, np.float64) for v in values)
    if not (variance + node.attrs.get("epsilon", 1e-5) > 0).all():
        return "its variance is not positive"
    scale = gamma / np.sqrt(variance + node.attrs.get("epsilon", 1e-5))
    return Affine(scale, beta - mean * scale)


def fixed_layer(tensor: gs.Tensor, view: View) -> gs.Node | str:
    """The layer that makes `tensor`, if its weights and bias may be changed to change `tensor`; or why not."""
    node = producer(tensor)
    if not is_op(node, *LAYERS):
        return "its input is not made by Conv, ConvTranspose or Gemm"
    if view.sole_consumer(tensor) is None:
        return f"the output of {node.name} has other users"
    if constant(node.inputs[1]) is None:
        return f"the weights of {node.name} are not constant"
    if operand(node, 2) is not None and constant(node.inputs[2]) is None:
        return f"the bias of {node.name} is not constant"
    if node.op == "Gemm" and _bias_differs_between_rows(node):
        return f"the bias of {node.name} differs between rows"
    if node.inputs[1].values.dtype.kind != "f":
        return f"the weights of {node.name} are not floating-point"
    return node


def _bias_differs_between_rows(gemm: gs.Node) -> bool:
    bias = constant(operand(gemm, 2))
    return bias is not None and bias.ndim == 2 and bias.shape[0] != 1


def output_channels(node: gs.Node) -> int:
    shape = node.inputs[1].shape
    if node.op == "Conv":
        return shape[0]
    if node.op == "ConvTranspose":
        return shape[1] * node.attrs.get("group", 1)
    return shape[0] if node.attrs.get("transB", 0) else shape[1]


def scale_outputs(node: gs.Node, affine: Affine) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a layer that computes scale·layer(x) + shift. A Gemm's beta is in the new bias."""
    weights = constant(node.inputs[1])
    assert weights is not None
    bias = constant(operand(node, 2))
    factor = node.attrs.get("beta", 1.0) if node.op == "Gemm" else 1.0
    old = np.zeros(1) if bias is None else np.asarray(bias, np.float64).reshape(-1) * factor
    scaled = weights * _along_outputs(node, affine.scale)
    return scaled.astype(weights.dtype), (old * affine.scale + affine.shift).astype(weights.dtype)


def _along_outputs(node: gs.Node, scale: np.ndarray) -> np.ndarray:
    """`scale` in a shape that broadcasts to the weights of `node`."""
    weights = node.inputs[1].values
    if node.op == "Conv":
        return scale.reshape(-1, *[1] * (weights.ndim - 1))
    if node.op == "Gemm":
        return scale[:, None] if node.attrs.get("transB", 0) else scale[None, :]
    group = node.attrs.get("group", 1)
    per_group = scale.reshape(group, 1, -1)
    inputs = weights.shape[0] // group
    return np.broadcast_to(per_group, (group, inputs, per_group.shape[2])).reshape(weights.shape[0], -1, *[1] * (weights.ndim - 2))


def replace_layer(node: gs.Node, affine: Affine, output: gs.Tensor, patch: Patch) -> None:
    """Writes to `patch`: a layer that computes scale·node(x) + shift takes the place of `output`."""
    weights, bias = scale_outputs(node, affine)
    names = node.inputs[1], operand(node, 2) or f"{node.name}.bias"
    attrs = {name: value for name, value in node.attrs.items() if name != "beta"}
    inputs = [node.inputs[0], patch.const(weights, names[0]), patch.const(bias, names[1])]
    patch.replace(output, patch.node(node.op, inputs, attrs, name=node.name))


def scale_conv_inputs(node: gs.Node, affine: Affine) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias of a Conv that computes conv(scale·x + shift), padding apart."""
    weights = constant(node.inputs[1])
    assert weights is not None
    group = node.attrs.get("group", 1)
    wide = np.asarray(weights, np.float64)
    per_output = np.repeat(np.arange(group), wide.shape[0] // group)
    scale, shift = (part.reshape(group, -1)[per_output] for part in (affine.scale, affine.shift))
    spatial = (1,) * (wide.ndim - 2)
    bias = constant(operand(node, 2))
    added = (wide * shift.reshape(*shift.shape, *spatial)).sum(axis=tuple(range(1, wide.ndim)))
    new_bias = added if bias is None else added + bias
    return (wide * scale.reshape(*scale.shape, *spatial)).astype(weights.dtype), new_bias.astype(weights.dtype)
