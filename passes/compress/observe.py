"""Statistics of activations, streamed over calibration data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import onnx

from ...graph.errors import Error
from .calibration import Calibration, feed_samples
from .inputs import Feed

Tick = Callable[[int, int | None], None]


class Session(Protocol):
    """Runs one model, shaped like ONNX Runtime's InferenceSession."""

    def run(self, output_names: Sequence[str] | None, feed: Feed, /) -> list[np.ndarray]: ...


class Observer(Protocol):
    """Keeps a statistic of a tensor, and no values."""

    def add(self, values: np.ndarray) -> None: ...


Runner = Callable[[onnx.ModelProto], Session]


def expose(model: onnx.ModelProto, tensors: Iterable[str]) -> onnx.ModelProto:
    """A copy of the model whose graph outputs are exactly `tensors` (f32), without the nodes that none of them needs."""
    wanted = list(dict.fromkeys(tensors))
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {value.name: value for value in [*copy.graph.value_info, *copy.graph.output, *copy.graph.input]}
    kept = [known.get(name) or onnx.ValueInfoProto(name=name) for name in wanted]
    for value in kept:
        value.type.tensor_type.elem_type = value.type.tensor_type.elem_type or onnx.TensorProto.FLOAT
    needed = set(wanted)
    nodes = []
    for node in reversed(copy.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            needed.update(_captured(node))
            nodes.append(node)
    _replace(copy.graph.output, kept)
    _replace(copy.graph.node, reversed(nodes))
    _replace(copy.graph.initializer, [tensor for tensor in copy.graph.initializer if tensor.name in needed])
    _replace(copy.graph.value_info, [])
    return copy


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """Names that the subgraphs of a node may take from outside."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                yield from inner.input
                yield from _captured(inner)
            yield from (value.name for value in attribute.g.output)


def _replace(field, values: Iterable) -> None:
    copies = [type(value).FromString(value.SerializeToString()) for value in values]
    del field[:]
    field.extend(copies)


def activations(
    model: onnx.ModelProto, tensors: Sequence[str], data: Calibration, runner: Runner, limit: int | None = None, tick: Tick | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """The values of `tensors` for one batch of calibration data after the other. Raises Error where one is not finite."""
    names = list(dict.fromkeys(tensors))
    session = runner(expose(model, names))
    inputs = {value.name for value in model.graph.input}
    total = limit if data.samples is None else min(data.samples, limit or data.samples)
    done = 0
    for feed in data.batches(limit):
        results = session.run(names, {key: value for key, value in feed.items() if key in inputs})
        values = dict(zip(names, results, strict=True))
        for name, value in values.items():
            if not np.isfinite(value).all():
                raise Error(f"calibration: tensor '{name}' holds NaN or infinity, expected finite values")
        yield values
        done += feed_samples(feed)
        if tick is not None:
            tick(done if total is None else min(done, total), total)


def observe(
    model: onnx.ModelProto, observers: Mapping[str, Sequence[Observer]], data: Calibration, runner: Runner, limit: int | None = None,
    tick: Tick | None = None,
) -> None:  # fmt: skip
    """Shows every tensor's values to its observers, over at most `limit` samples, in one pass over the data."""
    if not observers:
        return
    for values in activations(model, list(observers), data, runner, limit, tick):
        for name, value in values.items():
            for observer in observers[name]:
                observer.add(value)
