"""Pruning masks that a user brings: a .npz file or a mapping, node name -> array of the weight's shape, nonzero where a weight stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...graph.errors import Error, RecipeError
from .layers import Layer
from .npz import NpzArray, open_arrays


def load_masks(source: str | Mapping[str, np.ndarray] | None, layers: list[Layer]) -> dict[str, np.ndarray]:
    """bool masks in the shape of Layer.weight, by layer name. Raises RecipeError for all masks of unknown layers or wrong shape."""
    if source is None:
        return {}
    arrays = _open(source) if isinstance(source, str) else source
    known = {layer.name: layer for layer in layers}
    problems, masks = [], {}
    for name, array in arrays.items():
        expected = known[name].stored(known[name].weight).shape if name in known else None
        if expected is None:
            problems.append(f"'{name}' is no layer with constant weights")
        elif tuple(array.shape) != expected or array.dtype.kind not in "buif":
            problems.append(f"'{name}' is {array.dtype} {list(array.shape)}, expected numbers of shape {list(expected)}")
        else:
            values = np.asarray(array[:]) != 0
            masks[name] = values if known[name].out_axis == 0 else values.T
    if problems:
        raise RecipeError("prune.masks: " + "; ".join(problems))
    return masks


def _open(path: str) -> Mapping[str, NpzArray]:
    try:
        arrays = open_arrays(Path(path))
    except Error as error:
        raise RecipeError(f"prune.masks: {error}") from error
    if not isinstance(arrays, dict):
        raise RecipeError(f"prune.masks: {path} holds one array, expected a .npz file with one by layer name")
    return arrays
