"""Batches run a few images at a time where they can, and give what the images give one by one, or what ONNX Runtime gives."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from honed import Engine, InferenceSession
from honed.passes.lower.artifact import write_artifact
from honed.passes.lower.program import Program

from tests import onnx_text
from tests.bindings.c.networks import int8_network, mobile_network, planar_network, residual_network
from tests.onnx_text import f32

# Of more threads, each slice has several images.
THREADS = (1, 2, 7, 16)


def batch(session: InferenceSession, size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    values = {}
    for x in session.get_inputs():
        shape = [d if isinstance(d, int) else size for d in x.shape]
        values[x.name] = rng.normal(0, 2, shape).astype(np.float32) if x.type == "tensor(float)" else rng.integers(0, 3, shape)
    return values


@pytest.mark.parametrize("network", [int8_network, planar_network, residual_network, mobile_network])
def test_a_batch_has_the_bits_of_its_images(network: Callable[[], Program]) -> None:
    content = write_artifact(network())
    for threads in THREADS:
        session = InferenceSession(content, engine=Engine(threads))
        for size in (6, 4, 5, 1):
            images = batch(session, size)
            found = session.run(None, images)
            each = [session.run(None, {name: x[i : i + 1] for name, x in images.items()}) for i in range(size)]
            for i, result in enumerate(found):
                if result.shape[1:] == each[0][i].shape[1:]:
                    np.testing.assert_array_equal(result, np.concatenate([one[i] for one in each]), strict=True)


CONV = "y = Conv <kernel_shape=[3,3], pads=[1,1,1,1]> (x, w) y = Relu(y)"


def model(nodes: str, outputs: str, inputs: str = "float[n,4,6,5] x", **weights: np.ndarray) -> onnx.ModelProto:
    weights.setdefault("w", f32(4, 4, 3, 3))
    used = {name: value for name, value in weights.items() if name in nodes}
    return onnx_text.model(f"g ({inputs}) => ({outputs}) {{ {nodes} }}", **used)


def conv(source: str, target: str) -> str:
    return f"{target}_ = Conv <kernel_shape=[3,3], pads=[1,1,1,1]> ({source}, w) {target} = Relu({target}_)"


# Batches of four images, the number of channels: what mixes images must not pass for what mixes channels.
ALONE = {
    "all": model(f"{conv('x', 'a')} {conv('a', 'y')}", "float[n,4,6,5] y"),
    "gemm": model(f"{conv('x', 'a')} b = GlobalAveragePool(a) c = Flatten(b) y = Gemm(c, k)", "float[n,3] y", k=f32(4, 3)),
    "outputs on both sides": model(
        f"{conv('x', 'a')} b = Flatten(a) y = MatMul(b, k) {conv('a', 'd')}",
        "float[n,4,6,5] a, float[n,120] b, float[n,3] y, float[n,4,6,5] d",
        k=f32(120, 3),
    ),
    "an input behind": model(f"{conv('x', 'a')} b = Softmax <axis=1> (a) y = Add(b, x)", "float[n,4,6,5] y"),
    "a residual behind": model(f"{conv('x', 'a')} b = Softmax <axis=1> (a) {conv('b', 'c')} y = Add(c, a)", "float[n,4,6,5] y"),
    "two inputs": model(f"{conv('x', 'a')} {conv('z', 'b')} y = Mul(a, b)", "float[n,4,6,5] y", "float[n,4,6,5] x, float[n,4,6,5] z"),
    "channels": model(
        f"{conv('x', 'a')} b = Concat <axis=1> (a, x) c = MaxPool <kernel_shape=[2,2]> (b) y = Sigmoid(c)", "float[n,8,5,4] y"
    ),
    "an input given out": model(f"{conv('x', 'a')} y = Identity(x)", "float[n,4,6,5] a, float[n,4,6,5] y"),
}
MIXED = {
    "joined": model(f"{conv('x', 'a')} b = Concat <axis=0> (a, x) {conv('b', 'y')}", "float[m,4,6,5] y"),
    "in reverse": model(
        f"{conv('x', 'a')} b = Slice (a, begin, end, axis, step) {conv('b', 'y')}",
        "float[n,4,6,5] y",
        begin=np.array([-1]),
        end=np.array([-100]),
        axis=np.array([0]),
        step=np.array([-1]),
    ),
    "normalised": model(f"{conv('x', 'a')} b = Softmax <axis=0> (a) {conv('b', 'y')}", "float[n,4,6,5] y"),
    "reduced": model(f"{conv('x', 'a')} b = ReduceMean <axes=[0]> (a) y = Sub(a, b)", "float[n,4,6,5] y"),
    "transposed": model(f"{conv('x', 'a')} b = Transpose <perm=[1,0,2,3]> (a) {conv('b', 'y')}", "float[4,n,6,5] y"),
    "flattened": model(f"{conv('x', 'a')} b = Flatten <axis=0> (a) y = Relu(b)", "float[1,m] y"),
    "cut anew": model(
        f"{conv('x', 'a')} b = Reshape (a, shape) {conv('b', 'y')}", "float[m,4,3,5] y", shape=np.array([-1, 4, 3, 5])
    ),
    "channels of all images": model(
        f"{conv('x', 'a')} b = Reshape (a, shape) c = LRN <size=3, alpha=5.0, beta=0.7> (b) y = Relu(c)",
        "float[1,m,6,5] y",
        shape=np.array([1, -1, 6, 5]),
    ),
    "ranks": model(
        "a = Relu(z) b = Flatten(a) c = Relu(x) y = Add(b, c)", "float[n,4,4,4] y", "float[n,4,4,4] x, float[n,4,1,1] z"
    ),
    "constants": model(f"{conv('x', 'a')} y = Add(a, k)", "float[n,4,6,5] y", k=f32(4, 1, 1, 1)),
    "sizes": model(
        f"{conv('x', 'a')} {conv('z', 'b')} c = Concat <axis=0> (a, b) {conv('c', 'y')}", "float[k,4,6,5] y",
        "float[n,4,6,5] x, float[m,4,6,5] z",
    ),
}  # fmt: skip
SIZES = {"n": 4, "m": 2}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", [*ALONE, *MIXED])
def test_a_batch_gives_what_onnx_runtime_gives(name: str, threads: int) -> None:
    source = (ALONE | MIXED)[name]
    session = InferenceSession(source.SerializeToString(), engine=Engine(threads))
    for seed in (0, 1):
        feed = onnx_text.feed_of(source, seed, **SIZES)
        for found, expected in zip(session.run(None, feed), onnx_text.run(source, feed), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, strict=True)


@pytest.mark.parametrize("name", ["all", "gemm", "two inputs", "channels"])
def test_images_that_stand_alone_share_their_memory(name: str) -> None:
    """A batch in one piece takes as many times the memory as it has images."""
    source = ALONE[name]
    session = InferenceSession(source.SerializeToString(), threads=1)
    used = []
    for size in (1, 64):
        session.run(None, onnx_text.feed_of(source, n=size))
        used.append(session._idle[0].memory_bytes)
    assert used[1] < 2 * used[0] + 64 * 1024


def test_profile_counts_every_slice() -> None:
    source = ALONE["gemm"]
    session = InferenceSession(source.SerializeToString(), threads=1)
    times = session.profile(onnx_text.feed_of(source, n=8), 3)
    assert all(op.seconds > 0 for op in times if op.type not in ("flatten", "reshape"))
    tasks = {}
    for size in (1, 8):
        session.run(None, onnx_text.feed_of(source, n=size))
        tasks[size] = [op.tasks for op in session.plan() if op.type.startswith("conv")]
    assert tasks[8] == [8 * count for count in tasks[1]]
