"""What a model is: loading and saving ONNX, shapes, verification, printing, costs. The graph class is onnx-graphsurgeon's."""

from .costs import Costs, NodeCost, costs
from .errors import ArtifactError, Error, ModelError, RecipeError, ShapeError
from .export import copy, forget_constants, metadata, to_model
from .files import write_atomically
from .infer import infer_shapes
from .onnx_io import load, save
from .opset import raise_opset
from .order import sort_nodes
from .printer import fingerprint, format_graph
from .verify import verify
from .view import View, constant, index_of, is_op, operand, operands, producer, rank, same_shape, static_shape, unique_name

__all__ = [
    "ArtifactError", "Costs", "Error", "ModelError", "NodeCost", "RecipeError", "ShapeError", "View",
    "constant", "copy", "costs", "fingerprint", "forget_constants", "format_graph", "index_of", "infer_shapes", "is_op", "load", "metadata",
    "operand", "operands", "producer", "raise_opset", "rank", "same_shape", "save", "sort_nodes", "static_shape", "to_model", "unique_name",
    "verify", "write_atomically",
]
