"""Networks of the layers of real ones (`shapes`), in which a layer reads what one before it wrote: as in real networks, what a core reads
was partly written by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .shapes import Layer

OPSET, IR_VERSION = 17, 8


def chain_model(layers: Sequence[Layer], seed: int = 0) -> onnx.ModelProto:
    """Every layer with a ReLU behind it. Its input is the latest output that has its shape; where there is none, an input of the model.
    The model's outputs are the means of what nothing reads."""
    rng = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    inputs: dict[str, tuple[int, ...]] = {}
    written: dict[tuple[int, ...], str] = {}
    outputs: dict[str, tuple[int, ...]] = {}
    for i, layer in enumerate(layers):
        shape, out = (1, layer.in_channels, *(layer.size,) * 2), (1, layer.out_channels, *(layer.out_size,) * 2)
        source = written.get(shape)
        if source is None:
            source = f"input{i}"
            inputs[source] = shape
        outputs.pop(source, None)
        weights.append(numpy_helper.from_array(rng.standard_normal(layer.weight_shape).astype(np.float32), f"weights{i}"))
        attributes: dict[str, Any] = {"strides": [layer.stride] * 2, "pads": [layer.pad] * 4, "group": layer.group}
        nodes.append(helper.make_node("Conv", [source, f"weights{i}"], [f"sums{i}"], name=f"conv{i}", **attributes))
        nodes.append(helper.make_node("Relu", [f"sums{i}"], [f"layer{i}"], name=f"relu{i}"))
        written[out] = f"layer{i}"
        outputs[f"layer{i}"] = out
    nodes += [helper.make_node("GlobalAveragePool", [name], [f"{name} mean"], name=f"{name} mean") for name in outputs]
    means = {f"{name} mean": (1, shape[1], 1, 1) for name, shape in outputs.items()}
    graph = helper.make_graph(nodes, "chain", _infos(inputs), _infos(means), weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _infos(shapes: Mapping[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
