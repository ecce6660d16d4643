"""What a model is: loading and saving ONNX, shapes, verification, printing, costs. The graph class is onnx-graphsurgeon's."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ArtifactError, Error, ModelError, RecipeError, ShapeError
    from .export import copy, forget_constants, metadata, to_model
    from .files import write_atomically
    from .infer import infer_shapes
    from .node_costs import Costs, NodeCost, costs
    from .onnx_io import load, save
    from .opset import raise_opset
    from .order import sort_nodes
    from .printer import fingerprint, format_graph
    from .verification import verify
    from .view import View, constant, index_of, is_op, operand, operands, producer, rank, same_shape, static_shape, unique_name

_MODULES = {
    "errors": "ArtifactError Error ModelError RecipeError ShapeError",
    "export": "copy forget_constants metadata to_model",
    "files": "write_atomically",
    "infer": "infer_shapes",
    "node_costs": "Costs NodeCost costs",
    "onnx_io": "load save",
    "opset": "raise_opset",
    "order": "sort_nodes",
    "printer": "fingerprint format_graph",
    "verification": "verify",
    "view": "View constant index_of is_op operand operands producer rank same_shape static_shape unique_name",
}
_HOMES = {name: f".{module}" for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "ArtifactError", "Costs", "Error", "ModelError", "NodeCost", "RecipeError", "ShapeError", "View", "constant", "copy", "costs",
    "fingerprint", "forget_constants", "format_graph", "index_of", "infer_shapes", "is_op", "load", "metadata", "operand", "operands",
    "producer", "raise_opset", "rank", "same_shape", "save", "sort_nodes", "static_shape", "to_model", "unique_name", "verify",
    "write_atomically",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names are imported when first used: errors alone, which sessions raise, need no ONNX."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
