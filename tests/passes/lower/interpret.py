"""Runs a program operator by operator through the test access to the kernels: an oracle for lowering that needs no executor."""

from collections.abc import Mapping

import numpy as np
from honed.kernels._native import Operator, TensorSpec
from honed.passes.lower import Program, Value


def interpret(program: Program, feed: Mapping[str, np.ndarray], isa: str | None = None) -> dict[str, np.ndarray]:
    """Every value of the program by name. feed: one array per graph input, by name."""
    known: dict[Value, np.ndarray] = {v: feed[v.name] for v in program.inputs} | {v: v.data for v in program.constants()}
    for op in program.ops:
        specs = [None if v is None else _spec(v) for v in op.inputs]
        operator = Operator(op.type, specs, [_spec(v) for v in op.outputs], op.attrs, op.consts, isa)
        arrays = operator.run([None if v is None else known[v] for v in op.inputs])
        known.update(zip(op.outputs, arrays, strict=True))
        for value, array in zip(op.outputs, arrays, strict=True):
            check_shape(value, array.shape)
    return {v.name: array for v, array in known.items()}


def check_shape(value: Value, shape: tuple[int, ...]) -> None:
    """What lowering says of a shape holds at run time."""
    if value.shape is not None:
        assert len(value.shape) == len(shape), (value, shape)
        assert all(not isinstance(d, int) or d == s for d, s in zip(value.shape, shape, strict=True)), (value, shape)


def _spec(value: Value) -> TensorSpec:
    return TensorSpec(value.dtype, value.layout == "planar", value.gap_rows, value.gap_cols, value.zero_point)
