"""Lowering: from an ONNX graph to a program of runtime operators, and to a .honed file."""

from .compile import LayerInfo, compile_model, describe, lower
from .program import Op, Program, Value

__all__ = ["LayerInfo", "Op", "Program", "Value", "compile_model", "describe", "lower"]
