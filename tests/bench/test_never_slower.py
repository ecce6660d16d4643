import json

import onnx
import pytest
from honed.bench import never_slower
from honed.bench.never_slower import Contest, Ratio

from tests.passes.compress.small_models import residual_net


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(never_slower, "SECONDS", 0.0)
    monkeypatch.setattr(never_slower, "ROUNDS", 3)
    onnx.save(residual_net(), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_each_form_is_set_against_the_dense_one_of_its_precision(model, monkeypatch):
    pairs = []
    monkeypatch.setattr(never_slower, "in_turn", lambda sessions, dims: pairs.append([kernels(s) for s in sessions]) or [(2.0, 1.0)])
    found = list(Contest(model, 1, {}).ratios(["4x1"], [0.75]))
    assert [ratio.recipe for ratio in found] == ["int8", "fp32 4x1 75%", "int8 4x1 75%"]
    assert all(ratio.ratio == 2.0 and (ratio.dense_ms, ratio.compressed_ms) == (2000.0, 1000.0) for ratio in found)
    (fp32, int8), (sparse_against, _), (sparse_int8_against, sparse_int8) = pairs
    assert fp32 == sparse_against and int8 == sparse_int8_against
    assert not any("u8s8" in kernel for kernel in fp32) and any("u8s8" in kernel for kernel in sparse_int8)


def kernels(session):
    return [operator.type for operator in session.plan()]


def test_rounds_begin_with_each_in_turn(model):
    order = []

    class Session:
        def __init__(self, name):
            self.name = name

        def get_inputs(self):
            return []

        def run(self, names, feed):
            order.append(self.name)

    never_slower.in_turn((Session("a"), Session("b")), {})
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"


def test_all_ratios_are_printed_as_json(model, capsys):
    never_slower.main([str(model), "--pattern", "1x1", "--sparsity", "0.5", "0.9", "--least", "0", "--json"])
    rows = json.loads(capsys.readouterr().out)["ratios"]
    assert [row["recipe"] for row in rows] == ["int8", "fp32 1x1 50%", "fp32 1x1 90%", "int8 1x1 50%", "int8 1x1 90%"]
    assert all(row["ratio"] > 0 for row in rows)


@pytest.mark.parametrize("ratio, fails", [(0.97, True), (0.99, False)])
def test_a_slower_form_is_marked_and_fails(monkeypatch, capsys, ratio, fails):
    class Stub:
        def __init__(self, *_):
            pass

        def ratios(self, *_):
            return [Ratio("m", "int8", 1.0, 1.0, ratio)]

    monkeypatch.setattr(never_slower, "Contest", Stub)
    if fails:
        with pytest.raises(SystemExit, match="1"):
            never_slower.main(["m.onnx"])
    else:
        never_slower.main(["m.onnx"])
    assert ("<--" in capsys.readouterr().out) == fails


def test_a_missing_file_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        never_slower.main([str(tmp_path / "none.onnx")])
    assert capsys.readouterr().err.startswith("error: ")
