"""Handlers of the ONNX operators, a module per family. Importing this package registers them all."""

from . import (  # noqa: F401
    activations,
    arithmetic,
    convolution,
    movement,
    normalization,
    pooling,
    products,
    quantization,
    reductions,
    resize,
    shapes,
    transposed_convolution,
)
