"""In which numbers a model computes: stated beside every timing."""

from collections import Counter
from pathlib import Path

import onnx

INTEGER_OPERATORS = {"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}
FLOAT_OPERATORS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def model_precision(path: Path) -> str:
    """The precision of an .onnx or .honed file."""
    return onnx_precision(path)


def onnx_precision(path: Path) -> str:
    """"int8" where every convolution and matrix product of the file is quantised, "fp32" where none is, else for example
    "int8 20 of 21". An operator is quantised if it works on integers or all its data comes from DequantizeLinear."""
    graph = onnx.load(path, load_external_data=False).graph
    producers = {name: node.op_type for node in graph.node for name in node.output}
    kinds = Counter[bool]()
    for node in graph.node:
        if node.op_type in INTEGER_OPERATORS:
            kinds[True] += 1
        elif node.op_type in FLOAT_OPERATORS:
            kinds[all(producers.get(name) == "DequantizeLinear" for name in node.input[:2])] += 1
    return describe(kinds[True], kinds[True] + kinds[False])


def describe(quantised: int, total: int) -> str:
    """Of `total` operators with weights, `quantised` compute in int8."""
    if quantised == 0:
        return "fp32"
    return "int8" if quantised == total else f"int8 {quantised} of {total}"
