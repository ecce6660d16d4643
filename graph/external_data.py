"""Weights that lie in files beside the model (ONNX external data)."""

from pathlib import Path

import onnx
from onnx import TensorProto

from .errors import ModelError
from .tensors import data_bytes, tensors_of_model


def resolve_external_data(model: onnx.ModelProto, folder: Path | None) -> None:
    """Reads all external data of `model` from files inside `folder` into the model.

    Raises ModelError, with every tensor at fault, for data without a folder (None), a file outside `folder` (symbolic links
    followed), a file that is missing or too short, and a size other than the tensor's shape asks for.
    """
    problems = []
    for where, tensor in tensors_of_model(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        try:
            raw = _read(tensor, folder)
        except (ValueError, OSError) as error:
            problems.append(f"{where}: {error}")
            continue
        tensor.raw_data = raw
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    if problems:
        raise ModelError("external data cannot be read: " + "; ".join(problems))


def _read(tensor: TensorProto, folder: Path | None) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    expected = data_bytes(tensor)
    offset, length = int(entries.get("offset", 0)), int(entries.get("length", expected))
    if length != expected:
        raise ValueError(f"{length} bytes, expected {expected} for shape {list(tensor.dims)}")
    path = _locate(entries.get("location", ""), folder)
    size = path.stat().st_size
    if offset < 0 or offset + length > size:
        raise ValueError(f"bytes {offset} to {offset + length} of {path.name!r}, which has {size}")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _locate(location: str, folder: Path | None) -> Path:
    if folder is None:
        raise ValueError(f"file {location!r} is asked for by a model that was not loaded from a file")
    if not location:
        raise ValueError("no file is named")
    root = folder.resolve()
    path = (root / location).resolve()
    if root not in path.parents:
        raise ValueError(f"file {location!r} lies outside the model's folder")
    if not path.is_file():
        raise ValueError(f"file {location!r} is missing")
    return path
