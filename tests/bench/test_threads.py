"""Threads, pauses and shared pools, measured."""

import json

import honed
import pytest
from honed.bench import threads
from honed.bench.threads import Threads

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
    threads.main([str(model), "--threads", "2", "--seconds", "0.01"])
    text = capsys.readouterr().out
    assert "of a batch of 8" in text and text.count("sessions at once") == threads.SESSIONS


def test_a_fair_share_is_a_core_each_or_the_cores_in_turn():
    two = Threads(2, 10.0, 6.0, 10.0, 6.0, None, (10.0, 15.0), 0.0)
    assert two.unfairness == (1.0, 1.5)
    eight = Threads(8, 10.0, 2.0, 10.0, 2.0, None, (4.0, 6.0), 0.0)
    assert eight.unfairness == (1.0, 1.5)


def test_errors_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        threads.main([str(tmp_path / "none.onnx")])
    assert capsys.readouterr().err.startswith("error: ")
