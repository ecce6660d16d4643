"""The numbers of quantised operators, against ONNX Runtime's QuantizeLinear and exact arithmetic."""

import numpy as np
import pytest
from honed.passes.lower.draft import Weights
from honed.passes.lower.requantize import Quantization, Requantization, add_attrs, pool_attrs, requantization

from tests.passes.lower.networks import Net, reference


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
    np.testing.assert_array_equal(exact.offset, [7, 7])
    np.testing.assert_array_equal(real.init, [-10, -20])
    np.testing.assert_array_equal(real.offset, [9, 7.5])
    np.testing.assert_array_equal(real.scale, [0.25, 0.125])


def test_sums_beyond_32_bits():
    weights = Weights(np.full((1, 70000), 127), np.zeros(1, np.float32), np.ones(1, np.float32))
    assert requantization(weights, Quantization(1.0, 0), None) == "sums can overflow 32 bits"


def test_sum_and_pool():
    a, b, y = Quantization(0.5, 10), Quantization(1.0, 20), Quantization(2.0, 7)
    assert add_attrs(a, b, y) == {"scale_a": 0.25, "scale_b": 0.5, "offset": 7 - 2.5 - 10}
    assert pool_attrs(a, y) == {"scale": 0.25, "offset": 7.0}
