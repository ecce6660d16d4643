"""InferenceSession: compiled models and ONNX models, run from Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ._runtime import Engine, Model, Session
from .graph.errors import Error, ShapeError

if TYPE_CHECKING:
    import onnx

    from .passes.lower import Precision

_MAGIC = b"HONED\r\n\x1a"
_TYPE_NAMES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "uint8": "tensor(uint8)",
    "int8": "tensor(int8)",
    "int32": "tensor(int32)",
    "int64": "tensor(int64)",
    "bool": "tensor(bool)",
}

Source = str | os.PathLike[str] | bytes | bytearray | memoryview


@dataclass(frozen=True)
class TensorInfo:
    """An input or output. shape: sizes, names of sizes that differ from run to run, None for those without a name.
    type: as ONNX Runtime spells it, "tensor(float)"."""

    name: str
    shape: list[int | str | None]
    type: str


@dataclass(frozen=True)
class OperatorInfo:
    """An operator of the compiled model. name: the ONNX node or nodes that it came from. tasks: the pieces into which its work is split
    at the shapes of the last run; 0 before there is one, and for an operator that costs nothing."""

    name: str
    type: str
    kernel: str
    tasks: int


@dataclass(frozen=True)
class OperatorTime:
    """An operator and its mean time per run, in seconds."""

    name: str
    type: str
    kernel: str
    seconds: float


class InferenceSession:
    """Runs a model. Used like ONNX Runtime's class of this name, and by several threads at once.

    model: a .honed or .onnx file's path, or the bytes of either. An ONNX model is compiled in memory. A read-only memoryview of a .honed
    file, aligned to 64 bytes, is used in place, and must not change; other bytes are copied.
    threads: that one run may use; None for the CPUs that this process may use. All sessions share one set of threads, unless they
    are given an engine of their own or ask for more threads than there are.
    precision: of an ONNX model, as `honed.compile` has it; a .honed file has its own, and is refused beside one.
    Raises ArtifactError for a damaged .honed file, ModelError for a model that cannot be run, OSError for a file that cannot be read.
    """

    def __init__(
        self, model: Source, threads: int | None = None, engine: Engine | None = None, *, precision: Precision | None = None
    ) -> None:
        self._engine = engine if engine is not None else default_engine(threads)
        self._model = Model(_compiled(model, precision), self._engine)
        self._threads = threads
        self._dtypes = {name: dtype for name, dtype, _ in self._model.inputs}
        self._outputs = {name: i for i, (name, _, _) in enumerate(self._model.outputs)}
        self._idle = [Session(self._model, threads)]
        self._lock = Lock()

    @property
    def engine(self) -> Engine:
        """The threads and the instruction sets in use: `.threads`, `.isa`."""
        return self._engine

    def get_inputs(self) -> list[TensorInfo]:
        """The model's inputs, in order."""
        return [_tensor_info(*value) for value in self._model.inputs]

    def get_outputs(self) -> list[TensorInfo]:
        """The model's outputs, in order."""
        return [_tensor_info(*value) for value in self._model.outputs]

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any]) -> list[np.ndarray]:
        """Runs the model on one array per input, and returns the named outputs, or all for None.

        Arrays that are not contiguous are copied. Shapes may differ from run to run where the model leaves them open.
        Raises ShapeError, which names the input, what was found and what was expected.
        """
        wanted = self._output_indices(output_names)
        arrays = self._arrays(input_feed)
        with self._session(arrays) as session:
            results = session.run(arrays)
        return [results[i] for i in wanted]

    def plan(self) -> list[OperatorInfo]:
        """The operators in the order in which they run, and the kernels chosen for them."""
        with self._session([]) as session:
            tasks = session.tasks()
        return [OperatorInfo(name, kind, kernel, count) for (name, kind, kernel), count in zip(self._model.ops, tasks, strict=True)]

    def profile(self, input_feed: Mapping[str, Any], runs: int = 20) -> list[OperatorTime]:
        """Runs the model once, and then `runs` times with each operator timed."""
        arrays = self._arrays(input_feed)
        with self._session(arrays) as session:
            session.run(arrays)
            session.profile(True)
            try:
                for _ in range(runs):
                    session.run(arrays)
            finally:
                session.profile(False)
            seconds = session.profile_seconds()
        return [OperatorTime(name, kind, kernel, time) for (name, kind, kernel), time in zip(self._model.ops, seconds, strict=True)]

    def memory_bytes(self) -> int:
        """Activations and scratch of one session, at the shapes of a recent run."""
        with self._session([]) as session:
            return session.memory_bytes

    @contextmanager
    def _session(self, arrays: list[np.ndarray]) -> Iterator[Session]:
        """A session that nobody else uses meanwhile: if possible one that has the shapes of `arrays` already."""
        shapes = tuple(array.shape for array in arrays)
        with self._lock:
            same = next((i for i, s in enumerate(self._idle) if s.shapes == shapes), -1)
            session = self._idle.pop(same) if self._idle else None
        if session is None:
            session = Session(self._model, self._threads)
        try:
            yield session
        finally:
            with self._lock:
                self._idle.append(session)

    def _output_indices(self, names: Sequence[str] | None) -> list[int]:
        if names is None:
            return list(range(len(self._outputs)))
        unknown = [name for name in names if name not in self._outputs]
        if unknown:
            raise ShapeError(f"no output {', '.join(map(repr, unknown))}: expected some of {', '.join(map(repr, self._outputs))}")
        return [self._outputs[name] for name in names]

    def _arrays(self, feed: Mapping[str, Any]) -> list[np.ndarray]:
        problems = [f"no input {name!r}" for name in feed if name not in self._dtypes]
        problems += [f"input {name!r} is missing" for name in self._dtypes if name not in feed]
        if problems:
            raise ShapeError(f"{'; '.join(problems)}: expected {', '.join(map(repr, self._dtypes)) or 'no inputs'}")
        return [_array(name, feed[name], dtype) for name, dtype in self._dtypes.items()]


def _array(name: str, value: Any, dtype: np.dtype) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype != dtype:
        raise ShapeError(f"input {name!r} has the dtype {array.dtype}, expected {dtype}")
    return np.require(array, requirements=["C", "A"])


def _tensor_info(name: str, dtype: np.dtype, shape: tuple[int | str | None, ...]) -> TensorInfo:
    return TensorInfo(name, list(shape), _TYPE_NAMES[dtype.name])


def is_compiled(model: Source) -> bool:
    """Whether `model` is a .honed file. One that is named so counts even if its beginning is damaged: the loader says so."""
    if isinstance(model, (str, os.PathLike)):
        with open(model, "rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC or os.fspath(model).endswith(".honed")
    return bytes(memoryview(model)[: len(_MAGIC)]) == _MAGIC


def _compiled(model: Source, precision: Precision | None) -> Source:
    """The model itself if it is compiled, else the bytes of what it compiles to."""
    if is_compiled(model):
        if precision is not None:
            raise Error(f"precision {precision!r} of a compiled model: expected an ONNX model, or no precision")
        return model
    from .passes.lower import compile_model

    return compile_model(bytes(model) if isinstance(model, (bytearray, memoryview)) else model, precision=precision or "f32")


_default_engine: Engine | None = None
_default_lock = Lock()


def default_engine(threads: int | None = None) -> Engine:
    """The engine that sessions share: one thread per CPU that this process may use. If that is less than `threads`, a new one."""
    global _default_engine
    with _default_lock:
        if _default_engine is None:
            _default_engine = Engine()
        engine = _default_engine
    return engine if threads is None or threads <= engine.threads else Engine(threads)


def _forget_default_engine() -> None:
    """In a child process: the engine's threads stayed with the parent."""
    global _default_engine, _default_lock
    _default_engine, _default_lock = None, Lock()


os.register_at_fork(after_in_child=_forget_default_engine)


def session_of(model: onnx.ModelProto) -> InferenceSession:
    """What runs models on calibration data."""
    return InferenceSession(model.SerializeToString())
