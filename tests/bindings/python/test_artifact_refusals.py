"""Every check of the loader, one damaged field at a time, with the checksums made right again."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from honed import ArtifactError, Engine, ModelError
from honed._runtime import Model, Session
from honed.kernels._native import crc32c
from honed.passes.lower.artifact import SECTIONS, write_artifact
from honed.passes.lower.program import Op, Program, Value

HEADER = 64 + 24 * len(SECTIONS)
RECORDS = {"dims": 16, "values": 24, "inputs": 4, "outputs": 4, "ops": 24, "operands": 4, "attributes": 16, "constants": 88}


def program() -> Program:
    """Values: 0 x, 1 q, 2 y, 3 t, 4 c (constant 1). Operators: 0 quantize, 1 dequantize, 2 lookup_u8 with a table."""
    shape = ("n", 2, 3, 4)
    x, q = Value("x", "f32", shape), Value("q", "u8", shape, "planar", 1, 1, 7)
    y, c, t = Value("y", "f32", shape), Value("c", "s64", (2,), data=np.array([5, 6])), Value("t", "u8", shape, "planar", 1, 1, 7)
    numbers = {"scale": 0.5, "zero_point": 7}
    ops = [
        Op("quantize", "quantize x", [x], [q], numbers),
        Op("dequantize", "store", [q], [y], numbers),
        Op("lookup_u8", "table", [q], [t], {}, [np.arange(256, dtype=np.uint8)]),
    ]
    return Program([x], [y, c], ops)


CONTENT = write_artifact(program())
ENGINE = Engine(1)

PACKED = np.random.default_rng(0).integers(-8, 8, (3, 43)).astype(np.int8)
PACKED_VALUES = [Value(name, "s8", PACKED.shape, data=array) for name, array in (("w", PACKED), ("v", -1 - PACKED))]
PACKED_CONTENT = write_artifact(Program([], PACKED_VALUES, []))


def table(content: bytes) -> dict[str, tuple[int, int]]:
    """Offset and size of each section."""
    return {name: struct.unpack_from("<QQ", content, 64 + 24 * i) for i, name in enumerate(SECTIONS)}


def corrected(content: bytearray) -> bytes:
    """With the checksums, and the length of the file, as they must be."""
    for i, (offset, size) in enumerate(table(content).values()):
        struct.pack_into("<I", content, 64 + 24 * i + 20, crc32c(content[offset : offset + size]))
    struct.pack_into("<I", content, 28, 0)
    struct.pack_into("<I", content, 28, crc32c(content[:HEADER]))
    return bytes(content)


def field(section: str, record: int, at: int, kind: str, value: int, content: bytes = CONTENT) -> bytes:
    """The file with one field of a record changed."""
    content = bytearray(content)
    offset = table(content)[section][0] + record * RECORDS[section] + at
    struct.pack_into(f"<{kind}", content, offset, value)
    return corrected(content)


def header(at: int, kind: str, value: int, correct: bool = True) -> bytes:
    content = bytearray(CONTENT)
    struct.pack_into(f"<{kind}", content, at, value)
    return corrected(content) if correct else bytes(content)


def section_entry(section: str, at: int, kind: str, value: int) -> bytes:
    content = bytearray(CONTENT)
    struct.pack_into(f"<{kind}", content, 64 + 24 * SECTIONS.index(section) + at, value)
    struct.pack_into("<I", content, 28, 0)
    struct.pack_into("<I", content, 28, crc32c(content[:HEADER]))
    return bytes(content)


def strings(first: bytes, last: bytes) -> bytes:
    content = bytearray(CONTENT)
    offset, size = table(content)["strings"]
    content[offset : offset + 1] = first
    content[offset + size - 1 : offset + size] = last
    return corrected(content)


def edited(edit: Callable[[Program], object]) -> bytes:
    """The file of a program that differs; validation of the program itself is not asked."""
    changed = program()
    edit(changed)
    changed.validate = lambda: None  # type: ignore[method-assign]
    return write_artifact(changed)


def shared() -> bytes:
    """A file of which two packed constants take more than all of its data."""
    content = bytearray(field("constants", 1, 0, "Q", 0, PACKED_CONTENT))
    offset = table(content)["data"][0]
    struct.pack_into("<Q", content, 64 + 24 * SECTIONS.index("data") + 8, 65)
    del content[offset + 65 :]
    struct.pack_into("<Q", content, 16, len(content))
    return corrected(content)


STRINGS_SIZE = table(CONTENT)["strings"][1]
DATA_SIZE = table(CONTENT)["data"][1]
LAST_BYTE = len(CONTENT)

REFUSALS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "does not begin with the magic bytes"),
    "magic": (b"x" + CONTENT[1:], "does not begin with the magic bytes"),
    "half a header": (CONTENT[:200], "file has 200 bytes, expected at least 328"),
    "header checksum": (header(12, "I", 1, correct=False), "header is damaged"),
    "file length": (header(16, "Q", 99), f"file has {LAST_BYTE} bytes, expected 99"),
    "number of sections": (header(24, "I", 3), "file has 3 sections, expected 11"),
    "reserved": (header(40, "B", 1), "reserved byte 8 of the header is not 0"),
    "truncated": (CONTENT[:-1], f"file has {LAST_BYTE - 1} bytes, expected {LAST_BYTE}"),
    "section kind": (section_entry("dims", 16, "I", 5), "section 1 is of kind 5"),
    "section offset": (section_entry("dims", 0, "Q", 2**63), "section dims has .* expected to begin at"),
    "section size": (section_entry("dims", 8, "Q", 2**63), "section dims has .* to end within"),
    "section of half a record": (section_entry("dims", 8, "Q", 17), "section dims has 17 bytes, expected at most .* records of 16"),
    "section checksum": (section_entry("dims", 20, "I", 5), "section dims is damaged: wrong checksum"),
    "section is short": (corrected(bytearray(section_entry("data", 8, "Q", 64))), "bytes behind the last section"),
    "no first zero byte": (strings(b"x", b"\0"), "section strings does not begin and end with a zero byte"),
    "no last zero byte": (strings(b"\0", b"x"), "section strings does not begin and end with a zero byte"),
    "constant dtype": (field("constants", 0, 16, "I", 9), "constant 0 has the unknown dtype 9"),
    "constant rank": (field("constants", 0, 20, "H", 9), "constant 0 has rank 9, expected at most 8"),
    "constant dimension": (field("constants", 0, 24, "q", -1), "constant 0: dimension 0 is -1"),
    "constant too large": (field("constants", 0, 24, "q", 2**62), "constant 0: tensor is too large"),
    "constant dimension behind its last": (field("constants", 0, 32, "q", 1), "constant 0 has a dimension behind its last"),
    "constant size": (field("constants", 0, 8, "Q", 24), "constant 0 has 24 bytes, expected 16"),
    "constant misaligned": (field("constants", 0, 0, "Q", 8), "constant 0 has 16 bytes at 8, which is misaligned"),
    "constant outside": (field("constants", 1, 0, "Q", 128), f"constant 1 has 256 bytes at 128, .* outside of {DATA_SIZE}"),
    "constant far outside": (field("constants", 1, 0, "Q", 2**64 - 64), "constant 1 has 256 bytes at 18446744073709551552, which is"),
    "encoding": (field("constants", 0, 22, "H", 2), "constant 0 of dtype 5 has the encoding 2"),
    "packed integers of 64 bits": (field("constants", 0, 22, "H", 1), "constant 0 of dtype 5 has the encoding 1"),
    "packed size": (field("constants", 0, 8, "Q", 129, PACKED_CONTENT), "constant 0 has 129 bytes, expected 65"),
    "size of what is not packed": (field("constants", 0, 22, "H", 0, PACKED_CONTENT), "constant 0 has 65 bytes, expected 129"),
    "packed outside": (field("constants", 1, 0, "Q", 192, PACKED_CONTENT), "constant 1 has 65 bytes at 192, .* outside of 193"),
    "packed and shared": (shared(), "constant 1 and packed ones before it share data"),
    "rank": (field("values", 0, 7, "B", 9), "value 0 has rank 9, expected at most 8"),
    "too few dims": (field("values", 4, 7, "B", 8), "section dims ends too early"),
    "too many dims": (
        field("values", 4, 7, "B", 255, field("values", 4, 16, "I", 2**32 - 1)),
        "section dims has 17 records, expected 16",
    ),
    "dimension": (field("dims", 0, 0, "q", -2), "value 0 has a dimension of -2"),
    "large dimension": (field("dims", 0, 0, "q", 2**31), "value 0 has a dimension of 2147483648"),
    "symbol": (field("dims", 0, 8, "I", STRINGS_SIZE), "or a bad name of one"),
    "dim reserved": (field("dims", 0, 12, "I", 1), "or a bad name of one"),
    "value name": (field("values", 0, 0, "I", STRINGS_SIZE), "value 0 has no name"),
    "value without name": (field("values", 0, 0, "I", 0), "value 0 has no name"),
    "value dtype": (field("values", 0, 4, "B", 0), "value 0 has the dtype 0"),
    "value of u16": (field("values", 0, 4, "B", 7), "value 0 has the dtype 7"),
    "layout": (field("values", 1, 5, "B", 2), "value 1 has the layout 2"),
    "zero point of a float": (field("values", 0, 6, "B", 3), "value 0 has a zero point and is not u8"),
    "gap": (field("values", 1, 8, "I", 4097), "value 1 has gaps of 4097 x 1, expected at most 4096"),
    "gap of a dense value": (field("values", 0, 12, "I", 1), "value 0 has gaps of 0 x 1, expected at most 0"),
    "planar rank": (edited(lambda p: setattr(p.ops[0].outputs[0], "shape", (1, 2))), "value 1 is planar and has rank 2, expected 4"),
    "value reserved": (field("values", 0, 20, "I", 1), "value 0 has a reserved field"),
    "constant of a value": (field("values", 0, 16, "I", 2), "value 0 is constant 2 of 2"),
    "value differs from its constant": (field("values", 0, 16, "I", 1), "value 0 and its constant differ"),
    "graph input": (field("inputs", 0, 0, "I", 5), "graph input 0 is value 5 of 5"),
    "planar graph output": (field("outputs", 0, 0, "I", 1), "graph output 0 is not dense or of unknown rank"),
    "graph output twice": (field("outputs", 0, 0, "I", 4), "graph outputs 0 and 1 have the same name"),
    "input is a constant": (field("inputs", 0, 0, "I", 4), "graph input 0 is a constant or another input"),
    "operator type": (field("ops", 0, 0, "I", STRINGS_SIZE), "operator 0 has no type or no name"),
    "operator name": (field("ops", 0, 4, "I", STRINGS_SIZE), "operator 0 has no type or no name"),
    "number of inputs": (field("ops", 0, 8, "I", 2**32 - 1), "operator 0 has 4294967295 inputs"),
    "no outputs": (field("ops", 0, 12, "I", 0), "operator 0 has 1 inputs, 0 outputs"),
    "too few operands": (field("ops", 2, 8, "I", 60), "operator 2: section operands or attributes ends too early"),
    "too few attributes": (field("ops", 2, 20, "I", 60), "operator 2: section operands or attributes ends too early"),
    "operand out of range": (field("operands", 0, 0, "I", 5), "operator 0 reads value 5, which nothing before it defines"),
    "operand not yet defined": (field("operands", 0, 0, "I", 2), "operator 0 reads value 2, which nothing before it defines"),
    "output out of range": (field("operands", 1, 0, "I", 5), "operator 0 writes value 5, which is defined already or does not exist"),
    "output left out": (field("operands", 1, 0, "I", 2**32 - 1), "operator 0 writes value 4294967295"),
    "output written twice": (field("operands", 3, 0, "I", 1), "operator 1 writes value 1, which is defined already"),
    "constant of an operator": (field("operands", 6, 0, "I", 2), "operator 2 has constant 2 of 2"),
    "attribute name": (field("attributes", 0, 0, "I", STRINGS_SIZE), "operator 0 has an attribute without a name"),
    "attribute kind": (field("attributes", 0, 4, "I", 2), "operator 0 has an attribute without a name or of kind 2"),
    "attribute twice": (field("attributes", 1, 0, "I", struct.unpack_from("<I", CONTENT, table(CONTENT)["attributes"][0])[0]),
                        "operator 0 has the attribute scale twice"),
    "value never written": (edited(lambda p: p.outputs.append(Value("z", "f32", (1,)))), "value 5 is written by no operator"),
    "operands left over": (field("ops", 2, 16, "I", 0), "1 operands and 0 attributes belong to no operator"),
    "attributes left over": (field("ops", 1, 20, "I", 1), "0 operands and 1 attributes belong to no operator"),
}  # fmt: skip


def test_the_file_that_is_damaged_is_sound() -> None:
    y, c = Session(Model(CONTENT, Engine(1))).run([np.ones((1, 2, 3, 4), np.float32)])
    np.testing.assert_array_equal(y, np.ones((1, 2, 3, 4)))
    np.testing.assert_array_equal(c, [5, 6])


def test_packed_constants_are_expanded() -> None:
    """Of an odd number of elements, at an offset of the data section."""
    assert table(PACKED_CONTENT)["data"][1] == 128 + 65
    w, v = Session(Model(PACKED_CONTENT, Engine(1))).run([])
    assert np.array_equal(w, PACKED) and np.array_equal(v, -1 - PACKED) and w.dtype == np.int8


@pytest.mark.parametrize("name", REFUSALS)
def test_damage_is_named(name: str) -> None:
    content, message = REFUSALS[name]
    with pytest.raises(ArtifactError, match=message):
        Model(content, ENGINE)


def test_other_format_version_is_unsupported() -> None:
    with pytest.raises(ModelError, match="file has format version 1, expected 2"):
        Model(header(8, "I", 1), ENGINE)


def test_padding_is_zero() -> None:
    content = bytearray(CONTENT)
    offset, size = table(content)["strings"]
    assert (offset + size) % 64 != 0
    content[offset + size] = 1
    with pytest.raises(ArtifactError, match="padding before section"):
        Model(content, ENGINE)
