"""Weights that are no numbers."""

import numpy as np
import onnx_graphsurgeon as gs

from .errors import ModelError

_MAY_BE_INFINITE = {
    "Add", "Sub", "Where", "Clip", "Max", "Min", "Pad", "Expand", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Concat",
}
"""Operators to which an infinity is a bound or a mask."""

_PASSES_ON = {"Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Slice", "Gather", "Flatten", "Tile"}


def check_finite(graph: gs.Graph) -> None:
    """Raises ModelError, naming all of them, where constants hold NaN, or infinity where it is neither a bound nor a mask."""
    problems, seen = [], set()
    for node in graph.nodes:
        for tensor in node.inputs:
            if id(tensor) in seen or not isinstance(tensor, gs.Constant) or tensor.values.dtype.kind != "f":
                continue
            seen.add(id(tensor))
            found = _find(tensor)
            if found:
                problems.append(f"{tensor.name!r} of {node.op} {node.name!r} {found}")
    if problems:
        raise ModelError(f"weights that are not finite: {'; '.join(problems)}")


def _find(tensor: gs.Constant) -> str | None:
    values = tensor.values
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return None
    if np.isnan(values).any():
        return f"holds {np.isnan(values).sum()} NaN"
    if np.isinf(values).any() and not _all_allow_infinity(tensor):
        return f"holds {np.isinf(values).sum()} infinities"
    return None


def _all_allow_infinity(tensor: gs.Tensor) -> bool:
    waiting, seen = list(tensor.outputs), set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.op in _PASSES_ON:
            waiting += [reader for output in node.outputs for reader in output.outputs]
        elif node.op not in _MAY_BE_INFINITE:
            return False
    return True
