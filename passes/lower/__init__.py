"""Lowering: from an ONNX graph to a program of runtime operators, and to a .honed file."""

from .artifact import read_metadata
from .compile import LayerInfo, compile_model, compile_to_file, describe, layer_info, lower
from .families import Precision
from .program import Op, Program, Value

__all__ = [
    "LayerInfo", "Op", "Precision", "Program", "Value", "compile_model", "compile_to_file", "describe", "layer_info", "lower",
    "read_metadata",
]  # fmt: skip
