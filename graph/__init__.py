"""What a model is: loading and saving ONNX, shapes, verification, printing, costs. The graph class is onnx-graphsurgeon's."""

from .errors import ArtifactError, Error, ModelError, RecipeError, ShapeError
from .infer import infer_shapes
from .onnx_io import copy, load, metadata, save, to_model
from .order import sort_nodes
from .verify import verify
from .view import View, constant, index_of, is_op, operand, operands, producer, rank, same_shape, static_shape

__all__ = [
    "ArtifactError", "Error", "ModelError", "RecipeError", "ShapeError", "View",
    "constant", "copy", "index_of", "infer_shapes", "is_op", "load", "metadata", "operand", "operands", "producer", "rank",
    "same_shape", "save", "sort_nodes", "static_shape", "to_model", "verify",
]
