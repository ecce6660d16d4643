"""Threads, pauses and shared pools, measured."""

import json
from threading import active_count

import honed
import pytest
from honed.bench import threads
from honed.bench.threads import Threads
from honed.kernels._native import isa_levels

from tests.passes.compress.small_models import residual_net


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "IDLE", 0.05)
    monkeypatch.setattr(threads, "PAUSES", 2)
    path = tmp_path / "net.honed"
    honed.compile(residual_net(), path)
    return path


def test_everything_is_measured(model, capsys):
    threads.main([str(model), "--threads", "3", "--seconds", "0.01", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["threads"] == 3 and len(report["shared_ms"]) == len(report["unfairness"]) == threads.SESSIONS
    times = [report[f"{name}_ms"] for name in ("one", "all", "one_after_pause", "all_after_pause", "batch")]
    assert min(*times, *report["shared_ms"]) > 0 and report["idle_cpu"] >= 0
    assert report["machine"] is None or report["machine"] > 0
    threads.main([str(model), "--threads", "2", "--seconds", "0.01"])
    text = capsys.readouterr().out
    assert ("multiply-adds as one thread here" in text) == ("avx2" in isa_levels())
    assert "of a batch of 8" in text and text.count("sessions at once") == threads.SESSIONS


@pytest.mark.skipif("avx2" not in isa_levels(), reason="without AVX2 nothing measures the limits of a core")
def test_threads_together_make_what_each_makes(monkeypatch):
    def made(level, kind, seconds):
        return 10.0 if active_count() == before else 7.0

    before = active_count()
    monkeypatch.setattr(threads, "products_made", made)
    assert threads.machine_scaling(3, 0.0) == pytest.approx(2.1)


def test_without_a_loop_that_measures_it_the_machine_is_not_known(monkeypatch):
    monkeypatch.setattr(threads, "isa_levels", lambda: ["scalar"])
    assert threads.machine_scaling(2, 0.0) is None


def test_a_fair_share_is_a_core_each_or_the_cores_in_turn():
    two = Threads(2, 10.0, 6.0, 10.0, 6.0, None, (10.0, 15.0), 0.0)
    assert two.unfairness == (1.0, 1.5)
    eight = Threads(8, 10.0, 2.0, 10.0, 2.0, None, (4.0, 6.0), 0.0)
    assert eight.unfairness == (1.0, 1.5)


def test_errors_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        threads.main([str(tmp_path / "none.onnx")])
    assert capsys.readouterr().err.startswith("error: ")
