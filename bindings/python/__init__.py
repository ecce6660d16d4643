"""honed makes trained CNNs small and fast on CPUs.

    import honed

    small = honed.optimize("model.onnx", "recipe.yaml", calibration="images.npz")   # compress: ONNX in, ONNX out
    small.save("model.opt.onnx")
    honed.compile(small.model, "model.honed")                                       # lower and pack
    outputs = honed.InferenceSession("model.honed").run(None, {"input": x})         # run
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .knobs import Knob, knobs

if TYPE_CHECKING:
    from .allocation import Allocation, allocate
    from .api import Optimized, compile, optimize, sensitivity
    from .graph.errors import ArtifactError, Error, ModelError, RecipeError, ShapeError
    from .inspection import Inspection, inspect
    from .mixed import MixedPrecision, mixed_precision
    from .passes.compress.images import ImageOptions
    from .passes.sensitivity import Sensitivity
    from .prediction import Prediction, predict
    from .session import Engine, InferenceSession

_HOMES = {name: ".graph.errors" for name in ("ArtifactError", "Error", "ModelError", "RecipeError", "ShapeError")}
_HOMES |= {name: ".session" for name in ("Engine", "InferenceSession")}
_HOMES |= {"Allocation": ".allocation", "allocate": ".allocation"}
_HOMES |= {"Optimized": ".api", "compile": ".api", "optimize": ".api", "Inspection": ".inspection", "inspect": ".inspection"}
_HOMES |= {"MixedPrecision": ".mixed", "mixed_precision": ".mixed"}
_HOMES |= {"Prediction": ".prediction", "predict": ".prediction"}
_HOMES |= {"ImageOptions": ".passes.compress.images", "Sensitivity": ".passes.sensitivity", "sensitivity": ".api"}

__all__ = [
    "Allocation", "ArtifactError", "Engine", "Error", "ImageOptions", "InferenceSession", "Inspection", "Knob", "MixedPrecision",
    "ModelError", "Optimized", "Prediction", "RecipeError", "Sensitivity", "ShapeError", "__version__", "allocate", "compile",
    "inspect", "knobs", "mixed_precision", "optimize", "predict", "sensitivity",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that `import honed` costs next to nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("honed")
    if name not in _HOMES:
        raise AttributeError(f"module 'honed' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
