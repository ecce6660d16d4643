"""Views and data movement of dense tensors, against NumPy and onnx.reference. Every result is exact."""

from __future__ import annotations

import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

DTYPES = {"f32": np.float32, "f64": np.float64, "s64": np.int64, "s32": np.int32, "u8": np.uint8, "s8": np.int8, "bool": np.bool_}
EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True)


def numbers(shape: tuple[int, ...], dtype: str = "f32") -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int)).astype(DTYPES[dtype]).reshape(shape)


def run(
    name: str, x: np.ndarray, *consts: list[int], outputs: int = 1, dtype: str = "f32", splits: int = 1, **attrs: int
) -> list[np.ndarray]:
    lists = [np.array(c, np.int64) for c in consts]
    return Operator(name, [TensorSpec(dtype)], [TensorSpec(dtype)] * outputs, attrs, lists).run([x], splits)


def onnx_node(op: str, inputs: list[np.ndarray], outputs: int = 1, **attrs: object) -> list[np.ndarray]:
    """The result of onnx.reference for one node."""
    names = [f"x{i}" for i in range(len(inputs))]
    values = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in zip(names, inputs, strict=True)
    ]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, **attrs)
    ys = [helper.make_tensor_value_info(y, TensorProto.UNDEFINED, None) for y in results]
    model = helper.make_model(helper.make_graph([node], "one", values, ys), opset_imports=[helper.make_opsetid("", 21)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))


shapes = st.lists(st.integers(1, 6), min_size=0, max_size=5).map(tuple)


@pytest.mark.parametrize(
    ("shape", "target", "attrs"),
    [
        ((2, 3, 4), (6, 4), {}),
        ((2, 3, 4), (2, 12), {"dim0": 0, "dim1": -1}),
        ((2, 3, 4), (24,), {"dim0": -1}),
        ((1,), (), {}),
        ((0, 3), (3, 0), {"dim0": 3, "dim1": 0, "allowzero": 1}),
    ],
)
def test_reshape_copies_and_infers_dimensions(shape: tuple[int, ...], target: tuple[int, ...], attrs: dict[str, int]) -> None:
    x = numbers(shape)
    attrs = {"rank": len(target), **{f"dim{i}": d for i, d in enumerate(target)}, **attrs}
    np.testing.assert_array_equal(run("reshape", x, **attrs)[0], x.reshape(target))


@pytest.mark.parametrize(
    ("shape", "attrs", "message"),
    [
        ((2, 3), {"rank": 2, "dim0": 4, "dim1": -1}, r"f32 dense \[2,3\] has 6 elements, which do not fit"),
        ((2, 3), {"rank": 3, "dim0": 2, "dim1": 3}, "copied from a tensor of rank 2"),
        ((0, 3), {"rank": 2, "dim0": 0, "dim1": -1}, "do not fit"),
        ((2, 3), {"rank": 2, "dim0": 7, "dim1": 1}, "do not fit"),
        ((2, 3), {"rank": 8, **{f"dim{i}": 2**31 - 1 for i in range(8)}}, "do not fit"),
    ],
)
def test_reshape_refuses_shapes_that_do_not_fit(shape: tuple[int, ...], attrs: dict[str, int], message: str) -> None:
    with pytest.raises(KernelError, match=message):
        run("reshape", numbers(shape), **attrs)


def test_reshape_refuses_two_dimensions_to_infer() -> None:
    with pytest.raises(KernelError, match="2 dimensions to infer"):
        Operator("reshape", [TensorSpec()], [TensorSpec()], {"rank": 2, "dim0": -1, "dim1": -1})


@pytest.mark.parametrize("axis", [-3, -1, 0, 1, 2, 3])
def test_flatten_has_two_dimensions(axis: int) -> None:
    x = numbers((2, 3, 4))
    np.testing.assert_array_equal(run("flatten", x, axis=axis)[0], onnx_node("Flatten", [x], axis=axis)[0])


def test_squeeze_and_unsqueeze_move_dimensions_of_one() -> None:
    x = numbers((1, 3, 1, 4, 1))
    np.testing.assert_array_equal(run("squeeze", x)[0], x.squeeze())
    np.testing.assert_array_equal(run("squeeze", x, [0, -1])[0], x.squeeze((0, -1)))
    np.testing.assert_array_equal(run("unsqueeze", x, [1, -1])[0], np.expand_dims(x, (1, -1)))
    with pytest.raises(KernelError, match="dimension 1 is 3, expected 1"):
        run("squeeze", x, [1])
    with pytest.raises(KernelError, match="axis 2 is named twice"):
        run("unsqueeze", x, [2, -5])
    with pytest.raises(KernelError, match="rank 9"):
        run("unsqueeze", x, [0, 1, 2, 3])


@EXAMPLES
@given(data=st.data(), shape=shapes, dtype=st.sampled_from(sorted(DTYPES)), splits=st.integers(1, 3))
def test_transpose_of_any_permutation(data: st.DataObject, shape: tuple[int, ...], dtype: str, splits: int) -> None:
    perm = data.draw(st.permutations(range(len(shape))))
    x = numbers(shape, dtype)
    np.testing.assert_array_equal(run("transpose", x, perm, dtype=dtype, splits=splits)[0], x.transpose(perm))


@pytest.mark.parametrize("dtype", ["f32", "u8", "s64"])
@pytest.mark.parametrize(
    ("shape", "perm"), [((150, 67), (1, 0)), ((2, 70, 3, 33), (0, 3, 1, 2)), ((33, 5, 64, 3), (2, 1, 0, 3)), ((3, 64, 130), (0, 2, 1))]
)
def test_transpose_in_tiles(shape: tuple[int, ...], perm: tuple[int, ...], dtype: str) -> None:
    x = numbers(shape, dtype)
    for splits in (1, 3):
        np.testing.assert_array_equal(run("transpose", x, list(perm), dtype=dtype, splits=splits)[0], x.transpose(perm))


def test_transpose_refuses_what_is_no_permutation_of_the_dimensions() -> None:
    with pytest.raises(KernelError, match="named twice"):
        run("transpose", numbers((2, 2)), [0, 0])
    with pytest.raises(KernelError, match="axis 5"):
        run("transpose", numbers((2, 2)), [0, 5])
    with pytest.raises(KernelError, match="permutation of 2 dimensions for a rank of 3"):
        run("transpose", numbers((2, 2, 2)), [1, 0])


@EXAMPLES
@given(data=st.data(), shape=shapes.filter(len), dtype=st.sampled_from(sorted(DTYPES)), splits=st.integers(1, 3))
def test_slice_with_any_bounds_and_steps(data: st.DataObject, shape: tuple[int, ...], dtype: str, splits: int) -> None:
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    bound = st.one_of(st.integers(-9, 9), st.sampled_from([-(2**63), 2**63 - 1]))
    starts, ends = (data.draw(st.lists(bound, min_size=len(axes), max_size=len(axes))) for _ in range(2))
    step = st.one_of(st.integers(1, 3), st.integers(-3, -1), st.sampled_from([2**63 - 1, -(2**63) + 1]))
    steps = data.draw(st.lists(step, min_size=len(axes), max_size=len(axes)))
    index = [slice(None)] * len(shape)
    for axis, start, end, by in zip(axes, starts, ends, steps, strict=True):
        # ONNX starts at element 0 where a backward start lies before the beginning; NumPy takes nothing.
        index[axis] = slice(max(start, -shape[axis]) if by < 0 else start, end, by)
    x = numbers(shape, dtype)
    np.testing.assert_array_equal(run("slice", x, starts, ends, axes, steps, dtype=dtype, splits=splits)[0], x[tuple(index)])


def test_slice_refuses_lists_that_do_not_fit() -> None:
    x = numbers((4, 4))
    with pytest.raises(KernelError, match="step 0"):
        run("slice", x, [0], [1], [0], [0])
    with pytest.raises(KernelError, match="2 starts, 1 ends, 1 axes and 1 steps"):
        run("slice", x, [0, 0], [1], [0], [1])
    with pytest.raises(KernelError, match="axis 2 of a tensor of rank 2"):
        run("slice", x, [0], [1], [2], [1])
    with pytest.raises(KernelError, match="expected a list of at most 8 of s64"):
        run("slice", x, [0] * 9, [1], [2], [1])


@pytest.mark.parametrize(("axis", "sizes"), [(0, [1, 4, 2]), (1, [0, 6, 0]), (-1, [3, 2, 4])])
def test_split_into_given_sizes(axis: int, sizes: list[int]) -> None:
    x = numbers((7, 6, 9))
    for splits in (1, 3):
        parts = run("split", x, sizes, outputs=3, axis=axis, splits=splits)
        for part, expected in zip(parts, np.split(x, np.cumsum(sizes)[:-1], axis), strict=True):
            np.testing.assert_array_equal(part, expected)


def test_split_into_equal_parts_leaves_the_rest_to_the_last() -> None:
    x = numbers((7, 6))
    for part, expected in zip(run("split", x, outputs=3, axis=0), onnx_node("Split", [x], 3, axis=0, num_outputs=3), strict=True):
        np.testing.assert_array_equal(part, expected)
    with pytest.raises(KernelError, match="do not add up to 7"):
        run("split", x, [3, 3], outputs=2)
    with pytest.raises(KernelError, match="do not add up to 7"):
        run("split", x, [9, -2], outputs=2)


@EXAMPLES
@given(data=st.data(), shape=shapes.filter(len), dtype=st.sampled_from(sorted(DTYPES)), splits=st.integers(1, 3))
def test_concat_along_any_axis(data: st.DataObject, shape: tuple[int, ...], dtype: str, splits: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    xs = []
    for i, length in enumerate(lengths):
        own = list(shape)
        own[axis] = length
        xs.append(numbers(tuple(own), dtype) + DTYPES[dtype](i))
    op = Operator("concat", [TensorSpec(dtype)] * len(xs), [TensorSpec(dtype)], {"axis": axis})
    np.testing.assert_array_equal(op.run(xs, splits)[0], np.concatenate(xs, axis))


def test_concat_refuses_other_dimensions_than_the_axis_to_differ() -> None:
    op = Operator("concat", [TensorSpec()] * 2, [TensorSpec()], {"axis": 1})
    with pytest.raises(KernelError, match=r"\[2,3\] and f32 dense \[3,3\]: expected equal dimensions except 1"):
        op.run([numbers((2, 3)), numbers((3, 3))])


@EXAMPLES
@given(data=st.data(), shape=shapes, splits=st.integers(1, 3))
def test_expand_and_tile_repeat(data: st.DataObject, shape: tuple[int, ...], splits: int) -> None:
    x = numbers(tuple(data.draw(st.sampled_from([1, d])) for d in shape))
    np.testing.assert_array_equal(run("expand", x, list(shape), splits=splits)[0], np.broadcast_to(x, shape))
    repeats = data.draw(st.lists(st.integers(0, 3), min_size=len(shape), max_size=len(shape)))
    np.testing.assert_array_equal(run("tile", x, repeats, splits=splits)[0], np.tile(x, repeats))


def test_expand_broadcasts_both_ways_and_refuses_what_does_not() -> None:
    x = numbers((3, 1))
    np.testing.assert_array_equal(run("expand", x, [2, 1, 4])[0], np.broadcast_to(x, (2, 3, 4)))
    np.testing.assert_array_equal(run("expand", x, [1])[0], x)
    with pytest.raises(KernelError, match="do not broadcast"):
        run("expand", x, [2, 1])
    with pytest.raises(KernelError, match="1 repeats for a tensor of rank 2"):
        run("tile", x, [2])


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_and_space_are_exchanged(mode: str) -> None:
    x = numbers((2, 18, 3, 5))
    y = run("depth_to_space", x, blocksize=3, mode=("DCR", "CRD").index(mode))[0]
    np.testing.assert_array_equal(y, onnx_node("DepthToSpace", [x], blocksize=3, mode=mode)[0])
    np.testing.assert_array_equal(run("space_to_depth", y, blocksize=3)[0], onnx_node("SpaceToDepth", [y], blocksize=3)[0])
    expected = np.reshape(np.transpose(y.reshape(2, 2, 3, 3, 5, 3), (0, 1, 3, 5, 2, 4)), x.shape)
    np.testing.assert_array_equal(run("space_to_depth", y, blocksize=3, mode=1)[0], expected)
    with pytest.raises(KernelError, match="that blocks of 4 x 4 divide"):
        run("depth_to_space", x, blocksize=4)


@pytest.mark.parametrize("mode", [0, 1])
def test_blocks_of_unequal_sides(mode: int) -> None:
    x = numbers((2, 12, 4, 5))
    y = run("depth_to_space", x, blocksize=2, block_w=3, mode=mode)[0]
    split = (0, 3, 4, 1, 5, 2) if mode == 0 else (0, 1, 4, 2, 5, 3)
    channels = (2, 3, 2) if mode == 0 else (2, 2, 3)
    np.testing.assert_array_equal(y, x.reshape(2, *channels, 4, 5).transpose(split).reshape(2, 2, 8, 15))
    np.testing.assert_array_equal(run("space_to_depth", y, blocksize=2, block_w=3, mode=mode)[0], x)
    with pytest.raises(KernelError, match="that blocks of 2 x 4 divide"):
        run("space_to_depth", y, blocksize=2, block_w=4)


def test_movement_refuses_another_dtype_of_the_output() -> None:
    with pytest.raises(KernelError, match="output 0 is f32, expected u8"):
        Operator("transpose", [TensorSpec("u8")], [TensorSpec("f32")], {}, [np.array([0])])


@EXAMPLES
@given(data=st.data(), shape=shapes.filter(len), dtype=st.sampled_from(sorted(DTYPES)), splits=st.integers(1, 3))
def test_gather_by_constant_and_by_input(data: st.DataObject, shape: tuple[int, ...], dtype: str, splits: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    dim = shape[axis]
    index_shape = data.draw(st.lists(st.integers(0, 3), max_size=2))
    index = data.draw(st.lists(st.integers(-dim, dim - 1), min_size=int(np.prod(index_shape)), max_size=int(np.prod(index_shape))))
    indices, x = np.array(index, np.int64).reshape(index_shape), numbers(shape, dtype)
    expected = np.take(x, indices, axis)
    out = [TensorSpec(dtype)]
    constant = Operator("gather", [TensorSpec(dtype)], out, {"axis": axis}, [indices])
    np.testing.assert_array_equal(constant.run([x], splits)[0], expected)
    for index_type in ("s64", "s32"):
        dynamic = Operator("gather", [TensorSpec(dtype), TensorSpec(index_type)], out, {"axis": axis})
        np.testing.assert_array_equal(dynamic.run([x, indices.astype(DTYPES[index_type])], splits)[0], expected)


def test_gather_stays_inside_whatever_the_indices() -> None:
    x = numbers((3, 2))
    op = Operator("gather", [TensorSpec(), TensorSpec("s64")], [TensorSpec()])
    np.testing.assert_array_equal(op.run([x, np.array([-(2**63), -4, 3, 2**63 - 1])])[0], x[[0, 0, 2, 2]])
    with pytest.raises(KernelError, match="index 3 of a dimension of 3"):
        Operator("gather", [TensorSpec()], [TensorSpec()], {}, [np.array([3])]).run([x])
    with pytest.raises(KernelError, match="nothing to gather from"):
        op.run([numbers((0, 2)), np.array([0])])
    with pytest.raises(KernelError, match="indices are f32"):
        Operator("gather", [TensorSpec(), TensorSpec()], [TensorSpec()])
    with pytest.raises(KernelError, match="0 constants, expected 1"):
        Operator("gather", [TensorSpec()], [TensorSpec()])


PAD_MODES = ["constant", "reflect", "edge", "wrap"]


@EXAMPLES
@given(data=st.data(), shape=shapes, mode=st.sampled_from(PAD_MODES), dtype=st.sampled_from(["f32", "s64", "u8"]), splits=st.integers(1, 3))
def test_pad_in_every_mode(data: st.DataObject, shape: tuple[int, ...], mode: str, dtype: str, splits: int) -> None:
    pads = [(data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7))) for _ in shape]
    x = numbers(shape, dtype) + DTYPES[dtype](1)
    flat = [begin for begin, _ in pads] + [end for _, end in pads]
    consts: list[np.ndarray] = [np.array(flat, np.int64)]
    if mode == "constant":
        consts.append(np.array([9], DTYPES[dtype]))
    op = Operator("pad", [TensorSpec(dtype)], [TensorSpec(dtype)], {"mode": PAD_MODES.index(mode)}, consts)
    expected = np.pad(x, pads, mode, **({"constant_values": 9} if mode == "constant" else {})) if shape else x
    np.testing.assert_array_equal(op.run([x], splits)[0], expected)


@EXAMPLES
@given(data=st.data(), shape=shapes.filter(len))
def test_negative_pads_crop(data: st.DataObject, shape: tuple[int, ...]) -> None:
    x, pads, expected = numbers(shape), [], numbers(shape)
    for axis, dim in enumerate(shape):
        begin = data.draw(st.integers(-dim, 3))
        pads.append((begin, data.draw(st.integers(-(dim + begin), 3))))
        width = [(0, 0)] * len(shape)
        width[axis] = (max(begin, 0), max(pads[-1][1], 0))
        expected = np.pad(expected, width)
        # What both ends cut off, from what both ends added to.
        length = dim + sum(pads[-1])
        expected = np.take(expected, range(max(-begin, 0), max(-begin, 0) + length), axis)
    flat = [begin for begin, _ in pads] + [end for _, end in pads]
    np.testing.assert_array_equal(run("pad", x, flat)[0], expected)


def test_pad_refuses() -> None:
    with pytest.raises(KernelError, match="2 pads for a tensor of rank 2"):
        run("pad", numbers((2, 2)), [1, 1])
    with pytest.raises(KernelError, match="cannot be padded by -3 and 0"):
        run("pad", numbers((2,)), [-3, 0])
    with pytest.raises(KernelError, match="dimension 0 is -1"):
        run("pad", numbers((2,)), [-2, -1])
    with pytest.raises(KernelError, match="nothing to pad with"):
        run("pad", numbers((0,)), [1, 1], mode=1)
    with pytest.raises(KernelError, match="constant 1 has 1 elements of s64, expected 1 of f32"):
        run("pad", numbers((2,)), [1, 1], [0])
    with pytest.raises(KernelError, match="cannot be padded"):
        run("pad", numbers((2,)), [2**62, 2**62])


@pytest.mark.parametrize(("start", "end"), [(0, None), (1, None), (-2, None), (0, -1), (1, 2), (2, 1), (-9, 9)])
def test_shape_of_some_dimensions(start: int, end: int | None) -> None:
    x = numbers((4, 0, 2, 7))
    attrs = {"start": start} if end is None else {"start": start, "end": end}
    y = Operator("shape_of", [TensorSpec()], [TensorSpec("s64")], attrs).run([x])[0]
    np.testing.assert_array_equal(y, onnx_node("Shape", [x], **attrs)[0])
