"""The errors that honed raises. Each message says what, where, the value found and what was expected."""


class Error(Exception):
    """Base of every error that honed raises on purpose."""


class ModelError(Error):
    """A model that is not ONNX, is inconsistent, or holds something that cannot be handled."""


class ShapeError(Error):
    """Tensors whose shapes do not fit the model or each other."""


class RecipeError(Error):
    """A recipe with an unknown key, layer or value, or one that does not fit the model."""


class ArtifactError(Error):
    """A compiled model file that is truncated, altered, or made by something else."""
