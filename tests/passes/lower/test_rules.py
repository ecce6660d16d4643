"""Fusion: what each rule makes of its pattern, and the patterns that it must leave alone."""

import numpy as np
import pytest

from tests.passes.lower.networks import RNG, Net, check, normal, reference, run, types

SHAPE = (1, 4, 6, 7)
TOLERANCE = 1e-4
"""Sums of some hundred products of standard normals, in another order than ONNX Runtime's."""


def conv(net, x, seed=0, channels=4, **attrs):
    weights = net.const(normal((channels, 4, 3, 3), seed)), net.const(normal([channels], seed + 9))
    return net.node("Conv", x, *weights, pads=[1, 1, 1, 1], **attrs)


def float_net():
    net = Net()
    return net, net.input("x", SHAPE)


def check_types(net, outputs, expected, **feed):
    program = check(net.model(*outputs), {"x": normal(SHAPE)} | feed, atol=TOLERANCE)
    assert types(program) == expected
    return program


class TestFloat:
    @pytest.mark.parametrize(("op", "bounds"), [("Relu", ()), ("Clip", (0.0, 6.0)), ("Clip", (-1.0, 0.5))])
    def test_activation_joins_the_convolution(self, op, bounds):
        net, x = float_net()
        y = net.node(op, conv(net, x), *(net.const(b, np.float32) for b in bounds))
        program = check_types(net, [y], ["to_planar", "conv_f32", "to_dense"])
        assert program.ops[1].attrs["clamp_lo"] == (bounds[0] if bounds else 0.0)
        assert program.ops[1].info["onnx"] == ["conv0", f"{op.lower()}1"]

    @pytest.mark.parametrize(("op", "domain"), [("HardSwish", ""), ("QuickGelu", "com.microsoft")])
    @pytest.mark.parametrize("residual", [False, True])
    def test_gated_activation_joins_the_convolution(self, op, domain, residual):
        net, x = float_net()
        a = net.on_planes(x)
        y = net.node("Add", a, conv(net, a)) if residual else conv(net, a)
        y = net.node(op, y, domain=domain, name="gate", **({"alpha": 1.3} if domain else {}))
        program = check(net.model(y, dtype=np.float32), {"x": normal(SHAPE)}, atol=TOLERANCE)
        assert types(program) == ["to_planar", "max_pool", "conv_f32", "to_dense"]
        assert (program.ops[2].attrs["gate"], len(program.ops[2].inputs)) == (2 if domain else 1, 1 + residual)

    def test_gates_that_stay_apart(self):
        net, x = float_net()
        relu = net.node("HardSwish", net.node("Relu", conv(net, x)))
        twice = net.node("HardSwish", net.node("HardSwish", conv(net, x, 1)))
        y = conv(net, x, 2)
        program = check(net.model(relu, twice, y, net.node("HardSwish", y)), {"x": normal(SHAPE)}, atol=TOLERANCE)
        assert types(program).count("unary_f32") == 3

    def test_a_gate_that_falls_stays_apart(self):
        net, x = float_net()
        falling = net.node("QuickGelu", conv(net, x), domain="com.microsoft", alpha=-0.7)
        program = check(net.model(falling, dtype=np.float32), {"x": normal(SHAPE)}, atol=TOLERANCE)
        assert "unary_f32" in types(program)

    def test_a_gate_of_one_pixel_stays_apart(self):
        net = Net()
        x = net.node("GlobalAveragePool", net.input("x", SHAPE))
        y = net.node("HardSwish", net.node("Conv", x, net.const(normal((5, 4, 1, 1)))))
        program = check(net.model(y), {"x": normal(SHAPE)}, atol=TOLERANCE)
        assert "gemm_f32" in types(program)
        assert "unary_f32" in types(program)

    def test_two_clamps_become_one(self):
        net, x = float_net()
        y = net.node("Clip", net.node("Relu", conv(net, x)), net.const(-1, np.float32), net.const(2, np.float32))
        program = check_types(net, [y], ["to_planar", "conv_f32", "to_dense"])
        assert (program.ops[1].attrs["clamp_lo"], program.ops[1].attrs["clamp_hi"]) == (0.0, 2.0)

    def test_other_activations_stay(self):
        net, x = float_net()
        check_types(net, [net.node("Tanh", conv(net, x))], ["to_planar", "conv_f32", "unary_f32"])

    def test_convolution_with_two_readers_keeps_its_output(self):
        net, x = float_net()
        y = conv(net, x)
        check_types(net, [net.node("Relu", y), net.node("Tanh", y)], ["to_planar", "conv_f32", "unary_f32", "unary_f32"])

    def test_convolution_that_is_an_output_keeps_it(self):
        net, x = float_net()
        y = conv(net, x)
        check_types(net, [y, net.node("Relu", y)], ["to_planar", "conv_f32", "to_dense", "unary_f32"])

    def test_sum_and_activation_join_the_convolution(self):
        net, x = float_net()
        a = net.on_planes(x)
        program = check_types(net, [net.node("Relu", net.node("Add", a, conv(net, a)))], ["to_planar", "max_pool", "conv_f32", "to_dense"])
        assert len(program.ops[2].inputs) == 2

    def test_of_two_convolutions_the_later_one_adds(self):
        net, x = float_net()
        first, second = conv(net, x), conv(net, x, 1)
        program = check_types(net, [net.node("Add", second, first)], ["to_planar", "conv_f32", "conv_f32", "to_dense"])
        assert program.ops[2].name == "conv1"
        assert program.ops[2].inputs[1] is program.ops[1].outputs[0]

    def test_sum_of_a_value_with_itself(self):
        net, x = float_net()
        y = conv(net, x)
        check_types(net, [net.node("Add", y, y)], ["to_planar", "conv_f32", "binary_f32"])

    def test_sum_after_an_activation_is_not_a_residual(self):
        net, x = float_net()
        a = net.on_planes(x)
        y = net.node("Add", net.node("Relu", conv(net, a)), a)
        check_types(net, [y], ["to_planar", "max_pool", "conv_f32", "binary_f32"])

    def test_sum_with_broadcasting_is_not_a_residual(self):
        net, x = float_net()
        y = net.node("Add", conv(net, x), net.input("b", (1, 1, 6, 1)))
        check_types(net, [y], ["to_planar", "conv_f32", "to_dense", "binary"], b=normal((1, 1, 6, 1)))

    def test_activation_joins_arithmetic(self):
        net, x = float_net()
        program = check_types(net, [net.node("Relu", net.node("Sub", net.on_planes(x), x))], ["to_planar", "max_pool", "binary_f32"])
        assert program.ops[2].attrs["clamp_lo"] == 0.0

    def test_activation_of_broadcast_arithmetic_stays_apart(self):
        net, x = float_net()
        y = net.node("Relu", net.node("Sub", x, net.input("b", (6, 1))))
        check_types(net, [y], ["binary", "clip"], b=normal((6, 1)))

    def test_activation_does_not_join_a_power(self):
        net, x = float_net()
        check_types(net, [net.node("Relu", net.node("Pow", x, net.const(2, np.float32)))], ["binary", "unary_f32"])

    def test_batch_normalization_that_no_convolution_takes_is_depthwise_with_its_activation(self):
        net, x = float_net()
        params = [net.const(np.abs(normal([4], i)) + 0.5) for i in range(4)]
        y = net.node("Relu", net.node("BatchNormalization", net.on_planes(x), *params))
        check_types(net, [y], ["to_planar", "max_pool", "depthwise_f32", "to_dense"])

    def test_dead_operators_are_left_out(self):
        net, x = float_net()
        conv(net, x)
        check_types(net, [net.node("Tanh", x)], ["unary_f32"])

    @pytest.mark.parametrize("groups", [2, 4])
    def test_channel_shuffle(self, groups):
        net = Net()
        x = net.node("Relu", net.input("x", (1, 8, 3, 5)))
        split = net.node("Reshape", net.on_planes(x), net.const([1, groups, 8 // groups, 3, 5], np.int64))
        y = net.node("Reshape", net.node("Transpose", split, perm=[0, 2, 1, 3, 4]), net.const([1, 8, 3, 5], np.int64))
        program = check(net.model(y), {"x": normal((1, 8, 3, 5))})
        assert types(program) == ["unary_f32", "max_pool", "channel_shuffle", "to_dense"]

    @pytest.mark.parametrize(
        ("split", "perm", "join"),
        [([1, 2, 4, 3, 5], [0, 2, 1, 4, 3], [1, 8, 5, 3]), ([1, 2, 4, 5, 3], [0, 2, 1, 3, 4], [1, 8, 3, 5])],
    )
    def test_what_is_not_a_channel_shuffle(self, split, perm, join):
        net = Net()
        x = net.on_planes(net.input("x", (1, 8, 3, 5)))
        turned = net.node("Transpose", net.node("Reshape", x, net.const(split, np.int64)), perm=perm)
        program = check(net.model(net.node("Reshape", turned, net.const(join, np.int64))), {"x": normal((1, 8, 3, 5))})
        assert "channel_shuffle" not in types(program)


X, Y, Z = (0.0213, 117), (0.0371, 90), (0.0529, 128)


class TestInt8:
    """Between the u8 input and output of each model everything is u8."""

    def net(self):
        net = Net()
        return net, net.dequantize(net.input("x", SHAPE, np.uint8), *X)

    def conv(self, net, x, seed=0, stride=1):
        w = RNG(seed).integers(-127, 128, (4, 4, 3, 3)).astype(np.int8)
        weights = net.dequantize(net.const(w), RNG(seed).uniform(0.002, 0.003, 4), np.zeros(4), np.int8, axis=0)
        return net.node("Conv", x, weights, pads=[1, 1, 1, 1], strides=[stride] * 2)

    def check(self, net, y, expected, steps=0, feed=None, dtype=None):
        """Within `steps` of ONNX Runtime, which computes in float between DequantizeLinear and QuantizeLinear; ties on halves aside."""
        model = net.model(y, dtype=dtype)
        feed = feed or {"x": RNG(1).integers(0, 256, SHAPE).astype(np.uint8)}
        program, [got] = run(model, feed, strict=True)
        difference = np.abs(got.astype(np.int64) - reference(model, feed)[0].astype(np.int64))
        assert difference.max() <= steps
        assert np.mean(difference > 0) < 0.01
        assert types(program) == expected
        return program

    def test_round_trip_with_equal_parameters_vanishes(self):
        net, x = self.net()
        self.check(net, net.quantize(net.round_trip(net.node("Sigmoid", x), *Y), *Y), ["lookup_u8"])

    def test_pool_works_on_u8(self):
        net, x = self.net()
        self.check(net, net.quantize(net.on_planes(x), *X), ["to_planar", "max_pool", "to_dense"])

    def test_other_parameters_after_a_pool_are_a_table(self):
        net, x = self.net()
        self.check(net, net.quantize(net.on_planes(x), *Y), ["to_planar", "max_pool", "lookup_u8"])

    def test_reshapes_work_on_u8(self):
        net, x = self.net()
        y = net.node("Transpose", net.node("Flatten", x), perm=[1, 0])
        self.check(net, net.quantize(y, *X), ["flatten", "transpose"])

    def test_shuffle_works_on_u8(self):
        net, x = self.net()
        split = net.node("Reshape", net.on_planes(x), net.const([1, 2, 2, 6, 7], np.int64))
        y = net.node("Reshape", net.node("Transpose", split, perm=[0, 2, 1, 3, 4]), net.const(SHAPE, np.int64))
        self.check(net, net.quantize(y, *X), ["to_planar", "max_pool", "channel_shuffle", "to_dense"])

    def test_shuffle_of_which_every_step_is_quantised(self):
        net, x = self.net()
        split = net.round_trip(net.node("Reshape", net.on_planes(x), net.const([1, 2, 2, 6, 7], np.int64)), *X)
        turned = net.round_trip(net.node("Transpose", split, perm=[0, 2, 1, 3, 4]), *X)
        y = net.node("Reshape", turned, net.const(SHAPE, np.int64))
        self.check(net, net.quantize(y, *X), ["to_planar", "max_pool", "channel_shuffle", "to_dense"])

    def test_nearest_neighbours_work_on_u8(self):
        net, x = self.net()
        y = net.node("Resize", x, "", net.const([1, 1, 2, 2], np.float32), mode="nearest", coordinate_transformation_mode="asymmetric")
        self.check(net, net.quantize(y, *X), ["to_planar", "resize_nearest", "to_dense"])

    def test_clamp_before_the_second_quantize_joins_the_convolution(self):
        net, x = self.net()
        y = net.node("Relu", net.round_trip(self.conv(net, x), *Y))
        program = self.check(net, net.quantize(net.on_planes(y), *Y), ["to_planar", "conv_u8s8", "max_pool", "to_dense"], 1)
        assert program.ops[1].attrs["clamp_lo"] == Y[1]

    def test_sum_joins_the_convolution_with_both_roundings(self):
        net, x = self.net()
        a, b = net.round_trip(self.conv(net, x), *Y), net.round_trip(self.conv(net, x, 1), *Z)
        y = net.quantize(net.node("Relu", net.node("Add", a, b)), 0.06, 10)
        program = self.check(net, y, ["to_planar", "conv_u8s8", "conv_u8s8", "to_dense"], 1)
        last = program.ops[2]
        assert last.inputs[1] is program.ops[1].outputs[0]
        assert (last.attrs["sum_lo"], last.attrs["sum_hi"]) == (10.0, 255.0)

    def test_sum_joined_has_the_bits_of_the_sum_apart(self):
        def build(apart):
            net, x = self.net()
            a, b = net.quantize(self.conv(net, x), *Y), net.round_trip(net.on_planes(x), *Z)
            y = net.quantize(net.node("Add", net.dequantize(a, *Y), b), 0.06, 10)
            return net.model(*([y, a] if apart else [y]))

        x = {"x": RNG(1).integers(0, 256, SHAPE).astype(np.uint8)}
        (together, [y]), (separate, [z, _]) = run(build(False), x), run(build(True), x)
        assert "add_u8" not in types(together)
        assert "add_u8" in types(separate)
        np.testing.assert_array_equal(y, z)

    def test_add_without_a_convolution(self):
        net, x = self.net()
        y = net.node("Add", x, net.round_trip(net.node("Sigmoid", x), *Y))
        net2, x2 = self.net()
        b = net2.dequantize(net2.input("b", SHAPE, np.uint8), *Z)
        feed = {n: RNG(i).integers(0, 256, SHAPE).astype(np.uint8) for i, n in enumerate("xb")}
        self.check(net2, net2.quantize(net2.node("Add", x2, b), *Y), ["add_u8"], 1, feed)
        self.check(net, net.quantize(y, *Z), ["lookup_u8"])

    def test_sum_of_shapes_that_may_differ_at_run_time(self):
        net = Net()
        a, b = (net.dequantize(net.input(n, (1, None, 5), np.uint8), *X) for n in "ab")
        y = net.quantize(net.node("Add", a, b), *Y)
        feed = {"a": RNG(1).integers(0, 256, (1, 4, 5)).astype(np.uint8), "b": RNG(2).integers(0, 256, (1, 1, 5)).astype(np.uint8)}
        program, [got] = run(net.model(y), feed)
        np.testing.assert_array_equal(got, reference(net.model(y), feed)[0])
        assert "add_u8" not in types(program)

    def test_concatenation_of_integers_with_other_zero_points(self):
        net = Net()
        x = net.input("x", SHAPE)
        parts = [net.on_planes(net.quantize(x, 0.03, zero_point)) for zero_point in (3, 130)]
        program = check(net.model(net.node("Concat", *parts, axis=1)), {"x": normal(SHAPE)})
        assert "concat" in types(program)

    def test_average_pools(self):
        net, x = self.net()
        y = net.node("AveragePool", x, kernel_shape=[3, 3])
        self.check(net, net.quantize(y, *Y), ["to_planar", "average_pool", "to_dense"], 1)
        net, x = self.net()
        self.check(net, net.quantize(net.node("GlobalAveragePool", x), *Y), ["to_planar", "global_average_pool"], 1)

    @pytest.mark.parametrize(("op", "domain"), [("HardSwish", ""), ("QuickGelu", "com.microsoft")])
    def test_gated_activation_joins_the_convolution(self, op, domain):
        net, x = self.net()
        y = net.node(op, self.conv(net, x), domain=domain, name="gate", **({"alpha": 1.3} if domain else {}))
        program = self.check(net, net.quantize(y, *Y), ["to_planar", "conv_u8s8", "to_dense"], 1, dtype=np.uint8 if domain else None)
        assert program.ops[1].attrs["gate"] == (2 if domain else 1)
        assert "gate" in program.ops[1].info["onnx"]

    def test_gate_that_falls_stays_apart(self):
        net, x = self.net()
        y = net.node("QuickGelu", self.conv(net, x), domain="com.microsoft", alpha=-0.7)
        self.check(net, net.quantize(y, *Y), ["to_planar", "conv_u8s8", "unary_f32", "quantize"], 1, dtype=np.uint8)

    def test_gate_with_two_readers_stays_apart(self):
        net, x = self.net()
        y = self.conv(net, x)
        y = net.quantize(net.node("Add", net.node("HardSwish", y), y), *Y)
        self.check(net, y, ["to_planar", "conv_u8s8", "unary_f32", "binary_f32", "quantize"], 1)

    def test_gate_of_a_convolution_is_no_place_for_a_residual(self):
        net, x = self.net()
        a = net.round_trip(net.on_planes(x), *Z)
        y = net.node("Add", net.round_trip(net.node("HardSwish", self.conv(net, x)), *Y), a)
        program = self.check(net, net.quantize(y, 0.06, 10), ["to_planar", "max_pool", "lookup_u8", "conv_u8s8", "add_u8"], 1)
        assert "gate" in program.ops[3].attrs

    def test_gate_of_a_convolution_over_pixels_joins_the_product(self):
        net, x = self.net()
        y = net.node("GlobalAveragePool", net.on_planes(x))
        w = net.const(RNG(0).integers(-127, 128, (9, 4, 1, 1)).astype(np.int8))
        w = net.dequantize(w, np.full(9, 0.01), np.zeros(9), np.int8, axis=0)
        y = net.node("HardSwish", net.node("Conv", net.round_trip(y, *X), w))
        expected = ["to_planar", "max_pool", "global_average_pool", "flatten", "gemm_u8s8", "reshape"]
        program = self.check(net, net.quantize(y, *Y), expected, 1)
        assert program.ops[4].attrs["gate"] == 1

    @pytest.mark.parametrize("shape", [(1, 4, 1, 1), (1, 1, 1, 1)])
    @pytest.mark.parametrize("swap", [False, True])
    def test_squeeze_and_excite(self, shape, swap):
        net, x = self.net()
        a, b = net.round_trip(net.on_planes(x), *X), net.node("HardSigmoid", net.input("b", shape))
        y = net.node("Mul", *((b, a) if swap else (a, b)))
        feed = {"x": RNG(1).integers(0, 256, SHAPE).astype(np.uint8), "b": normal(shape, 3)}
        self.check(net, net.quantize(y, *Y), ["to_planar", "max_pool", "unary_f32", "scale_u8", "to_dense"], 1, feed)

    @pytest.mark.parametrize("shape", [SHAPE, (1, 4, 6, 1), (1, 1, 6, 7)])
    def test_other_products_stay_in_float(self, shape):
        net, x = self.net()
        y = net.node("Mul", net.on_planes(x), net.input("b", shape))
        program, _ = run(net.model(net.quantize(y, *Y)), {"x": RNG(1).integers(0, 256, SHAPE).astype(np.uint8), "b": normal(shape, 3)})
        assert "scale_u8" not in types(program)

    def test_concatenation_requantizes_its_parts(self):
        net, x = self.net()
        y = net.node("Concat", net.on_planes(x), net.round_trip(self.conv(net, x), *Y), axis=1)
        expected = ["to_planar", "max_pool", "conv_u8s8", "lookup_u8", "concat_channels", "to_dense"]
        program = self.check(net, net.quantize(y, *Y), expected, 1)
        assert {v.zero_point for v in program.ops[4].inputs} == {Y[1]}

    def test_zero_point_that_differs_between_quantize_and_dequantize(self):
        net, x = self.net()
        q = net.quantize(net.node("Sigmoid", x), 1 / 255, 0)
        y = self.conv(net, net.dequantize(q, 1 / 255, 77))
        program = self.check(net, net.quantize(y, *Y), ["lookup_u8", "conv_u8s8", "to_dense"], 1)
        assert program.ops[0].outputs[0].zero_point == 77

    def test_convolution_writes_the_zero_point_that_its_reader_pads_with(self):
        net, x = self.net()
        y = self.conv(net, net.dequantize(net.quantize(self.conv(net, x), *Y), Y[0], 77))
        program = self.check(net, net.quantize(y, 0.1, 120), ["to_planar", "conv_u8s8", "conv_u8s8", "to_dense"], 1)
        assert program.ops[1].outputs[0].zero_point == 77

    def test_signed_activations_are_shifted_where_they_enter_and_leave(self):
        net = Net()
        x = net.dequantize(net.input("x", SHAPE, np.int8), 0.02, -11, np.int8)
        y = net.quantize(net.on_planes(x), 0.02, -11, np.int8)
        feed = {"x": RNG(1).integers(-128, 128, SHAPE).astype(np.int8)}
        program = self.check(net, y, ["shift_u8", "to_planar", "max_pool", "to_dense", "shift_u8"], 0, feed)
        assert program.ops[2].outputs[0].zero_point == 117

    def test_part_of_a_model_in_float(self):
        net, x = self.net()
        y = net.node("Tanh", self.conv(net, x))
        model = net.model(net.node("Conv", y, net.const(normal((2, 4, 1, 1)))))
        program, _ = run(model, {"x": RNG(1).integers(0, 256, SHAPE).astype(np.uint8)})
        assert types(program) == ["to_planar", "conv_u8s8", "unary_f32", "conv_f32", "to_dense"]
        assert not [op for op in program.ops if "slow" in op.info]
