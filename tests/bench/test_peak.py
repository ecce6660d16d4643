"""The limits of one core."""

import json

import pytest
from honed.bench import peak
from honed.bench.peak import Level, Peaks
from honed.kernels._native import isa_levels

PEAKS = Peaks("avx2", 50e9, 200e9, (Level("L1", 32_000, 200e9), Level("L2", 1_000_000, 100e9), Level("DRAM", None, 10e9)))


def test_the_bound_is_the_larger_of_work_and_transport():
    assert PEAKS.bound_s(50e6, False, 1_000) == pytest.approx(1e-3)
    assert PEAKS.bound_s(50e6, True, 1_000) == pytest.approx(0.25e-3)
    assert PEAKS.bound_s(0, True, 20_000) == pytest.approx(20_000 / 200e9)
    assert PEAKS.bound_s(0, True, 500_000) == pytest.approx(500_000 / 100e9)
    assert PEAKS.bound_s(1, True, 5_000_000) == pytest.approx(5_000_000 / 10e9)


def test_threads_share_work_and_bring_their_caches():
    assert PEAKS.bound_s(50e6, False, 1_000, 2) == pytest.approx(0.5e-3)
    assert PEAKS.bound_s(0, False, 1_500_000, 2) == pytest.approx(1_500_000 / 100e9 / 2)


def test_cache_sizes_come_from_the_system(tmp_path):
    for i, (level, kind, size) in enumerate(
        [(1, "Data", "48K"), (1, "Instruction", "64K"), (2, "Unified", "2048K"), (3, "Unified", "odd")]
    ):
        folder = tmp_path / f"index{i}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    (tmp_path / "index9").mkdir()
    assert peak.cache_sizes(tmp_path) == {"L1": 48 << 10, "L2": 2048 << 10, "L3": peak.TYPICAL_CACHES["L3"]}


@pytest.mark.skipif(len(isa_levels()) < 2, reason="needs avx2")
def test_measured(monkeypatch, capsys):
    monkeypatch.setattr(peak, "cache_sizes", lambda: {"L1": 32 << 10, "L2": 256 << 10, "L3": 1 << 20})
    peak.main(["--isa", "avx2", "--seconds", "0.01", "--json"])
    [found] = json.loads(capsys.readouterr().out)["peaks"]
    assert found["isa"] == "avx2" and found["f32_macs_per_s"] > 1e9
    assert [level["name"] for level in found["levels"]] == ["L1", "L2", "L3", "DRAM"]
    assert found["levels"][0]["load_bytes_per_s"] > found["levels"][3]["load_bytes_per_s"] * 0.5
    peak.main(["--seconds", "0.01"])
    assert "avx2" in capsys.readouterr().out
