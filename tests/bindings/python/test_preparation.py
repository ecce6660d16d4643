"""Operators whose plans take long to make share the engine's threads for that when a session gets its shapes."""

import numpy as np
import pytest
from honed import Engine, InferenceSession, ShapeError
from honed.kernels import packing
from honed.passes.lower.artifact import write_artifact
from honed.passes.lower.program import Op, Program, Value

from tests.bindings.c.networks import CONV, planar, sparse

CHANNELS = 20
LAYERS = 9
THREADS = (1, 2, 4, 16)


@pytest.fixture(scope="module")
def content() -> bytes:
    """A chain of sparse float convolutions of unequal size. x f32 [n,20,h,w]."""
    rng = np.random.default_rng(5)
    x, planes = Value("x", "f32", ("n", CHANNELS, "h", "w")), planar("planes", "f32", "n", CHANNELS, "h", "w")
    ops = [Op("to_planar", "load", [x], [planes], {"kernel_h": 1, "kernel_w": 1})]
    for i in range(LAYERS):
        kernel = 3 if i % 3 == 0 else 1
        weights = sparse(rng.normal(0, 0.1, (CHANNELS, CHANNELS, kernel, kernel)).astype(np.float32))
        pads = {name: kernel // 2 for name in CONV if name.startswith("pad")}
        attrs = {"kernel_h": kernel, "kernel_w": kernel, **pads, "in_channels": CHANNELS, "out_channels": CHANNELS}
        result = planar(f"y{i}", "f32", "n", CHANNELS, "h", "w")
        constants = [*packing.pack_sparse_conv_f32(weights), rng.normal(size=CHANNELS).astype(np.float32)]
        ops.append(Op("sparse_conv_f32", f"conv {i}", [planes], [result], attrs, constants))
        planes = result
    dense = Value("y", "f32", ("n", CHANNELS, "h", "w"))
    return write_artifact(Program([x], [dense], [*ops, Op("to_dense", "store", [planes], [dense])]))


def test_bits_do_not_depend_on_who_made_the_plans(content: bytes) -> None:
    rng = np.random.default_rng(6)
    feeds = [{"x": rng.normal(size=(n, CHANNELS, h, w)).astype(np.float32)} for n, h, w in ((1, 20, 17), (3, 5, 6), (2, 33, 40))]
    sessions = [InferenceSession(content, engine=Engine(threads)) for threads in THREADS]
    for feed in feeds:
        expected, *others = (session.run(None, feed)[0] for session in sessions)
        assert np.any(expected != 0)
        for found in others:
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("threads", THREADS)
def test_of_all_that_fail_the_first_is_named(content: bytes, threads: int) -> None:
    session = InferenceSession(content, engine=Engine(threads))
    feed = {"x": np.ones((1, CHANNELS, 9, 8), np.float32)}
    before = session.run(None, feed)[0]
    with pytest.raises(ShapeError, match=r"conv 0 \(sparse_conv_f32\): an image of \d+ elements is too large"):
        session._idle[0].reshape(((1, CHANNELS, 6000, 6000),))
    np.testing.assert_array_equal(session.run(None, feed)[0], before)
