"""Normalisations."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import Weights
from ..reasons import Unsupported, require
from ..translate import Translator, handles


def _f32(t: Translator, node: gs.Node, index: int, what: str) -> np.ndarray:
    return t.require_const(node, index, what).astype(np.float32)


@handles("BatchNormalization")
def batch_norm(t: Translator, node: gs.Node) -> None:
    """A depthwise 1x1 convolution where the input is 4-D, so that activations and residuals fuse into it."""
    require(len(node.outputs) == 1, "training mode")
    epsilon = float(node.attrs.get("epsilon", 1e-5))
    scale, bias, mean, variance = (_f32(t, node, i, what) for i, what in enumerate(("scale", "bias", "mean", "variance"), 1))
    x = t.value(node.inputs[0])
    if t.rank(node.inputs[0]) != 4:
        t.emit("batch_norm", [x], node.outputs[0], {"epsilon": epsilon}, [scale, bias, mean, variance])
        return
    factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    weights = Weights(factor.astype(np.float32).reshape(-1, 1, 1, 1), (bias - mean * factor).astype(np.float32))
    attrs = {"in_channels": scale.size, "out_channels": scale.size, "group": scale.size, "kernel_h": 1, "kernel_w": 1}
    t.emit("conv", [x], node.outputs[0], attrs, weights=weights)


@handles("LayerNormalization")
def layer_norm(t: Translator, node: gs.Node) -> None:
    consts = [_f32(t, node, 1, "the scale")] + ([_f32(t, node, 2, "the bias")] if t.input(node, 2) is not None else [])
    attrs = {"axis": int(node.attrs.get("axis", -1)), "epsilon": float(node.attrs.get("epsilon", 1e-5))}
    x, name, outputs = t.value(node.inputs[0]), node.outputs[0].name, [y for y in node.outputs if t.is_used(y)]
    if outputs == node.outputs[:1]:
        t.emit("layer_norm", [x], node.outputs[0], attrs, consts)
        return
    shapes = [t.shape(y) for y in node.outputs] + [None] * (3 - len(node.outputs))
    values = [t.draft.value(f"{name}{part}", "f32", shape) for part, shape in zip(("", "/mean", "/deviation"), shapes, strict=True)]
    t.emit_many("layer_norm", [x], values, attrs, consts)
    for output, value in zip(node.outputs, values, strict=False):
        t.bind(output, value)


@handles("InstanceNormalization", "GroupNormalization")
def group_norm(t: Translator, node: gs.Node) -> None:
    scale, bias = _f32(t, node, 1, "the scale"), _f32(t, node, 2, "the bias")
    groups = int(node.attrs.get("num_groups", 0))
    channels = node.inputs[0].shape[1] if node.inputs[0].shape else None
    if groups and scale.size == groups != channels:
        if not isinstance(channels, int):
            raise Unsupported("the number of channels is unknown")
        scale, bias = np.repeat(scale, channels // groups), np.repeat(bias, channels // groups)
    attrs = {"num_groups": groups, "epsilon": float(node.attrs.get("epsilon", 1e-5))}
    t.emit("group_norm", [t.value(node.inputs[0])], node.outputs[0], attrs, [scale, bias])


@handles("LRN")
def lrn(t: Translator, node: gs.Node) -> None:
    attrs = {name: float(node.attrs.get(name, default)) for name, default in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))}
    t.emit("lrn", [t.value(node.inputs[0])], node.outputs[0], {"size": int(node.attrs["size"]), **attrs})


@handles("Softmax", "LogSoftmax")
def softmax(t: Translator, node: gs.Node) -> None:
    op_type = "softmax" if node.op == "Softmax" else "log_softmax"
    t.emit(op_type, [t.value(node.inputs[0])], node.outputs[0], {"axis": int(node.attrs.get("axis", -1))})
