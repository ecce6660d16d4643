"""Engines timed in turn."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from honed import Error
from honed.bench.compare import Timing, Worker, compare, output_difference


def process_state(pid: int) -> str:
    """The state letter that the kernel gives: T for stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for_state(pid: int, state: str) -> bool:
    for _ in range(200):
        if process_state(pid) == state:
            return True
        time.sleep(0.01)
    return False


def test_every_engine_has_its_turn_in_every_round(doubler):
    turns = []
    timings = compare([("onnxruntime", doubler), ("honed", doubler)], rounds=2, seconds=0, on_turn=lambda: turns.append(1))
    assert [timing.engine for timing in timings] == ["onnxruntime", "honed"]
    assert len(turns) == 4
    for timing in timings:
        assert len(timing.seconds) >= 6
        assert 0 < timing.min_s <= timing.median_s <= timing.p90_s
        assert timing.load_s > 0 and timing.peak_memory_bytes > 1 << 20
    assert output_difference(timings[1], timings[0]) == 0


def test_all_engines_get_the_same_input_of_the_given_shape(doubler):
    a, b = compare([("onnxruntime", doubler), ("honed", doubler)], rounds=1, seconds=0, dims={"x": (3, 4)})
    assert a.outputs[0].shape == (3, 4)
    np.testing.assert_array_equal(a.outputs[0], b.outputs[0])


def test_a_worker_is_stopped_unless_it_measures(doubler, tmp_path):
    worker = Worker(Timing("onnxruntime", doubler), {"threads": 1, "dims": {}}, tmp_path)
    pid = worker._process.pid
    try:
        assert wait_for_state(pid, "T")
        worker.measure(0)
        assert wait_for_state(pid, "T")
    finally:
        worker.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_worker_that_dies_is_an_error(doubler, tmp_path):
    worker = Worker(Timing("onnxruntime", doubler), {"threads": 1, "dims": {}}, tmp_path)
    try:
        os.kill(worker._process.pid, signal.SIGKILL)
        worker._process.wait()
        with pytest.raises(Error, match="onnxruntime"):
            worker.measure(0)
    finally:
        worker.close()


def test_an_engine_that_cannot_load_says_why(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    with pytest.raises(Error, match=r"honed cannot run .*bad\.onnx: .*not an ONNX model"):
        compare([("honed", tmp_path / "bad.onnx")])


def test_difference_is_in_standard_deviations_of_the_baseline():
    def timing(*values):
        return Timing("e", Path("m"), outputs=[np.array(values, np.float32)])

    assert output_difference(timing(1, 3.5), timing(1, 3)) == 0.5
    assert output_difference(timing(1, 3, 5), timing(1, 3)) is None
    assert output_difference(timing(2, 2), timing(3, 3)) == 1
