"""Inputs whose memory the output of their operator takes over, and those that are needed afterwards."""

import numpy as np
import pytest
from honed import InferenceSession
from honed._runtime import Engine, Model, Session
from honed.kernels.codes import BINARY, UNARY
from honed.passes.lower.artifact import write_artifact
from honed.passes.lower.program import Op, Program, Value

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


def gated(net: Net, x: str) -> list[str]:
    a = net.node("Tanh", net.on_planes(x))
    return [net.on_planes(net.node("Mul", a, net.node("Sigmoid", net.node("GlobalAveragePool", a))))]


def first_is_read_again(net: Net, x: str) -> list[str]:
    """The difference takes the place of its second operand."""
    a = net.on_planes(x)
    b = net.node("Sub", a, net.node("Tanh", a))
    return [net.on_planes(net.node("Div", b, net.node("Exp", net.node("Sub", a, b))))]


def joins_itself(net: Net, x: str) -> list[str]:
    a = net.node("Tanh", net.on_planes(x))
    return [net.on_planes(net.node("Mul", a, a))]


def dense(net: Net, x: str) -> list[str]:
    """Behind and before views, of which the first is read once more."""
    a = net.node("Tanh", net.on_planes(x))
    flat = net.node("Flatten", a)
    b = net.node("Softmax", net.node("Sigmoid", flat))
    return [net.node("Exp", b), net.node("ReduceMean", flat, axes=[1])]


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512", None])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "parts", [chain, read_again, is_an_output, is_the_input, is_multiplied_too, gated, first_is_read_again, joins_itself, dense]
)
def test_results_are_those_of_separate_memory(parts, shape, isa, monkeypatch):
    monkeypatch.setenv("HONED_ISA", isa or "")
    net = Net()
    model = net.model(*parts(net, net.input("x", shape)))
    feed = {"x": normal(shape, 9)}
    session = InferenceSession(model.SerializeToString(), threads=2)
    for _ in range(2):
        for y, expected in zip(session.run(None, feed), reference(model, feed), strict=True):
            np.testing.assert_allclose(y, expected, atol=1e-5, rtol=1e-5)


def kept(net: Net, x: str) -> list[str]:
    """As `gated`, but what is multiplied is read again."""
    a = net.node("Tanh", net.on_planes(x))
    b = net.node("Mul", a, net.node("Sigmoid", net.node("GlobalAveragePool", a)))
    return [net.on_planes(b), net.on_planes(a)]


@pytest.mark.parametrize(("taken", "needed"), [(chain, read_again), (gated, kept)])
def test_memory_is_shared(taken, needed):
    """A chain of residuals needs planes for two values at a time; where one is read again, for three. A gate needs them for one, or two."""
    used = []
    for parts in (taken, needed):
        net = Net()
        session = InferenceSession(net.model(*parts(net, net.input("x", SHAPES[0]))).SerializeToString(), threads=1)
        session.run(None, {"x": normal(SHAPES[0])})
        used.append(session.memory_bytes())
    planes = 4 * SHAPES[0][0] * CHANNELS * 192
    assert used[0] + planes / 2 < used[1]


@pytest.mark.parametrize("gaps", [(0, 0), (0, 3), (9, 0)], ids=str)
def test_planes_that_are_laid_out_otherwise_have_memory_of_their_own(gaps):
    """gap_rows and gap_cols of what is read; of what is written there are none."""
    shape = (2, 5, 9, 11)
    source = Value("x", "f32", shape)
    x, y, z = (Value(name, "f32", shape, "planar", *own) for name, own in (("planes", gaps), ("y", (0, 0)), ("z", gaps)))
    result = Value("result", "f32", shape)
    ops = [
        Op("to_planar", "load", [source], [x], {}),
        Op("unary_f32", "tanh", [x], [y], {"op": UNARY["tanh"]}),
        Op("binary_f32", "add", [y, y], [z], {"op": BINARY["add"]}),
        Op("to_dense", "store", [z], [result]),
    ]
    feed = normal(shape, 1)
    (found,) = Session(Model(write_artifact(Program([source], [result], ops)), Engine(2))).run([feed])
    np.testing.assert_allclose(found, 2 * np.tanh(feed), atol=1e-6)
