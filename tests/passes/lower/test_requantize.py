"""The numbers of quantised operators, against ONNX Runtime's QuantizeLinear and exact arithmetic."""

import numpy as np
import onnxruntime as ort
import pytest
from honed.passes.lower.draft import Weights
from honed.passes.lower.requantize import Quantization, Requantization, add_attrs, global_pool_attrs, pool_attrs, requantization

from tests.passes.lower.networks import Net, normal, reference, run, types


@pytest.mark.parametrize("scale", [0.1, 0.0371, 1 / 255, 3.3])
def test_quantisation_divides_and_rounds_as_onnx(scale):
    """Halves of a step and their neighbours are where a multiplication by 1 / scale would go wrong."""
    halves = ((np.arange(-300, 300) + 0.5) * np.float64(np.float32(scale))).astype(np.float32)
    x = np.concatenate([halves, np.nextafter(halves, np.float32(np.inf)), np.nextafter(halves, np.float32(-np.inf))])
    net = Net()
    model = net.model(net.quantize(net.input("x", x.shape), scale, 101))
    np.testing.assert_array_equal(Quantization(scale, 101).quantize(x), reference(model, {"x": x})[0])


def test_dequantisation():
    net = Net()
    q = np.arange(256, dtype=np.uint8)
    model = net.model(net.dequantize(net.input("x", q.shape, np.uint8), 0.0371, 101))
    np.testing.assert_array_equal(Quantization(0.0371, 101).dequantize(q), reference(model, {"x": q})[0])


def test_clamps_are_bounds_of_u8():
    q = Quantization(0.1, 100)
    assert q.clamps(0.0, np.inf) == (100.0, 255.0)
    assert q.clamps(-np.inf, 0.25) == (0.0, 102.0)


def test_bias_in_the_sum_or_in_the_offset():
    values, scales = np.array([[3, -2], [1, 1]]), np.array([0.5, 0.25], np.float32)
    x, y = Quantization(2.0, 10), Quantization(4.0, 7)
    exact = requantization(Weights(values, np.zeros(2, np.float32), scales, np.array([5, 6]), scales * np.float32(2)), x, y)
    real = requantization(Weights(values, np.array([8, 2], np.float32), scales), x, y)
    assert isinstance(exact, Requantization)
    assert isinstance(real, Requantization)
    np.testing.assert_array_equal(exact.init, [5 - 10, 6 - 20])
    np.testing.assert_array_equal(exact.offset, [0, 0])
    assert exact.zero_point == real.zero_point == 7
    np.testing.assert_array_equal(real.init, [-10, -20])
    np.testing.assert_array_equal(real.offset, [2, 0.5])
    np.testing.assert_array_equal(real.scale, [0.25, 0.125])


def test_sums_beyond_32_bits():
    weights = Weights(np.full((1, 70000), 127), np.zeros(1, np.float32), np.ones(1, np.float32))
    assert requantization(weights, Quantization(1.0, 0), None) == "sums can overflow 32 bits"


def test_sum_and_pool():
    a, b, y = Quantization(0.5, 10), Quantization(1.0, 20), Quantization(2.0, 7)
    assert add_attrs(a, b, y) == {"scale_a": 0.25, "scale_b": 0.5, "offset": 7 - 2.5 - 10}
    assert pool_attrs(a, y) == {"scale": 0.25, "offset": 7.0}
    assert global_pool_attrs(a, y) == {"input_scale": 0.5, "output_scale": 2.0, "zero_point": 7}


def optimised(model, feed):
    """ONNX Runtime as it runs by default: QLinear operators in place of what lies between DequantizeLinear and QuantizeLinear."""
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)


@pytest.mark.parametrize("seed", range(8))
def test_sums_of_all_pairs_have_the_bits_of_onnx_runtime(seed):
    rng = np.random.default_rng(seed)
    a, b = (x.astype(np.uint8).reshape(1, 1, 256, 256) for x in np.meshgrid(np.arange(256), np.arange(256)))
    scales, zeros = rng.uniform(0.01, 0.1, 2), rng.integers(0, 256, 3)
    net = Net()
    parts = [net.dequantize(net.input(name, a.shape, np.uint8), scales[i], zeros[i]) for i, name in enumerate("xy")]
    model = net.model(net.quantize(net.node("Add", *parts), scales.sum() * rng.uniform(0.2, 1), zeros[2]))
    program, outputs = run(model, {"x": a, "y": b})
    assert types(program) == ["add_u8"]
    np.testing.assert_array_equal(outputs[0], optimised(model, {"x": a, "y": b})[0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("conv_first", [False, True])
def test_quantised_blocks_have_the_bits_of_onnx_runtime(conv_first, seed):
    """Convolutions, depthwise and dense, a residual sum with the convolution on either side, a global pool and a product."""
    rng = np.random.default_rng(seed)

    def scale():
        return float(rng.uniform(0.01, 0.03))

    def conv(x, channels, size, group):
        w, s = rng.integers(-127, 128, (channels, channels // group, size, size)).astype(np.int8), rng.uniform(0.001, 0.004, channels)
        y = net.node("Conv", x, net.dequantize(net.const(w), s, np.zeros(channels), np.int8, axis=0), group=group, pads=[size // 2] * 4)
        return net.round_trip(y, scale(), int(rng.integers(0, 256)))

    net = Net()
    x = net.round_trip(net.input("x", [1, 32, 33, 35]), scale(), 120)
    y = conv(conv(x, 32, 3, 32), 32, 1, 1)
    total = net.round_trip(net.node("Add", *([y, x] if conv_first else [x, y])), scale(), 99)
    pooled = net.round_trip(net.node("Flatten", net.node("GlobalAveragePool", total)), scale() / 4, 100)
    w = net.dequantize(net.const(rng.integers(-127, 128, (32, 300)).astype(np.int8)), 0.002, 0, np.int8)
    model = net.model(net.dequantize(net.quantize(net.node("MatMul", pooled, w), 0.001, 128), 0.001, 128), total)
    feed = {"x": normal((1, 32, 33, 35))}
    program, outputs = run(model, feed)
    assert not [name for name in types(program) if name.endswith("_f32")]
    for actual, expected in zip(outputs, optimised(model, feed), strict=True):
        np.testing.assert_array_equal(actual, expected)
