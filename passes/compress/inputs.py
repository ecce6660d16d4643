"""What a model expects of its inputs, and checks of feeds against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from ...graph.errors import Error, ShapeError

Feed = dict[str, np.ndarray]


@dataclass(frozen=True)
class InputSpec:
    """An input of a model. A dimension is a number, or a name or None where any size fits."""

    name: str
    dtype: np.dtype
    shape: tuple[int | str | None, ...]

    @property
    def batch(self) -> int | None:
        """The fixed number of samples in a run, or None where it is free."""
        return self.shape[0] if self.shape and isinstance(self.shape[0], int) else None


def input_specs(model: onnx.ModelProto) -> list[InputSpec]:
    """The inputs that a caller has to feed: graph inputs without an initializer."""
    initial = {tensor.name for tensor in model.graph.initializer}
    return [_spec(value) for value in model.graph.input if value.name not in initial]


def _spec(value: onnx.ValueInfoProto) -> InputSpec:
    kind = value.type.tensor_type
    dims = tuple(d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in kind.shape.dim)
    return InputSpec(value.name, np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type)), dims)


def check_feed(feed: Mapping[str, np.ndarray], specs: list[InputSpec], where: str) -> None:
    """Raises ShapeError or Error, naming input, what was found and what was expected, unless `feed` fits the model and is finite."""
    expected = {spec.name for spec in specs}
    if set(feed) != expected:
        raise Error(f"{where}: feeds {sorted(feed)}, expected {sorted(expected)}")
    for spec in specs:
        array = feed[spec.name]
        if not isinstance(array, np.ndarray):
            raise Error(f"{where}: input '{spec.name}' is a {type(array).__name__}, expected an array")
        if array.dtype != spec.dtype:
            raise Error(f"{where}: input '{spec.name}' has dtype {array.dtype}, expected {spec.dtype}")
        _check_shape(array.shape, spec, where)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Error(f"{where}: input '{spec.name}' holds NaN or infinity, expected finite values")


def _check_shape(shape: tuple[int, ...], spec: InputSpec, where: str) -> None:
    fits = len(shape) == len(spec.shape) and 0 not in shape
    if not fits or any(isinstance(want, int) and want != got for want, got in zip(spec.shape, shape, strict=True)):
        raise ShapeError(f"{where}: input '{spec.name}' has shape {list(shape)}, expected {describe_shape(spec.shape)}")


def describe_shape(shape: tuple[int | str | None, ...]) -> str:
    """[batch, 3, ?, ?]"""
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in shape) + "]"


def split_feed(feed: Feed, specs: list[InputSpec], samples: int) -> Iterator[Feed]:
    """The feed in pieces of at most `samples` samples, where every input has a free first dimension of one and the same size."""
    sizes = {feed[spec.name].shape[0] if spec.batch is None and feed[spec.name].ndim else -1 for spec in specs}
    size = sizes.pop() if len(sizes) == 1 else -1
    if size <= samples:
        yield feed
        return
    for start in range(0, size, samples):
        yield {name: array[start : start + samples] for name, array in feed.items()}


def join_feeds(feeds: Sequence[Feed], specs: list[InputSpec], samples: int) -> list[Feed]:
    """Feeds of one sample each put together, `samples` at a time, where every input has a free first dimension and all shapes agree."""
    shapes = {tuple(feed[spec.name].shape for spec in specs) for feed in feeds}
    if len(shapes) != 1 or any(spec.batch is not None or not feeds[0][spec.name].ndim for spec in specs):
        return list(feeds)
    pieces = (feeds[start : start + samples] for start in range(0, len(feeds), samples))
    return [{spec.name: np.concatenate([feed[spec.name] for feed in piece]) for spec in specs} for piece in pieces]
