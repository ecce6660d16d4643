"""What a model is: loading and saving ONNX, shapes, verification, printing, costs. The graph class is onnx-graphsurgeon's."""

from .errors import ArtifactError, Error, ModelError, RecipeError, ShapeError

__all__ = ["ArtifactError", "Error", "ModelError", "RecipeError", "ShapeError"]
