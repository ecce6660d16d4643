"""Fills a report: sizes and costs from the graphs, noise from running both models on some calibration samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from ...graph import is_op, producer, to_model
from ...graph.packing import stored_bytes
from .calibration import Calibration
from .layers import Layer, as_layer, out_axis, per_output_row
from .metrics import power, ratio_db, sqnr_db
from .observe import Runner, Tick, activations
from .prune_math import sparsity_of
from .report import CompressionReport, LayerReport

SAMPLES = 32


def describe_layers(original: list[Layer]) -> list[LayerReport]:
    """Reports of the layers as they were."""
    return [
        LayerReport(
            layer.name, layer.node.op, list(layer.weight.shape), sparsity_before=sparsity_of(layer.weight),
            parameters_before=layer.weight.size, bytes_before=_bytes(layer.node), macs_before=layer.macs,
        )
        for layer in original
    ]  # fmt: skip


def measure_sizes(report: CompressionReport, original: Mapping[str, np.ndarray], graph: gs.Graph, origins: Mapping[str, str]) -> None:
    """Sizes, sparsity and multiplications of what the layers became. `original`: layer name -> weight; `origins`: node name -> layer."""
    parts: dict[str, list[gs.Node]] = {name: [] for name in original}
    for node in graph.nodes:
        name = origins.get(node.name, node.name)
        if name in parts:
            parts[name].append(node)
    for layer in report.layers:
        nodes = parts[layer.name]
        views = [_dequantised(node) for node in nodes]
        layer.bytes_after = sum(_bytes(node, graph.opset) for node in nodes)
        layer.parameters = sum(view.weight.size for view in views)
        nonzero = [int(np.count_nonzero(view.weight)) for view in views]
        layer.sparsity = 1 - sum(nonzero) / max(layer.parameters, 1)
        macs = [view.macs for view in views]
        known = [m for m in macs if m is not None]
        if len(known) == len(macs):
            layer.macs = sum(known)
            layer.macs_nonzero = sum(m * n // max(view.weight.size, 1) for m, n, view in zip(known, nonzero, views, strict=True))
        if len(views) == 1:
            layer.weight_sqnr_db = sqnr_db(original[layer.name], views[0].weight)


def measure_noise(
    report: CompressionReport, original: onnx.ModelProto, graph: gs.Graph, data: Calibration, runner: Runner, tick: Tick | None = None,
    gains: Mapping[str, np.ndarray] | None = None,
) -> None:  # fmt: skip
    """SQNR of every layer's output and of the graph outputs over the first SAMPLES samples. gains: layer name -> by what the channels
    (axis 1) of its output were scaled."""
    changed = to_model(graph)
    before, after = _outputs(original), _outputs(changed)
    pairs = {layer.name: (before[layer.name], after[layer.name]) for layer in report.layers}
    results = [output.name for output in original.graph.output]
    left = [*(pair[0] for pair in pairs.values()), *results]
    right = [*(pair[1] for pair in pairs.values()), *results]
    noise, signal = np.zeros(len(left)), np.zeros(len(left))
    varying: set[str] = set()
    sample: dict[str, np.ndarray] = {}
    scales = [*((gains or {}).get(name) for name in pairs), *(None for _ in results)]
    first = activations(original, left, data, runner, SAMPLES, tick)
    second = activations(changed, right, data, runner, SAMPLES)
    for exact, approximate in zip(first, second, strict=True):
        report.samples_measured += next(iter(exact.values())).shape[0]
        for i, (a, b) in enumerate(zip(left, right, strict=True)):
            wanted = _times(exact[a], scales[i])
            signal[i] += power(wanted)
            noise[i] += power(wanted - approximate[b])
        varying.update(name for name in results if (exact[name] != sample.setdefault(name, exact[name][:1])).any())
    values = [ratio_db(s, n) for s, n in zip(signal, noise, strict=True)]
    for layer, value in zip(report.layers, values, strict=False):
        layer.output_sqnr_db = value
    if report.samples_measured > 1:
        constant = (name for name in results if name not in varying)
        report.warnings += [f"calibration: output '{name}' of the original model is the same for every sample" for name in constant]
    report.outputs = dict(zip(results, values[len(report.layers) :], strict=True))


def _times(values: np.ndarray, gain: np.ndarray | None) -> np.ndarray:
    return values if gain is None else values * gain.astype(np.float32).reshape((-1,) + (1,) * (values.ndim - 2))


def _outputs(model: onnx.ModelProto) -> dict[str, str]:
    return {node.name: node.output[0] for node in model.graph.node}


def _stored(tensor: gs.Tensor) -> list[gs.Constant]:
    """The constants that hold a weight or bias: itself, or what a DequantizeLinear reads."""
    maker = producer(tensor)
    found = maker.inputs if maker is not None and is_op(maker, "DequantizeLinear") else [tensor]
    return [item for item in found if isinstance(item, gs.Constant)]


def _bytes(node: gs.Node, opset: int = 0) -> int:
    return sum(stored_bytes(constant.values, opset) for tensor in node.inputs[1:] for constant in _stored(tensor))


def _dequantised(node: gs.Node) -> Layer:
    """The layer as it computes, with its weights in f32."""
    layer = as_layer(node)
    if isinstance(layer, Layer):
        return layer
    values, scale = (constant.values for constant in _stored(node.inputs[1])[:2])
    rows = values if out_axis(node) == 0 else values.T
    return Layer(node, rows * per_output_row(scale, rows), None, node.attrs.get("group", 1) if node.op == "Conv" else 1)
