"""Residuals whose memory the output of their convolution takes over, and those that are needed afterwards."""

import numpy as np
import pytest
from honed import InferenceSession

from tests.passes.lower.networks import Net, normal, reference

CHANNELS = 24
SHAPES = [(2, CHANNELS, 12, 12), (1, CHANNELS, 7, 7), (3, CHANNELS, 9, 23)]


def sparse(net: Net, x: str, seed: int, pads: int = 0) -> str:
    kernel = 1 + 2 * pads
    weights = normal((CHANNELS, CHANNELS, kernel, kernel), seed, 0.3)
    weights[np.random.default_rng(seed).random(weights.shape) < 0.9] = 0
    return net.node("Conv", x, net.const(weights), pads=[pads] * 4)


def joined(net: Net, x: str, residual: str, seed: int) -> str:
    return net.node("Relu", net.node("Add", sparse(net, x, seed), residual))


def chain(net: Net, x: str) -> list[str]:
    """Each residual is read for the last time where it is added."""
    y = net.on_planes(x)
    for seed in (1, 2, 3):
        y = joined(net, sparse(net, y, 10 + seed, pads=1), y, seed)
    return [net.on_planes(y)]


def read_again(net: Net, x: str) -> list[str]:
    a = net.on_planes(x)
    b = joined(net, sparse(net, a, 4, pads=1), a, 5)
    return [net.on_planes(joined(net, b, a, 6))]


def is_an_output(net: Net, x: str) -> list[str]:
    a = net.on_planes(x)
    return [a, net.on_planes(joined(net, sparse(net, a, 4, pads=1), a, 5))]


def is_the_input(net: Net, x: str) -> list[str]:
    return [net.on_planes(joined(net, sparse(net, x, 4, pads=1), x, 5))]


def is_multiplied_too(net: Net, x: str) -> list[str]:
    a = net.on_planes(x)
    return [net.on_planes(joined(net, a, a, 5))]


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512", None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("parts", [chain, read_again, is_an_output, is_the_input, is_multiplied_too])
def test_results_are_those_of_separate_memory(parts, shape, isa, monkeypatch):
    monkeypatch.setenv("HONED_ISA", isa or "")
    net = Net()
    model = net.model(*parts(net, net.input("x", shape)))
    feed = {"x": normal(shape, 9)}
    session = InferenceSession(model.SerializeToString(), threads=2)
    for _ in range(2):
        for y, expected in zip(session.run(None, feed), reference(model, feed), strict=True):
            np.testing.assert_allclose(y, expected, atol=1e-5, rtol=1e-5)


def test_memory_is_shared():
    """A chain needs planes for two values at a time; where its residual is read again, for three."""
    needed = []
    for parts in (chain, read_again):
        net = Net()
        session = InferenceSession(net.model(*parts(net, net.input("x", SHAPES[0]))).SerializeToString(), threads=1)
        session.run(None, {"x": normal(SHAPES[0])})
        needed.append(session.memory_bytes())
    planes = 4 * SHAPES[0][0] * CHANNELS * 192
    assert needed[0] + planes / 2 < needed[1]
