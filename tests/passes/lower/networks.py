"""Builds small ONNX models node by node, and compares what lowering makes of them with ONNX Runtime."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime as ort
from honed.passes.lower import Program, lower
from onnx import helper, numpy_helper

from tests.passes.lower.interpret import interpret

RNG = np.random.default_rng


class Net:
    """A model under construction; tensors are their names."""

    def __init__(self, opset: int = 17) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.constants: list[onnx.TensorProto] = []

    def input(self, name: str, shape: Sequence[int | str], dtype: type = np.float32) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape)))
        return name

    def const(self, array: object, dtype: type | None = None) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def node(self, op: str, *inputs: str, name: str | None = None, domain: str = "", outputs: int = 1, **attrs) -> str:
        """Returns the first output; with `outputs` > 1 the others are called like it, with a suffix."""
        name = name or f"{op.lower()}{len(self.nodes)}"
        names = [name] + [f"{name}.{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=name, domain=domain, **attrs))
        return name

    def quantize(self, x: str, scale: float, zero_point: int, dtype: type = np.uint8, name: str | None = None) -> str:
        return self.node("QuantizeLinear", x, self.const(scale, np.float32), self.const(zero_point, dtype), name=name)

    def dequantize(self, x: str, scale: object, zero_point: object, dtype: type = np.uint8, **attrs) -> str:
        return self.node("DequantizeLinear", x, self.const(scale, np.float32), self.const(zero_point, dtype), **attrs)

    def round_trip(self, x: str, scale: float, zero_point: int, dtype: type = np.uint8) -> str:
        return self.dequantize(self.quantize(x, scale, zero_point, dtype), scale, zero_point, dtype)

    def on_planes(self, x: str) -> str:
        """An operator of equal shape that works on planes."""
        return self.node("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def model(self, *outputs: str, dtype: type | None = None, rank: int = 4) -> onnx.ModelProto:
        """dtype and rank of the outputs, where ONNX's inference cannot tell."""
        kind = onnx.TensorProto.UNDEFINED if dtype is None else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        ends = [onnx.ValueInfoProto(name=n) if dtype is None else helper.make_tensor_value_info(n, kind, [None] * rank) for n in outputs]
        graph = helper.make_graph(self.nodes, "net", self.inputs, ends, self.constants)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        if dtype is None:
            model.graph.output.clear()
            model.graph.output.extend(onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets)).graph.output)
        return model


def reference(model: onnx.ModelProto, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """ONNX Runtime, node by node as the model says."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feed)


def run(model: onnx.ModelProto, feed: dict[str, np.ndarray], strict: bool = False) -> tuple[Program, list[np.ndarray]]:
    program = lower(model, strict=strict)
    program.validate()
    values = interpret(program, feed)
    return program, [values[v.name] for v in program.outputs]


def check(model: onnx.ModelProto, feed: dict[str, np.ndarray], atol: float = 1e-5, rtol: float = 1e-5) -> Program:
    """All outputs as in ONNX Runtime: integers exactly, floats to `atol` and `rtol`. Returns the program."""
    program, outputs = run(model, feed)
    for value, y, expected in zip(program.outputs, outputs, reference(model, feed), strict=True):
        assert y.shape == expected.shape, value
        assert y.dtype == expected.dtype, value
        if np.issubdtype(y.dtype, np.floating):
            np.testing.assert_allclose(y, expected, atol=atol, rtol=rtol, err_msg=value.name)
        else:
            np.testing.assert_array_equal(y, expected, err_msg=value.name)
    return program


def types(program: Program) -> list[str]:
    return [op.type for op in program.ops]


def normal(shape: Sequence[int], seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.asarray(RNG(seed).standard_normal(shape) * scale, np.float32)
