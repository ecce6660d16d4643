"""Small networks for the tests of compression, and a runner: ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime as ort
from honed.graph import load
from honed.passes import clean
from onnx import TensorProto, helper, numpy_helper


def run_ort(model, optimise=False):
    """An ONNX Runtime session; by default without its rewriting, so that it computes what the file says, node by node."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Builder:
    """Nodes and weights of a model with f32 input x and output y."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def const(self, name, values):
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weight(self, name, shape):
        fan_in = int(np.prod(shape[1:])) or 1
        return self.const(name, (self.rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32))

    def node(self, op, inputs, name, outputs=None, **attrs):
        outputs = outputs or [f"{name}_out"]
        self.nodes.append(helper.make_node(op, inputs, outputs, name, **attrs))
        return outputs[0]

    def conv(self, x, name, out, channels, kernel=3, bias=True, **attrs):
        group = attrs.get("group", 1)
        inputs = [x, self.weight(f"{name}_w", (out, channels // group, kernel, kernel))]
        if bias:
            inputs.append(self.const(f"{name}_b", (0.3 * self.rng.standard_normal(out)).astype(np.float32)))
        return self.node("Conv", inputs, name, **attrs)

    def gemm(self, x, name, out, channels, bias=True, trans=1):
        inputs = [x, self.weight(f"{name}_w", (out, channels) if trans else (channels, out))]
        if bias:
            inputs.append(self.const(f"{name}_b", self.rng.standard_normal(out).astype(np.float32)))
        return self.node("Gemm", inputs, name, transB=trans)

    def model(self, x_shape, y, opset=17, more_outputs=()):
        def value(name, shape=None):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        outputs = [onnx.ValueInfoProto(name=name) for name in (y, *more_outputs)]
        for output in outputs:
            output.type.tensor_type.elem_type = TensorProto.FLOAT
        graph = helper.make_graph(self.nodes, "g", [value("x", x_shape)], outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        inferred = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(inferred)
        return inferred


def residual_net(batch="n", size=10, opset=17):
    """Stem, depthwise, a residual block with two 3x3 and a 1x1 convolution, pooling, a Gemm."""
    b = Builder()
    x = b.node("Relu", [b.conv("x", "stem", 8, 3, pads=[1] * 4)], "relu0")
    d = b.node("Relu", [b.conv(x, "dw", 8, 8, group=8, pads=[1] * 4)], "relu1")
    m = b.node("Relu", [b.conv(d, "conv1", 16, 8, pads=[1] * 4)], "relu2")
    a = b.conv(m, "conv2", 8, 16, pads=[1] * 4)
    s = b.conv(x, "shortcut", 8, 8, kernel=1)
    r = b.node("Relu", [b.node("Add", [a, s], "add")], "relu3")
    p = b.node("MaxPool", [r], "pool", kernel_shape=[2, 2], strides=[2, 2])
    g = b.node("GlobalAveragePool", [p], "gap")
    f = b.node("Flatten", [g], "flat")
    y = b.gemm(f, "fc", 10, 8)
    return b.model([batch, 3, size, size], y, opset)


def cleaned(model):
    graph = load(model)
    clean(graph)
    return graph


def samples(count=32, shape=(3, 10, 10), seed=1):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)
