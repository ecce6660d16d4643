"""New weights and biases for a layer, as a patch."""

from __future__ import annotations

import numpy as np

from ..patch import Patch
from .layers import Layer


def set_parameters(layer: Layer, weight: np.ndarray, bias: np.ndarray | None = None) -> Patch:
    """A patch by which `layer` has `weight` [out, in / group, *kernel] and, where it is given, `bias` [out], which a MatMul cannot have."""
    node, patch = layer.node, Patch(layer.node)
    patch.set_input(node, 1, patch.const(layer.stored(weight), node.inputs[1]))
    if bias is not None:
        patch.set_input(node, 2, patch.const(bias, node.inputs[2] if len(node.inputs) > 2 else f"{node.name}_bias"))
        if "beta" in node.attrs:
            patch.set_attr(node, "beta", None)
    return patch
