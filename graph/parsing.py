"""Parses ONNX files. Large weights go straight into arrays of their own: inside of a protobuf message they would stay as long as it does.

Only the wire format is read here (protobuf.dev/programming-guides/encoding), and only where it says a message ModelProto, its graph and the
graph's initialisers. Whatever is unusual there is left to the protobuf package.
"""

import math
import os
from io import BytesIO
from typing import BinaryIO, NamedTuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto

from .errors import ModelError
from .skeleton import DETACH_ABOVE
from .tensors import data_bytes

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10
_PLAIN = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8,
          TensorProto.UINT16, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64}  # fmt: skip
"""Data types whose raw form is that of a NumPy array."""


class Weight(NamedTuple):
    """An initialiser: all but its data, and its data."""

    tensor: TensorProto
    values: np.ndarray


class _Unusual(Exception):
    """A message that is damaged, or not in a form that is expected here."""


def parse(source: str | os.PathLike | bytes) -> tuple[onnx.ModelProto, list[Weight]]:
    """The model in a file, or in bytes, without its large weights, and these. Nothing is checked beyond the size of each weight.

    Raises ModelError where it is no protobuf, or cannot be read.
    """
    try:
        with BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            return _parse(file)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}") from error
    except DecodeError as error:
        raise ModelError("not an ONNX model: the protobuf does not parse") from error


def _parse(file: BinaryIO) -> tuple[onnx.ModelProto, list[Weight]]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    weights: list[Weight] = []
    try:
        content = bytes(_model(file, size, weights))
    except _Unusual:
        file.seek(0)
        content, weights = file.read(), []
    model = onnx.ModelProto()
    model.ParseFromString(content)
    return model, weights


def _model(file: BinaryIO, end: int, weights: list[Weight]) -> bytearray:
    """The message up to `end`, without the weights."""
    result = bytearray()
    while file.tell() < end:
        number, kind, begin = *_tag(file), file.tell()
        if (number, kind) == (_GRAPH, _DELIMITED):
            _append(result, number, _graph(file, _length(file, end), weights))
        else:
            _skip(file, kind, end)
            result += _varint_bytes(number << 3 | kind) + _between(file, begin)
    return result


def _graph(file: BinaryIO, end: int, weights: list[Weight]) -> bytearray:
    result = bytearray()
    while file.tell() < end:
        number, kind, begin = *_tag(file), file.tell()
        if (number, kind) == (_INITIALIZER, _DELIMITED):
            stop = _length(file, end)
            start = file.tell()
            weight = _weight(file, stop)
            if weight is not None:
                weights.append(weight)
                continue
            file.seek(start)
            _append(result, number, _read(file, stop - start))
        else:
            _skip(file, kind, end)
            result += _varint_bytes(number << 3 | kind) + _between(file, begin)
    return result


def _weight(file: BinaryIO, end: int) -> Weight | None:
    """The tensor up to `end`; None for one that is small or of another form."""
    header, data = bytearray(), []
    while file.tell() < end:
        number, kind, begin = *_tag(file), file.tell()
        if (number, kind) == (_RAW_DATA, _DELIMITED):
            stop = _length(file, end)
            data.append((file.tell(), stop))
            file.seek(stop)
        else:
            if _skip(file, kind, end) - begin > DETACH_ABOVE:
                return None
            header += _varint_bytes(number << 3 | kind) + _between(file, begin)
    tensor = TensorProto()
    tensor.ParseFromString(bytes(header))
    if len(data) != 1 or not _is_plain(tensor, data[0][1] - data[0][0]):
        return None
    file.seek(data[0][0])
    values = np.empty(list(tensor.dims), onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    if file.readinto(values.reshape(-1).view(np.uint8).data) != values.nbytes:  # type: ignore[attr-defined]
        raise _Unusual
    file.seek(end)
    values.flags.writeable = False
    return Weight(tensor, values)


def _is_plain(tensor: TensorProto, size: int) -> bool:
    """Whether it is a large tensor of which nothing is missing but raw data of that size."""
    others = {field.name for field, _ in tensor.ListFields()} - {"dims", "data_type", "name", "doc_string"}
    if others or tensor.data_type not in _PLAIN or any(d < 0 for d in tensor.dims):
        return False
    return math.prod(tensor.dims) > DETACH_ABOVE and data_bytes(tensor) == size


def _append(result: bytearray, number: int, content: bytes | bytearray) -> None:
    result += _varint_bytes(number << 3 | _DELIMITED) + _varint_bytes(len(content)) + content


def _tag(file: BinaryIO) -> tuple[int, int]:
    tag = _varint(file)
    return tag >> 3, tag & 7


def _length(file: BinaryIO, end: int) -> int:
    """Where the message or string that begins here ends."""
    size = _varint(file)
    stop = file.tell() + size
    if stop > end:
        raise _Unusual
    return stop


def _skip(file: BinaryIO, kind: int, end: int) -> int:
    """Goes to the end of a field, which is within `end`, and returns it."""
    if kind == _VARINT:
        _varint(file)
        stop = file.tell()
    elif kind == _DELIMITED:
        stop = _length(file, end)
    elif kind in (_FIXED64, _FIXED32):
        stop = file.tell() + (8 if kind == _FIXED64 else 4)
    else:
        raise _Unusual
    if stop > end:
        raise _Unusual
    return file.seek(stop)


def _between(file: BinaryIO, begin: int) -> bytes:
    """What lies between `begin` and here."""
    end = file.tell()
    file.seek(begin)
    return _read(file, end - begin)


def _read(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise _Unusual
    return content


def _varint(file: BinaryIO) -> int:
    result = 0
    for i in range(_MOST_VARINT_BYTES):
        byte = _read(file, 1)[0]
        result |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return result
    raise _Unusual


def _varint_bytes(value: int) -> bytes:
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])
