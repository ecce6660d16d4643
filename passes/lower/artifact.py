"""Writes programs to .honed files, and reads the metadata back. docs/artifact.md gives the bytes."""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from ...graph import write_atomically
from ...graph.errors import ArtifactError
from ...kernels._native import crc32c, trim_memory
from .constants import ALIGN, DTYPE_CODES, Constants
from .program import Dim, Op, Program, Value

MAGIC = b"HONED\r\n\x1a"
FORMAT_VERSION = 2
SECTIONS = ("strings", "dims", "values", "inputs", "outputs", "ops", "operands", "attributes", "constants", "metadata", "data")

_TRIM_EVERY = 4 << 20
_NONE = 0xFFFFFFFF
_RANK_UNKNOWN = 255
_LAYOUT_CODES = {"dense": 0, "planar": 1}
_ISA_FLOORS = {"scalar": 0, "avx2": 1, "avx512": 3, "avx512vnni": 7}

_HEADER = struct.Struct("<8sIIQII32x")
_SECTION = struct.Struct("<QQII")
_DIM = struct.Struct("<qII")
_VALUE = struct.Struct("<IBBBBIIII")
_OP = struct.Struct("<6I")
_ATTR_INT = struct.Struct("<IIq")
_ATTR_FLOAT = struct.Struct("<IId")
_HEADER_BYTES = _HEADER.size + _SECTION.size * len(SECTIONS)


def write_artifact(program: Program, isa_floor: str = "scalar") -> bytes:
    """The bytes of the .honed file of `program`. Equal arrays are stored once.

    isa_floor: the least instruction sets that can run it (scalar, avx2, avx512 or avx512vnni).
    Raises ValueError for a program that Program.validate() refuses.
    """
    return bytes(Artifact(program, isa_floor).in_memory())


def read_metadata(content: bytes | memoryview) -> dict[str, Any]:
    """The facts that were stored for `inspect`: {"model": Program.info, "ops": [Op.info, ...]}.

    Raises ArtifactError if `content` is no .honed file, or its header or metadata are damaged. Checks nothing else.
    """
    metadata = _section(content, "metadata")
    try:
        facts = json.loads(metadata)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"metadata is not JSON: {error}") from None
    shape_is_right = (
        isinstance(facts, dict)
        and isinstance(facts.get("model"), dict)
        and isinstance(facts.get("ops"), list)
        and all(isinstance(op, dict) for op in facts["ops"])
    )
    if not shape_is_right:
        raise ArtifactError('metadata is not of the form {"model": {...}, "ops": [{...}, ...]}')
    return facts


def _section(content: bytes | memoryview, name: str) -> bytes:
    """One section of a .honed file, its checksum verified."""
    if len(content) < _HEADER_BYTES or content[: len(MAGIC)] != MAGIC:
        raise ArtifactError("not a .honed file: it does not begin with the magic bytes and a whole header")
    _, version, _, file_bytes, num_sections, crc = _HEADER.unpack_from(content)
    if version != FORMAT_VERSION:
        raise ArtifactError(f"file has format version {version}, expected {FORMAT_VERSION}")
    if crc32c(_header_without_crc(bytes(content[:_HEADER_BYTES]))) != crc or num_sections != len(SECTIONS):
        raise ArtifactError("header is damaged: wrong checksum")
    if file_bytes != len(content):
        raise ArtifactError(f"file has {len(content)} bytes, expected {file_bytes}")
    offset, size, _, crc = _SECTION.unpack_from(content, _HEADER.size + _SECTION.size * SECTIONS.index(name))
    section = bytes(content[offset : offset + size])
    if len(section) != size or crc32c(section) != crc:
        raise ArtifactError(f"section {name} is damaged: wrong checksum")
    return section


def _header_without_crc(header: bytes) -> bytes:
    return header[:28] + bytes(4) + header[32:]


class Artifact:
    """The .honed file of a program, in pieces, so that its weights need not be there twice. It holds nothing of the program but these.

    bytes: of the file. Arguments and errors are those of `write_artifact`.
    """

    def __init__(self, program: Program, isa_floor: str = "scalar") -> None:
        program.validate()
        self._string_offsets: dict[str, int] = {}
        self._strings = bytearray()
        self._constants = Constants()
        self._dims = bytearray()
        self._string("")
        values = program.values()
        self._value_indices = {value: i for i, value in enumerate(values)}
        sections: dict[str, bytes | bytearray] = {
            "values": self._join(self._value(v) for v in values),
            "inputs": self._join(self._index(v) for v in program.inputs),
            "outputs": self._join(self._index(v) for v in program.outputs),
            "ops": self._join(self._op(op) for op in program.ops),
            "operands": self._join(self._operands(op) for op in program.ops),
            "attributes": self._join(self._attr(name, value) for op in program.ops for name, value in op.attrs.items()),
            "metadata": _metadata(program),
        }
        sections |= {"strings": self._strings, "dims": self._dims, "constants": self._constants.records}
        self._first = self._all_but_data(sections, isa_floor)
        self.bytes = len(self._first) + self._constants.bytes
        self._value_indices.clear()

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The file from beginning to end, once: every array is let go of when the next piece is asked for."""
        return chain([self._first], self._constants.pieces())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file. Whoever reads `path` finds the old file or the whole new one, whatever happens in between. To be called once,
        and neither beside `pieces` nor `in_memory`."""
        write_atomically(path, self.pieces())

    def in_memory(self) -> memoryview:
        """The file in memory of its own, read-only and aligned to a page. To be called once, and not beside `pieces`."""
        memory, end = mmap.mmap(-1, self.bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), 0
        trimmed = 0
        for piece in self.pieces():
            memory[end : end + len(piece)] = piece
            end += len(piece)
            if end - trimmed > _TRIM_EVERY:
                trim_memory()
                trimmed = end
        return memoryview(memory).toreadonly()

    @staticmethod
    def _join(records: Iterable[bytes]) -> bytes:
        return b"".join(records)

    def _string(self, text: str) -> int:
        if text not in self._string_offsets:
            self._string_offsets[text] = len(self._strings)
            self._strings += text.encode() + b"\0"
        return self._string_offsets[text]

    def _dim(self, dim: Dim) -> bytes:
        return _DIM.pack(dim, 0, 0) if isinstance(dim, int) else _DIM.pack(-1, self._string(dim or ""), 0)

    def _value(self, value: Value) -> bytes:
        self._dims += self._join(self._dim(d) for d in value.shape or ())
        rank = _RANK_UNKNOWN if value.shape is None else len(value.shape)
        constant = _NONE if value.data is None else self._constants.add(value.data)
        layout = _LAYOUT_CODES[value.layout]
        kind = (DTYPE_CODES[value.dtype], layout, value.zero_point, rank)
        return _VALUE.pack(self._string(value.name), *kind, value.gap_rows, value.gap_cols, constant, 0)

    def _index(self, value: Value | None) -> bytes:
        return struct.pack("<I", _NONE if value is None else self._value_indices[value])

    def _op(self, op: Op) -> bytes:
        counts = len(op.inputs), len(op.outputs), len(op.consts), len(op.attrs)
        return _OP.pack(self._string(op.type), self._string(op.name), *counts)

    def _operands(self, op: Op) -> bytes:
        values = [self._index(v) for v in (*op.inputs, *op.outputs)]
        return self._join(values + [struct.pack("<I", self._constants.add(array)) for array in op.consts])

    def _attr(self, name: str, value: int | float) -> bytes:
        if isinstance(value, float):
            return _ATTR_FLOAT.pack(self._string(name), 1, value)
        return _ATTR_INT.pack(self._string(name), 0, value)

    def _all_but_data(self, sections: dict[str, bytes | bytearray], isa_floor: str) -> bytes:
        """The file up to the section of data, which is the last one."""
        table, body, offset = b"", [], _HEADER_BYTES
        for kind, name in enumerate(SECTIONS):
            content = sections.get(name, b"")
            size, crc = (self._constants.bytes, self._constants.crc) if name == "data" else (len(content), crc32c(content))
            padding = -offset % ALIGN
            body += [bytes(padding), bytes(content)]
            offset += padding
            table += _SECTION.pack(offset, size, kind, crc)
            offset += size
        fields = [MAGIC, FORMAT_VERSION, _ISA_FLOORS[isa_floor], offset, len(SECTIONS)]
        crc = crc32c(_HEADER.pack(*fields, 0) + table)
        return self._join([_HEADER.pack(*fields, crc), table, *body])


def _metadata(program: Program) -> bytes:
    facts = {"model": program.info, "ops": [op.info for op in program.ops]}
    return json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()
