"""The counts of an agreement, and the command's exit codes."""

import numpy as np
import onnx
import pytest
from honed.bench import agreement
from honed.bench.agreement import Agreement, compare, output_step

from tests.passes.lower.networks import Net


@pytest.fixture
def quantised(tmp_path):
    net = Net()
    w = net.dequantize(net.const(np.random.default_rng(0).integers(-127, 128, (8, 5)).astype(np.int8)), 0.01, 0, np.int8)
    y = net.node("MatMul", net.round_trip(net.input("x", [1, 8]), 0.02, 128), w)
    path = tmp_path / "q.onnx"
    onnx.save(net.model(net.round_trip(y, 0.05, 128)), path)
    return path


def test_counts():
    a = Agreement()
    a.add(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 0.1)
    a.add(np.array([1.0, 1.1]), np.array([1.1, 1.0]), 0.1)
    a.add(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.1)
    assert (a.inputs, a.equal, a.same_top1, a.within_step, a.beyond_step) == (3, 1, 1, 1, 1)
    assert a.error == 2.0


def test_a_quantised_model_has_the_bits_of_onnx_runtime(quantised):
    assert output_step(quantised) == pytest.approx(0.05)
    result = compare(quantised, 5)
    assert (result.inputs, result.equal, result.error) == (5, 5, 0.0)


def test_the_command_fails_where_top_1_differs(quantised, monkeypatch, capsys):
    def status(*arguments):
        with pytest.raises(SystemExit) as stopped:
            agreement.main([str(quantised), *arguments])
        return stopped.value.code

    assert status("--inputs", "2") == 0
    monkeypatch.setattr(agreement, "compare", lambda *_: Agreement(inputs=2, same_top1=1, beyond_step=1))
    assert status() == 1
    assert "q.onnx" in capsys.readouterr().out
