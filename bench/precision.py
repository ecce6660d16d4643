"""In which numbers an engine computes a model: stated beside every timing."""

from collections import Counter
from pathlib import Path

import onnx

from ..inspection import describe_precision, inspect

INTEGER_OPERATORS = {"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}
FLOAT_OPERATORS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}


def precision(engine: str, model: Path) -> str:
    """ "fp32", "int8", or for example "int8 20 of 21": how many convolutions and matrix products compute in int8.

    Of honed: what it really runs. Of another engine: what the file asks for.
    """
    return inspect(model).totals.precision if engine == "honed" else onnx_precision(model)


def onnx_precision(model: Path) -> str:
    """By the graph: an operator is quantised if it works on integers or all its data comes from DequantizeLinear."""
    graph = onnx.load(model, load_external_data=False).graph
    producers = {name: node.op_type for node in graph.node for name in node.output}
    kinds = Counter[bool]()
    for node in graph.node:
        if node.op_type in INTEGER_OPERATORS:
            kinds[True] += 1
        elif node.op_type in FLOAT_OPERATORS:
            kinds[all(producers.get(name) == "DequantizeLinear" for name in node.input[:2])] += 1
    return describe_precision(kinds[True] + kinds[False], int8=kinds[True])
