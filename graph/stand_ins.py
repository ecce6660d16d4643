"""Standard operators that have the output shapes and types of operators outside the ONNX domain, for shape inference only."""

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx import helper
from onnx_graphsurgeon.exporters.onnx_exporter import OnnxExporter

from .view import ONNX_DOMAINS

_POOL = ("auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides")
_CONV = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")

# com.microsoft operator -> (standard operator, positions of its inputs, attributes that it keeps)
_SAME: dict[str, tuple[str, tuple[int, ...], tuple[str, ...]]] = {
    "QLinearAdd": ("Add", (0, 3), ()),
    "QLinearMul": ("Mul", (0, 3), ()),
    "QLinearLeakyRelu": ("Identity", (0,), ()),
    "QLinearSigmoid": ("Identity", (0,), ()),
    "QLinearSoftmax": ("Identity", (0,), ()),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,), ()),
    "QLinearAveragePool": ("AveragePool", (0,), _POOL),
    "QLinearReduceMean": ("ReduceMean", (0,), ("axes", "keepdims")),
    "FusedConv": ("Conv", (0, 1, 2), _CONV),
    "FusedGemm": ("Gemm", (0, 1, 2), ("transA", "transB")),
    "Gelu": ("Identity", (0,), ()),
    "QuickGelu": ("Identity", (0,), ()),
    "BiasGelu": ("Add", (0, 1), ()),
    "QuantizeLinear": ("QuantizeLinear", (0, 1, 2), ("axis",)),
    "DequantizeLinear": ("DequantizeLinear", (0, 1, 2), ("axis",)),
}


def stand_in(node: gs.Node) -> list[onnx.NodeProto]:
    """What takes the place of `node`: the node itself where it is ONNX's own, or where nothing is known of it."""
    if node.domain in ONNX_DOMAINS or node.domain != "com.microsoft":
        return [OnnxExporter.export_node(node)]
    if node.op in _SAME and not node.attrs.get("channels_last", 0):
        op, inputs, attrs = _SAME[node.op]
        names = [node.inputs[i].name for i in inputs if i < len(node.inputs)]
        kept = {name: node.attrs[name] for name in attrs if name in node.attrs}
        return [helper.make_node(op, names, [t.name for t in node.outputs], **kept)]
    if node.op == "QGemm":
        return _gemm(node)
    if node.op == "QLinearConcat":
        return [helper.make_node("Concat", [t.name for t in node.inputs[2::3]], [node.outputs[0].name], axis=node.attrs["axis"])]
    return [OnnxExporter.export_node(node)]


def _gemm(node: gs.Node) -> list[onnx.NodeProto]:
    """QGemm(a, a_scale, a_zero_point, b, ..., [y_scale, y_zero_point]): quantised output with the last two, float without."""
    quantised = len(node.inputs) > 8 and not node.inputs[8].is_empty()
    dtype = np.dtype(node.inputs[8].dtype) if quantised and node.inputs[8].dtype is not None else np.dtype(np.float32)
    out, product = node.outputs[0].name, node.outputs[0].name + "/product"
    attrs = {name: node.attrs[name] for name in ("transA", "transB") if name in node.attrs}
    return [
        helper.make_node("Gemm", [node.inputs[0].name, node.inputs[3].name], [product], **attrs),
        helper.make_node("Cast", [product], [out], to=helper.np_dtype_to_tensor_dtype(dtype)),
    ]
