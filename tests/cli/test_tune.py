"""honed tune"""

from honed.bench import tune as measuring
from honed.passes.lower.costs import read_costs
from honed.passes.lower.costs.files import default_costs

from .conftest import assert_fails, run, run_json


def test_the_table_goes_where_it_is_asked_for_and_is_compiled_by(network, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "tune", lambda step, keep_from: default_costs("avx2"))
    path = tmp_path / "costs.json"
    assert "conv_f32" in run_json("tune", "-o", path)["families"]
    assert read_costs(path).isa == "avx2"
    assert run("compile", network, "-o", tmp_path / "n.honed", "--tune-table", path).exit_code == 0


def test_by_default_it_goes_to_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "tune", lambda step, keep_from: default_costs("avx2"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("tune").exit_code == 0
    assert len(list((tmp_path / "honed").glob("costs-*-avx2-*.json"))) == 1


def test_a_damaged_table_is_an_error(network, tmp_path):
    (tmp_path / "costs.json").write_text("{}")
    assert_fails(run("compile", network, "-o", tmp_path / "n.honed", "--tune-table", tmp_path / "costs.json"), "not a table of costs")
