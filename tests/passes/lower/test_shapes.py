"""Shapes that models compute: what becomes a number, a copied size or the size of another tensor, and what cannot."""

import numpy as np
import pytest
from honed.graph import ModelError
from honed.passes.lower import lower

from tests.passes.lower.networks import Net, check, normal, types


def sizes(net, x, *indices):
    """The dimensions of x at `indices`, one after the other, as exporters write it."""
    numbers = [net.node("Gather", net.node("Shape", x), net.const(i, np.int64)) for i in indices]
    parts = [net.node("Unsqueeze", number, net.const([0], np.int64)) for number in numbers]
    return net.node("Concat", *parts, axis=0)


def test_reshape_to_the_batch_and_the_rest():
    net = Net()
    x = net.input("x", ("n", 4, 3, 5))
    y = net.node("Reshape", x, net.node("Concat", sizes(net, x, 0), net.const([-1], np.int64), axis=0))
    for n in (1, 3):
        program = check(net.model(y, dtype=np.float32, rank=2), {"x": normal((n, 4, 3, 5))})
    assert types(program) == ["flatten"]


def test_reshape_with_two_sizes_of_the_input_in_place():
    net = Net()
    x = net.input("x", ("n", "c", "h", 4))
    y = net.node("Reshape", x, net.node("Concat", sizes(net, x, 0, 1), net.const([-1], np.int64), axis=0))
    check(net.model(y, dtype=np.float32, rank=3), {"x": normal((2, 3, 5, 4))})


def test_reshape_to_sizes_that_are_not_in_place_is_refused():
    net = Net()
    x = net.input("x", ("a", "b", "c", 4))
    y = net.node("Reshape", x, sizes(net, x, 2, 0, 1, 3), name="bad")
    with pytest.raises(ModelError, match=r"bad \(Reshape\): the shape .* holds more than one size that is not one of the input's"):
        lower(net.model(y, dtype=np.float32))


def test_reshape_to_a_graph_input_is_refused():
    net = Net()
    y = net.node("Reshape", net.input("x", (2, 3)), net.input("shape", (2,), np.int64), name="bad")
    with pytest.raises(ModelError, match=r"bad \(Reshape\): the shape is computed at run time"):
        lower(net.model(y, dtype=np.float32, rank=2))


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_resize_to_the_size_of_the_input(mode):
    net = Net()
    x = net.input("x", ("n", 3, "h", "w"))
    small = net.node("Conv", x, net.const(normal((2, 3, 3, 3))), strides=[2, 2])
    target = net.node("Concat", net.node("Slice", net.node("Shape", small), net.const([0]), net.const([2])), sizes(net, x, 2, 3), axis=0)
    y = net.node("Resize", small, "", "", target, mode=mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    for size in [(9, 11), (12, 7)]:
        program = check(net.model(y, dtype=np.float32), {"x": normal((1, 3, *size))}, atol=1e-4)  # linear: positions are rounded to float32
    [resize] = [op for op in program.ops if op.type == f"resize_{mode}"]
    assert resize.inputs[1] is program.inputs[0]


@pytest.mark.parametrize(
    ("inputs", "attrs"),
    [
        (["", [1, 1, 2, 2.5]], {}),
        (["", [1, 1, 0.5, 3]], {"mode": "linear"}),
        (["", [], [1, 3, 9, 5]], {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        (["", [], [1, 3, 9, 5]], {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        (["", [2, 3]], {"axes": [2, 3]}),
        (["", [], [9, 14]], {"axes": [2, 3], "mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}),
        (["", [], [1, 3, 9, 5]], {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1}),
        (["", [1, 1, 0.5, 3]], {"mode": "cubic", "coordinate_transformation_mode": "asymmetric"}),
        (["", [], [1, 3, 3, 5]], {"mode": "linear", "antialias": 1, "exclude_outside": 1}),
        (["", [], [9, 14]], {"axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}),
        (["", [], [20, 14]], {"axes": [3, 2], "keep_aspect_ratio_policy": "not_smaller", "mode": "linear"}),
        (["", [], [20]], {"axes": [3], "keep_aspect_ratio_policy": "not_smaller", "mode": "cubic"}),
        (
            [[0, 0, 0.1, 0.2, 1, 1, 0.9, 1.3], [], [1, 3, 4, 9]],
            {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 2.0},
        ),
        (
            [[0.1, 0.2, 0.9, 1.3], [], [4, 9]],
            {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize", "axes": [3, 2]},
        ),
    ],
)
@pytest.mark.parametrize("shape", [(1, 3, 6, 7), (1, 3, "h", "w")])
def test_resize(inputs, attrs, shape):
    net = Net(opset=18)
    dtypes = [np.float32, np.float32, np.int64]
    names = ["" if len(i) == 0 else net.const(i, dtypes[k]) for k, i in enumerate(inputs)]
    y = net.node("Resize", net.input("x", shape), *names, **attrs)
    check(net.model(net.node("Relu", y)), {"x": normal((1, 3, 6, 7))}, atol=1e-4)  # linear: positions are rounded to float32


@pytest.mark.parametrize(
    ("shape", "attrs", "reason"),
    [
        ((3, 6, 7), {}, "rank 3, expected 4"),
        ((1, 3, 6, 7), {"keep_aspect_ratio_policy": "not_larger"}, "keep_aspect_ratio_policy not_larger over batch and channels"),
        ((1, 3, 6, 7), {"coordinate_transformation_mode": "tf_crop_and_resize"}, "the region of interest is not constant"),
        ((1, 3, 6, 7), {"coordinate_transformation_mode": "other"}, "coordinate_transformation_mode other"),
    ],
)
def test_resize_refusals(shape, attrs, reason):
    net = Net(opset=18)
    y = net.node("Resize", net.input("x", shape), "", "", net.const([*shape[:-1], 9], np.int64), name="bad", **attrs)
    with pytest.raises(ModelError, match=rf"bad \(Resize\): {reason}"):
        lower(net.model(y, dtype=np.float32, rank=len(shape)))


def test_regions_of_batch_and_channels_are_refused():
    net = Net(opset=18)
    region = net.const([0, 0.5, 0, 0, 1, 1, 1, 1], np.float32)
    attrs = {"coordinate_transformation_mode": "tf_crop_and_resize", "mode": "linear"}
    y = net.node("Resize", net.input("x", (1, 3, 6, 7)), region, net.const([1, 1, 2, 2], np.float32), name="bad", **attrs)
    with pytest.raises(ModelError, match=r"bad \(Resize\): a region \[0.0, 0.5\] to \[1.0, 1.0\] of batch and channels"):
        lower(net.model(y))


def test_resize_to_sizes_of_no_tensor_is_refused():
    net = Net()
    x = net.input("x", (1, 3, "h", "w"))
    double = net.node("Mul", sizes(net, x, 2, 3), net.const([3, 5], np.int64))
    target = net.node("Concat", net.const([1, 3], np.int64), double, axis=0)
    with pytest.raises(ModelError, match=r"bad \(Resize\): sizes \['\(h\)\*3', '\(w\)\*5'\] are not those of any tensor before it"):
        lower(net.model(net.node("Resize", x, "", "", target, name="bad"), dtype=np.float32))


def test_shape_as_an_output():
    net = Net()
    x = net.input("x", ("n", 3, "h"))
    check(net.model(net.node("Shape", x, start=1), net.node("Relu", x)), {"x": normal((2, 3, 5))})


def test_slice_with_sizes_of_the_input():
    net = Net()
    x = net.input("x", ("n", 8, 5, 5))
    half = net.node("Div", net.node("Gather", net.node("Shape", x), net.const([1], np.int64)), net.const([2], np.int64))
    y = net.node("Slice", net.on_planes(x), net.const([0], np.int64), half, net.const([1], np.int64))
    program = check(net.model(net.node("Tanh", y)), {"x": normal((2, 8, 5, 5))})
    assert types(program) == ["to_planar", "max_pool", "slice_channels", "unary_f32"]


def test_endless_chain_of_shapes_is_not_followed():
    net = Net()
    x = net.input("x", (1, 3, "h", "w"))
    target = net.node("Shape", x)
    for _ in range(1200):
        target = net.node("Add", target, net.const([0, 0, 1, 2], np.int64))
    with pytest.raises(ModelError, match=r"bad \(Resize\): scales or sizes are not constant"):
        lower(net.model(net.node("Resize", x, "", "", target, name="bad"), dtype=np.float32))


def test_constant_of_shape():
    net = Net()
    x = net.input("x", ("n", 3))
    zeros = net.node("ConstantOfShape", net.node("Slice", net.node("Shape", x), net.const([1]), net.const([2])))
    check(net.model(net.node("Add", x, zeros)), {"x": normal((2, 3))})


@pytest.mark.parametrize("op", ["Expand", "Tile", "ConstantOfShape"])
def test_targets_computed_at_run_time_are_refused(op):
    net = Net()
    x = net.input("x", ("n", "m"))
    shape = net.node("Shape", x)
    y = net.node(op, *([shape] if op == "ConstantOfShape" else [x, shape]), name="bad")
    with pytest.raises(ModelError, match=rf"bad \({op}\): .* is computed at run time"):
        lower(net.model(y, dtype=np.float32, rank=2))
