"""What honed claims to run, said of a model before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from .program import DTYPE_NAMES
from .supported import supported_operators

Constants = Mapping[str, np.ndarray]


def _infers(node: onnx.NodeProto, constants: Constants) -> bool:
    training = next((attr.i for attr in node.attribute if attr.name == "training_mode"), 0)
    return not training and len(node.output) == 1


def _keeps(node: onnx.NodeProto, constants: Constants) -> bool:
    name = node.input[2] if len(node.input) > 2 else ""
    return not name or (name in constants and not constants[name].any())


RESTRICTIONS: dict[str, tuple[str, Callable[[onnx.NodeProto, Constants], bool]]] = {
    "BatchNormalization": ("outside of training: one output, no training_mode", _infers),
    "Dropout": ("outside of training: training_mode left out, or a constant that is false", _keeps),
}
"""Operator -> how far it is claimed, and whether a node is within that."""


def unclaimed(model: onnx.ModelProto) -> list[str]:
    """What in the model is beyond what honed claims, one line each: operators, and element types of inputs and outputs.

    Weights, scales, shapes and axes are taken for constants that are known in time.
    """
    graph, claimed = model.graph, {name for names in supported_operators().values() for name in names}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    problems = []
    for node in graph.node:
        key = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}"
        text, holds = RESTRICTIONS.get(key, ("", lambda node, constants: True))
        if key not in claimed:
            problems.append(f"no operator runs {key}")
        elif not holds(node, constants):
            problems.append(f"{node.name or '(unnamed)'}: {key} runs {text}")
    types = {onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for dtype in DTYPE_NAMES if np.dtype(dtype) != np.uint16}
    others = [value.name for value in (*graph.input, *graph.output) if value.type.tensor_type.elem_type not in types]
    return problems + [f"elements of {name} are of a type that honed lacks" for name in others]
