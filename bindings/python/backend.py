"""honed as a backend of the ONNX project's interface: onnx.backend.base.Backend.

Weights and shapes have to be constants of a model, but the tests of the interface feed them as inputs. A model that cannot be compiled
as it is, is therefore compiled when it is run: with all inputs but the first as constants, and that too where it is a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.base import Backend, BackendRep, Device, DeviceType

from .graph import ModelError
from .passes.lower.claims import unclaimed
from .session import InferenceSession


class HonedBackendRep(BackendRep):
    """A model that is ready to run."""

    def __init__(self, model: onnx.ModelProto, threads: int | None = None) -> None:
        self._model, self._threads = model, threads
        self._session = _try_compile(model, threads)

    def run(self, inputs: Any, **kwargs: Any) -> tuple[np.ndarray, ...]:
        """inputs: an array per input, in order, or by name. Returns the outputs in order. Raises ModelError, ShapeError."""
        feed = self._feed(inputs)
        session = self._session
        if session is None:
            constants = {name: feed.pop(name) for name in _frozen(self._model) if name in feed}
            session = InferenceSession(freeze(self._model, constants).SerializeToString(), threads=self._threads)
        return tuple(session.run(None, feed))

    def _feed(self, inputs: Any) -> dict[str, np.ndarray]:
        if isinstance(inputs, Mapping):
            return dict(inputs)
        given = inputs if isinstance(inputs, Sequence) else [inputs]
        initialised = {tensor.name for tensor in self._model.graph.initializer}
        names = [value.name for value in self._model.graph.input if value.name not in initialised]
        return {name: np.asarray(array) for name, array in zip(names, given, strict=False)}


class HonedBackend(Backend):
    """Prepares and runs models on the CPU."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether honed claims to run the model; `passes.lower.claims.unclaimed` says why not."""
        return cls.supports_device(device) and not unclaimed(model)

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", threads: int | None = None, **kwargs: Any) -> HonedBackendRep:
        super().prepare(model, device, **kwargs)
        return HonedBackendRep(model, threads)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return Device(device).type == DeviceType.CPU


def freeze(model: onnx.ModelProto, constants: Mapping[str, np.ndarray]) -> onnx.ModelProto:
    """A copy of the model in which the named inputs are initializers."""
    frozen = onnx.ModelProto()
    frozen.CopyFrom(model)
    kept = [value for value in frozen.graph.input if value.name not in constants]
    del frozen.graph.input[:]
    frozen.graph.input.extend(kept)
    frozen.graph.initializer.extend(numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items())
    return frozen


def _try_compile(model: onnx.ModelProto, threads: int | None) -> InferenceSession | None:
    try:
        return InferenceSession(model.SerializeToString(), threads=threads)
    except ModelError:
        if not _frozen(model):
            raise
        return None


def _frozen(model: onnx.ModelProto) -> list[str]:
    """The inputs that may have to be constants."""
    shapes = {node.input[0] for node in model.graph.node if node.op_type == "ConstantOfShape"}
    return [value.name for i, value in enumerate(model.graph.input) if i > 0 or value.name in shapes]


prepare = HonedBackend.prepare
run_model = HonedBackend.run_model
supports_device = HonedBackend.supports_device
is_compatible = HonedBackend.is_compatible
