"""InferenceSession on compiled models: shapes, threads, errors. What operators compute is tested with the kernels."""

import gc
import mmap
import os
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from honed import ArtifactError, Engine, Error, InferenceSession, ModelError, ShapeError
from honed.passes.lower import compile_model
from honed.passes.lower.artifact import Artifact, write_artifact
from honed.passes.lower.program import Op, Program, Value
from onnx import TensorProto, helper, numpy_helper

from tests.passes.compress.small_models import residual_net

SCALE, ZERO = 0.125, 128


def quantize_program() -> Program:
    """x f32 [n,3,h,8] -> quantised in planes -> y, its value again, and q, the integers; both from the planes."""
    shape = ("n", 3, "h", 8)
    x, planar = Value("x", "f32", shape), Value("x.planar", "u8", shape, "planar", 2, 1, ZERO)
    q, y = Value("q", "u8", shape, zero_point=ZERO), Value("y", "f32", shape)
    numbers = {"scale": SCALE, "zero_point": ZERO}
    ops = [
        Op("quantize", "quantize x", [x], [planar], numbers),
        Op("to_dense", "store q", [planar], [q]),
        Op("dequantize", "store y", [q], [y], numbers),
    ]
    return Program([x], [y, q], ops)


@pytest.fixture(scope="module")
def content() -> bytes:
    return write_artifact(quantize_program())


def expected(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q = np.clip(np.rint(x / np.float32(SCALE)) + ZERO, 0, 255).astype(np.uint8)
    return (q.astype(np.float32) - ZERO) * np.float32(SCALE), q


def random_input(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 3, shape).astype(np.float32)


def check(session: InferenceSession, x: np.ndarray) -> None:
    for found, wanted in zip(session.run(None, {"x": x}), expected(x), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_inputs_and_outputs_are_described(content: bytes) -> None:
    session = InferenceSession(content)
    (x,) = session.get_inputs()
    assert (x.name, x.shape, x.type) == ("x", ["n", 3, "h", 8], "tensor(float)")
    assert [(o.name, o.shape, o.type) for o in session.get_outputs()] == [
        ("y", ["n", 3, "h", 8], "tensor(float)"),
        ("q", ["n", 3, "h", 8], "tensor(uint8)"),
    ]


def test_unnamed_size_is_none() -> None:
    x = Value("x", "u8", (None, 2))
    assert InferenceSession(write_artifact(Program([x], [x], []))).get_inputs()[0].shape == [None, 2]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_shapes_may_change_from_run_to_run(content: bytes, threads: int) -> None:
    session = InferenceSession(content, threads=threads)
    for shape in [(2, 3, 5, 8), (1, 3, 40, 8), (1, 3, 40, 8), (3, 3, 1, 8), (0, 3, 4, 8), (2, 3, 5, 8)]:
        check(session, random_input(*shape))


def test_path_bytes_and_views_load(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.honed"
    Artifact(quantize_program()).save(path)
    for source in (path, str(path), content, bytearray(content), memoryview(content)):
        check(InferenceSession(source), random_input(1, 3, 4, 8))


def test_aligned_read_only_memory_is_used_in_place() -> None:
    """Seen by what happens where it changes all the same."""
    x, y = Value("x", "f32", (4,)), Value("y", "f32", (4,))
    c = Value("c", "f32", (4,), data=np.arange(4, dtype=np.float32))
    content = bytes(write_artifact(Program([x], [y], [Op("binary", "add", [x, c], [y], {"op": 0})])))
    aligned = mmap.mmap(-1, len(content))
    aligned[:] = content
    session, copied = InferenceSession(memoryview(aligned).toreadonly()), InferenceSession(memoryview(aligned))
    place = content.index(c.data.tobytes())
    aligned[place : place + 16] = (c.data + 10).tobytes()
    feed = {"x": np.zeros(4, np.float32)}
    np.testing.assert_array_equal(session.run(None, feed)[0], c.data + 10)
    np.testing.assert_array_equal(copied.run(None, feed)[0], c.data)


def test_memory_used_in_place_lives_as_long_as_the_session() -> None:
    content = Artifact(quantize_program()).in_memory()
    session = InferenceSession(content)
    with pytest.raises(BufferError):
        content.obj.close()
    del content
    gc.collect()
    check(session, random_input(1, 3, 4, 8))


def test_outputs_are_chosen_by_name(content: bytes) -> None:
    session, x = InferenceSession(content), random_input(1, 3, 4, 8)
    y, q = expected(x)
    (found,) = session.run(["q"], {"x": x})
    np.testing.assert_array_equal(found, q)
    second, first = session.run(["q", "y"], {"x": x})
    np.testing.assert_array_equal(first, y)
    np.testing.assert_array_equal(second, q)
    with pytest.raises(ShapeError, match="no output 'z': expected some of 'y', 'q'"):
        session.run(["z"], {"x": x})


def test_input_layouts_are_made_contiguous(content: bytes) -> None:
    session, x = InferenceSession(content), random_input(2, 3, 6, 8)
    check(session, np.asfortranarray(x))
    check(session, x[:, :, ::-1])
    check(session, np.broadcast_to(x[:, :, :1], x.shape))
    unaligned = np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
    assert not unaligned.flags.aligned
    check(session, unaligned)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({"x": np.zeros((1, 4, 2, 8), np.float32)}, r"input x has the shape \[1,4,2,8\], expected \[n,3,h,8\]"),
        ({"x": np.zeros((3, 2, 8), np.float32)}, r"input x has the shape \[3,2,8\], expected \[n,3,h,8\]"),
        ({"x": np.zeros((1,) * 9, np.float32)}, "input x has rank 9, expected at most 8"),
        ({"x": np.zeros((1, 3, 2, 8))}, "input 'x' has the dtype float64, expected float32"),
        ({"x": np.zeros((1, 3, 2, 8), ">f4")}, "input 'x' has the dtype >f4, expected float32"),
        ({}, "input 'x' is missing: expected 'x'"),
        ({"x": np.zeros(1), "z": 1}, "no input 'z': expected 'x'"),
    ],
)
def test_bad_input_is_named(content: bytes, feed: dict[str, np.ndarray], message: str) -> None:
    session = InferenceSession(content)
    with pytest.raises(ShapeError, match=message):
        session.run(None, feed)
    check(session, random_input(1, 3, 2, 8))


def test_sizes_of_one_name_agree() -> None:
    a, b = Value("a", "u8", ("n", 2)), Value("b", "u8", (3, "n"))
    session = InferenceSession(write_artifact(Program([a, b], [a, b], [])))
    assert [o.shape for o in session.run(None, {"a": np.zeros((4, 2), np.uint8), "b": np.zeros((3, 4), np.uint8)})] == [(4, 2), (3, 4)]
    with pytest.raises(ShapeError, match=r"input b: dimension 1 \(n\) is 5, and 4 in another input"):
        session.run(None, {"a": np.zeros((4, 2), np.uint8), "b": np.zeros((3, 5), np.uint8)})


def test_scalars_keep_their_rank() -> None:
    x = Value("x", "f32", ())
    (y,) = InferenceSession(write_artifact(Program([x], [x], []))).run(None, {"x": np.float32(3)})
    assert y.shape == () and y == 3


def test_outputs_that_are_inputs_or_constants_are_copies() -> None:
    x, c = Value("x", "s64", (2,)), Value("c", "s64", (2,), data=np.array([5, 6]))
    session = InferenceSession(write_artifact(Program([x], [c, x], [])))
    given = np.array([1, 2])
    constant, same = session.run(None, {"x": given})
    constant[:] = 0
    same[:] = 0
    np.testing.assert_array_equal(given, [1, 2])
    np.testing.assert_array_equal(session.run(["c"], {"x": given})[0], [5, 6])


def test_several_python_threads_share_a_session(content: bytes) -> None:
    session = InferenceSession(content, threads=2)
    failures = []

    def work(seed: int) -> None:
        try:
            for i in range(50):
                check(session, random_input(1 + seed % 2, 3, 3 + seed + i % 3, 8))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


IDLE_SECONDS, IDLE_CPU = 0.2, 0.02


def test_a_pool_without_work_takes_no_cpu_time(content: bytes) -> None:
    """IDLE_CPU seconds at most in IDLE_SECONDS. Workers that went on looking for work would take 2 · IDLE_SECONDS."""
    session = InferenceSession(content, engine=Engine(3))
    taken = []
    for _ in range(3):  # other threads of this process may have something to do in one of these
        check(session, random_input(2, 3, 64, 8))
        time.sleep(0.01)
        before = time.process_time()
        time.sleep(IDLE_SECONDS)
        taken.append(time.process_time() - before)
    assert min(taken) < IDLE_CPU


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinities")
def test_workers_that_were_woken_may_run_where_the_process_may(content: bytes) -> None:
    before, cpus = set(os.listdir("/proc/self/task")), os.sched_getaffinity(0)
    session = InferenceSession(content, engine=Engine(3))
    workers = [int(thread) for thread in set(os.listdir("/proc/self/task")) - before]
    assert len(workers) == 2
    for _ in range(20):
        time.sleep(0.002)
        check(session, random_input(2, 3, 64, 8))
        assert os.sched_getaffinity(0) == cpus
    for _ in range(100):
        time.sleep(0.01)
        if all(os.sched_getaffinity(worker) == cpus for worker in workers):
            return
        check(session, random_input(2, 3, 64, 8))
    raise AssertionError([os.sched_getaffinity(worker) for worker in workers])


def test_sessions_that_run_at_once_on_one_pool_give_the_bits_that_they_give_alone() -> None:
    engine, model = Engine(2), compile_model(residual_net())
    feeds = [{"x": np.random.default_rng(seed).standard_normal((3, 3, 10, 10)).astype(np.float32)} for seed in (2, 3)]
    alone = [InferenceSession(model, threads=1).run(None, feed)[0].tobytes() for feed in feeds]
    begin, wrong = threading.Barrier(2), []

    def work(index: int) -> None:
        session = InferenceSession(model, engine=engine)
        begin.wait()
        wrong.extend(index for _ in range(300) if session.run(None, feeds[index])[0].tobytes() != alone[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and alone[0] != alone[1]


def test_sessions_share_threads_where_there_are_enough(content: bytes) -> None:
    shared = InferenceSession(content).engine
    assert InferenceSession(content, threads=1).engine is shared
    more = shared.threads + 1
    assert InferenceSession(content, threads=more).engine.threads == more
    own = Engine(2)
    assert InferenceSession(content, threads=1, engine=own).engine is own


def test_plan_and_profile_list_the_operators(content: bytes) -> None:
    session, x = InferenceSession(content), random_input(2, 3, 5, 8)
    assert [op.tasks for op in session.plan()] == [0, 0, 0]
    times = session.profile({"x": x}, runs=3)
    assert [(t.name, t.type) for t in times] == [("quantize x", "quantize"), ("store q", "to_dense"), ("store y", "dequantize")]
    assert all(t.seconds > 0 for t in times)
    plan = session.plan()
    assert [op.kernel for op in plan] == [t.kernel for t in times]
    assert all(op.tasks > 0 for op in plan)
    assert session.memory_bytes() > 2 * 3 * 5 * 8
    check(session, x)


def test_isa_is_bounded_by_the_environment(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONED_ISA", "scalar")
    session = InferenceSession(content, engine=Engine(1))
    assert session.engine.isa == "scalar"
    assert not any("avx" in op.kernel for op in session.plan())
    check(session, random_input(2, 3, 5, 8))
    monkeypatch.setenv("HONED_ISA", "mmx")
    with pytest.raises(Error, match="unknown instruction set 'mmx': expected scalar"):
        Engine(1)


def test_isa_floor_is_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONED_ISA", "scalar")
    content = write_artifact(quantize_program(), isa_floor="avx2")
    with pytest.raises(Error, match="compiled for avx2, and only scalar may be used here"):
        InferenceSession(content, engine=Engine(1))


@pytest.mark.parametrize("threads", [0, -1, 2000])
def test_number_of_threads_is_checked(threads: int) -> None:
    with pytest.raises(Error, match=f"threads is {threads}, expected 1 to 1024"):
        Engine(threads)


def test_unknown_operators_are_all_listed() -> None:
    x = Value("x", "f32", (1,))
    values = [Value(f"v{i}", "f32", (1,)) for i in range(3)]
    types = ["no_such", "to_dense", "nor_this"]
    ops = [Op(kind, f"node {i}", [x], [value]) for i, (kind, value) in enumerate(zip(types, values, strict=True))]
    with pytest.raises(Error, match=r"no kernel runs 2 of 3 operators: node 0 \(no_such\), node 2 \(nor_this\)"):
        InferenceSession(write_artifact(Program([x], values, ops)))


def test_refusal_of_an_operator_names_it() -> None:
    x, y = Value("x", "f32", (1,)), Value("y", "f32", (1,))
    with pytest.raises(Error, match=r"^node a \(quantize\): "):
        InferenceSession(write_artifact(Program([x], [y], [Op("quantize", "node a", [x], [y], {"scale": 1.0})])))


def test_file_that_is_missing_or_damaged(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        InferenceSession(tmp_path / "none.honed")
    path = tmp_path / "bad.honed"
    for damaged in (b"", content[:30], content[:-1], content + b"\0", content.replace(b"quantize", b"quantise")):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError, match=r"bad\.honed: "):
            InferenceSession(path)


def onnx_model() -> bytes:
    """y = Relu(Conv(x)), with a batch that is open."""
    rng = np.random.default_rng(5)
    weights = numpy_helper.from_array(rng.normal(size=(6, 3, 3, 3)).astype(np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 9, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 6, 9, 8])
    graph = helper.make_graph(nodes, "small", [x], [y], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_onnx_model_is_compiled_in_memory(tmp_path: Path) -> None:
    model = onnx_model()
    path = tmp_path / "small.onnx"
    path.write_bytes(model)
    reference = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for source in (path, str(path), model, bytearray(model)):
        session = InferenceSession(source, threads=1)
        assert [(v.name, v.shape, v.type) for v in session.get_inputs()] == [("x", ["batch", 3, 9, 8], "tensor(float)")]
        for batch in (1, 3):
            x = random_input(batch, 3, 9, 8)
            (found,), (wanted,) = session.run(None, {"x": x}), reference.run(None, {"x": x})
            # 27 products per output, each of unit size: the bound of float32 sums in another order.
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=27 * 1e-6)


def test_neither_onnx_nor_honed_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is text")
    for source in (path, b"this is text", b""):
        with pytest.raises(ModelError):
            InferenceSession(source)


def test_child_process_goes_on(content: bytes) -> None:
    session, x = InferenceSession(content), random_input(2, 3, 5, 8)
    check(session, x)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            check(session, x)
            check(InferenceSession(content), x)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    check(session, x)
