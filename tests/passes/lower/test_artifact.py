"""The writer of .honed files, and the reader of their metadata."""

import os
import struct
import weakref
from pathlib import Path

import numpy as np
import pytest
from honed import ArtifactError, Engine
from honed._runtime import Model, Session
from honed.kernels._native import crc32c
from honed.passes.lower import constants
from honed.passes.lower.artifact import SECTIONS, Artifact, read_metadata, write_artifact
from honed.passes.lower.program import Op, Program, Value

from tests.bindings.c.networks import int8_network


def small_program() -> Program:
    x, y = Value("x", "f32", ("n", 3)), Value("y", "f32", ("n", 3))
    op = Op("unary_f32", "relu", [x], [y], {"op": 1}, [np.arange(3), np.arange(3)], info={"macs": 12, "not": {"sparse": "no zeros"}})
    return Program([x], [y], [op], info={"producer": "test"})


def sections(content: bytes) -> dict[str, bytes]:
    table = [struct.unpack_from("<QQII", content, 64 + 24 * i) for i in range(len(SECTIONS))]
    return {name: content[offset : offset + size] for name, (offset, size, _, _) in zip(SECTIONS, table, strict=True)}


def test_crc32c_gives_the_published_check_values() -> None:
    """The vectors of RFC 3720, appendix B.4, and the usual one."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


def bitwise_crc32c(data: bytes) -> int:
    """By its definition: division of polynomials over GF(2), bit after bit."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize("count", [6143, 6144, 6145, 12288 + 2048 + 9])
def test_crc32c_of_long_data(count: int) -> None:
    """Long enough for stretches side by side, and one byte less."""
    data = np.random.default_rng(count).bytes(count)
    assert crc32c(data) == bitwise_crc32c(data)


def test_metadata_comes_back() -> None:
    assert read_metadata(write_artifact(small_program())) == {
        "model": {"producer": "test"},
        "ops": [{"macs": 12, "not": {"sparse": "no zeros"}}],
    }


def test_same_program_gives_the_same_bytes() -> None:
    assert write_artifact(small_program()) == write_artifact(small_program())


def test_equal_constants_are_stored_once_and_aligned() -> None:
    parts = sections(write_artifact(small_program()))
    assert parts["data"] == np.arange(3).tobytes()
    assert len(parts["constants"]) == 88
    assert struct.unpack("<4I", parts["operands"]) == (0, 1, 0, 0)  # values 0 and 1, constant 0 twice


@pytest.mark.parametrize(
    ("array", "size"),
    [
        (np.full((2, 64), -8, np.int8), 64),
        (np.full(129, 7, np.int8), 65),
        (np.full(127, 7, np.int8), 127),
        (np.full(128, 8, np.int8), 128),
        (np.full(128, -9, np.int8), 128),
        (np.full(128, 7, np.uint8), 128),
    ],
)
def test_integers_of_4_bits_are_packed(array: np.ndarray, size: int) -> None:
    parts = sections(write_artifact(Program([], [Value("w", {"i": "s8", "u": "u8"}[array.dtype.kind], array.shape, data=array)], [])))
    offset, stored, _, rank, encoding = struct.unpack_from("<QQIHH", parts["constants"])
    assert (offset, stored, rank, encoding) == (0, size, array.ndim, int(size < array.size))
    if encoding:
        pairs = np.frombuffer(parts["data"], np.uint8)[: array.size // 2]
        assert set(pairs) == {(int(array.flat[0]) & 15) * 17}


def test_packed_weights_give_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    program, x = int8_network(), np.random.default_rng(1).normal(size=(2, 4, 6, 7)).astype(np.float32)
    contents = [write_artifact(program)]
    monkeypatch.setattr(constants, "PACK_FROM", 1 << 40)
    contents.append(write_artifact(program))
    assert len(contents[0]) < len(contents[1])
    packed, plain = (Session(Model(content, Engine(1))).run([x]) for content in contents)
    assert all(np.array_equal(a, b) for a, b in zip(packed, plain, strict=True))


def test_sections_are_aligned_and_padding_is_zero() -> None:
    content = write_artifact(small_program())
    covered = bytearray(content)
    covered[: 64 + 24 * len(SECTIONS)] = bytes(64 + 24 * len(SECTIONS))
    for i in range(len(SECTIONS)):
        offset, size, kind, crc = struct.unpack_from("<QQII", content, 64 + 24 * i)
        assert offset % 64 == 0 and kind == i and crc == crc32c(content[offset : offset + size])
        covered[offset : offset + size] = bytes(size)
    assert not any(covered)


def test_a_file_in_memory_is_read_only_and_begins_at_a_page() -> None:
    content = Artifact(small_program()).in_memory()
    assert content.readonly and bytes(content) == write_artifact(small_program())
    assert np.frombuffer(content, np.uint8).ctypes.data % 4096 == 0


def test_arrays_are_let_go_of_as_they_are_written() -> None:
    x, y = Value("x", "f32", ("n", 3)), Value("y", "f32", ("n", 3))
    arrays = [np.full(100, i) for i in range(3)]
    alive = [weakref.ref(array) for array in arrays]
    artifact = Artifact(Program([x], [y], [Op("unary_f32", "relu", [x], [y], {"op": 1}, arrays)]))
    del arrays, x, y
    counts = []
    for piece in artifact.pieces():
        del piece
        counts.append(sum(ref() is not None for ref in alive))
    assert counts == [3, 3, 2, 2, 1, 1, 0]  # the beginning, then padding and elements of each


def test_arrays_with_one_checksum_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "crc32c", lambda data, before=0: 7)
    pool = constants.Constants()
    assert [pool.add(array) for array in (np.arange(3), np.arange(3) + 1, np.arange(3), np.arange(3.0))] == [0, 1, 0, 2]
    assert b"".join(pool.pieces())[64:88] == (np.arange(3) + 1).tobytes()


def test_checksums_go_on() -> None:
    data = np.random.default_rng(0).bytes(20000)
    assert crc32c(data[123:], crc32c(data[:123])) == crc32c(data)


def test_invalid_program_is_refused() -> None:
    program = small_program()
    program.ops.clear()
    with pytest.raises(ValueError, match=r"y: .*written by no operator"):
        write_artifact(program)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:100], "not a .honed file"),
        (lambda b: b"X" + b[1:], "not a .honed file"),
        (lambda b: b[:8] + b"\x01" + b[9:], "format version 1, expected 2"),
        (lambda b: b[:70] + b"\xff" + b[71:], "header is damaged"),
        (lambda b: b[:-1], "bytes, expected"),
        (lambda b: b.replace(b'"macs":12', b'"macs":13'), "section metadata is damaged"),
    ],
)
def test_damaged_file_is_an_error(damage, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read_metadata(damage(write_artifact(small_program())))


def test_saving_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.honed"
    path.write_bytes(b"old")

    def refuse(source, target) -> None:
        raise OSError("disk is full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk is full"):
        patch.setattr(os, "replace", refuse)
        Artifact(small_program()).save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    Artifact(small_program()).save(path)
    assert path.read_bytes() == write_artifact(small_program())
    assert list(tmp_path.iterdir()) == [path]
