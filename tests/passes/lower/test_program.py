"""The program: what validate() accepts and refuses, and the printer."""

from collections.abc import Callable

import numpy as np
import pytest
from honed.passes.lower.program import Op, Program, Value


def small_program() -> Program:
    x = Value("x", "f32", ("batch", 3, None, 8))
    planar = Value("x.planar", "u8", ("batch", 3, None, 8), "planar", 1, 1, 128)
    axes = Value("axes", "s64", (2,), data=np.array([2, 3]))
    y = Value("y", "f32", ("batch", 3))
    ops = [
        Op("quantize", "q", [x], [planar], {"scale": 0.5, "zero_point": np.uint8(128)}),
        Op("mean", "m", [planar, None, axes], [y], consts=[np.ones((3, 1), np.float32)]),
    ]
    return Program([x], [y], ops)


def test_valid_program_is_accepted() -> None:
    small_program().validate()


def test_text_is_stable() -> None:
    assert str(small_program()) == (
        "inputs:\n"
        "  x: f32 dense [batch,3,?,8]\n"
        "constants:\n"
        "  axes: s64 dense [2]\n"
        "ops:\n"
        "  x.planar: u8 planar gap 1x1 zero 128 [batch,3,?,8] = quantize(x) scale=0.5 zero_point=128  # q\n"
        "  y: f32 dense [batch,3] = mean(x.planar, _, axes) consts f32[3,1]  # m\n"
        "outputs:\n"
        "  y: f32 dense [batch,3]\n"
    )


def test_values_are_listed_once_in_order() -> None:
    assert [v.name for v in small_program().values()] == ["x", "x.planar", "axes", "y"]


def test_attributes_become_int_or_float() -> None:
    op = Op("t", "n", [], [Value("y", "f32")], {"a": np.bool_(True), "b": np.int32(3), "c": np.float32(0.5), "d": 2.0})
    assert op.attrs == {"a": 1, "b": 3, "c": 0.5, "d": 2.0}
    assert [type(v) for v in op.attrs.values()] == [int, int, float, float]


def _edit(target: str, **fields: object) -> Callable[[Program], None]:
    def edit(program: Program) -> None:
        value = next(v for v in program.values() if v.name == target)
        for key, new in fields.items():
            setattr(value, key, new)

    return edit


REFUSALS: list[tuple[Callable[[Program], object], str]] = [
    (lambda p: p.ops.reverse(), r"m \(mean\): reads x.planar.*nothing before it defines"),
    (lambda p: p.ops[1].outputs.insert(0, p.inputs[0]), r"m \(mean\): writes x: .*defined already"),
    (lambda p: p.ops[1].outputs.append(p.outputs[0]), r"m \(mean\): writes y: .*defined already"),
    (lambda p: p.ops.pop(), "y: .*written by no operator"),
    (lambda p: p.ops[0].outputs.clear(), r"q \(quantize\): no outputs"),
    (lambda p: p.inputs.append(p.inputs[0]), "input: a graph input is listed twice"),
    (lambda p: p.ops[1].inputs.extend([None] * 70), "73 inputs, expected at most 64"),
    (lambda p: p.ops[1].consts.append(np.ones(1, np.complex64)), "constant 1 is complex64"),
    (lambda p: p.ops[1].attrs.update(big=2**63), "attribute big = .* does not fit"),
    (_edit("y", name="x"), "another value has the same name"),
    (_edit("y", name=""), "name is empty"),
    (_edit("y", dtype="u16"), "dtype 'u16' is not one of"),
    (_edit("x", layout="planar"), "inputs and outputs are dense"),
    (_edit("y", shape=None), "of known rank"),
    (_edit("x", layout="nhwc"), "layout 'nhwc', expected one of dense, planar"),
    (_edit("x", gap_rows=1), "gaps of a dense value are 0 to 0"),
    (_edit("x.planar", zero_point=256), "zero point of a u8 value is 0 to 255"),
    (_edit("x", zero_point=1), "zero point of a f32 value is 0 to 0"),
    (_edit("x.planar", shape=(1, 2, 3)), "a planar value has rank 4"),
    (_edit("x", shape=(-1, 3)), "negative dimension"),
    (_edit("x", shape=(1,) * 9), "rank 9, expected at most 8"),
    (_edit("axes", dtype="s32"), "data is int64"),
    (_edit("axes", shape=(3,)), r"data has the shape \[2\]"),
]


@pytest.mark.parametrize(("damage", "message"), REFUSALS, ids=[m for _, m in REFUSALS])
def test_invalid_program_is_refused(damage: Callable[[Program], object], message: str) -> None:
    program = small_program()
    damage(program)
    with pytest.raises(ValueError, match=message):
        program.validate()
