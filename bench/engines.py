"""The engines that can be compared: each opens a model file as a session of ONNX Runtime's shape."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Session(Protocol):
    """What a comparison needs of an engine: `get_inputs()` gives objects with `.name`, `.shape` and `.type`."""

    def get_inputs(self) -> Sequence[Any]: ...
    def get_outputs(self) -> Sequence[Any]: ...
    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, np.ndarray]) -> list[np.ndarray]: ...


def _open_honed(path: Path, threads: int) -> Session:
    from .. import InferenceSession

    return InferenceSession(path, threads=threads)


def _open_onnxruntime(path: Path, threads: int) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


ENGINES: dict[str, Callable[[Path, int], Session]] = {"honed": _open_honed, "onnxruntime": _open_onnxruntime}
SUFFIXES = {"honed": frozenset({".onnx", ".honed"}), "onnxruntime": frozenset({".onnx"})}

_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8,
           "tensor(int32)": np.int32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_, "tensor(float16)": np.float16}  # fmt: skip


def open_session(engine: str, path: Path, threads: int) -> Session:
    """`engine` is a key of ENGINES; `path` a model file that it reads."""
    return ENGINES[engine](path, threads)


def random_feed(session: Session, dims: Mapping[str, Sequence[int]] | None = None, seed: int = 0) -> dict[str, np.ndarray]:
    """Standard normal floats and uniform integers in [0, 100). The same name, shape and seed gives the same values for every engine.

    dims: shapes by input name. Where an input is not named, a dimension that the model leaves open is 1.
    """
    feed = {}
    for value in session.get_inputs():
        fixed = [d if isinstance(d, int) and d > 0 else 1 for d in value.shape]
        shape = tuple((dims or {}).get(value.name, fixed))
        rng = np.random.default_rng([zlib.crc32(value.name.encode()), seed])
        dtype = np.dtype(_DTYPES[value.type])
        values = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 2 if dtype.kind == "b" else 100, shape)
        feed[value.name] = values.astype(dtype)
    return feed
