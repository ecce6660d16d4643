"""The suites of benchmarks: what they cover, that nothing wrong is timed, and how runs are kept."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from honed import Error
from honed.bench.suites import FAMILIES, MODELS, parser, pytest_arguments
from honed.bench.suites.conftest import Spec, specs
from honed.bench.suites.test_kernels import test_kernel as time_kernel
from honed.kernels._native import KernelError, Operator, TensorSpec


def size(spec: Spec) -> int:
    shape = spec.shape
    return int(np.prod(shape.numbers)) if hasattr(shape, "numbers") else shape.macs


class Recorder:
    """Stands for pytest-benchmark's fixture."""

    def __init__(self) -> None:
        self.stats, self.extra_info, self.timed = None, {}, []

    def __call__(self, run) -> None:
        self.timed.append(run)
        run()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_small_case_of_every_family_is_checked_and_run(family):
    spec = min(specs((family,), MODELS), key=size)
    benchmark = Recorder()
    time_kernel(benchmark, spec)
    assert len(benchmark.timed) == 1
    assert benchmark.extra_info["kernel"].startswith("honed_") and benchmark.extra_info["bytes"] > 0


class Wrong:
    """An operator whose kernel is off in one element."""

    kernel_name = "honed_wrong"

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def run(self, arrays):
        [y] = self.operator.run(arrays)
        y.flat[3] += 1
        return [y]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wrong_kernel_is_refused_before_it_is_timed(family, monkeypatch):
    spec = min(specs((family,), MODELS), key=size)
    forms = list(spec.make())
    forms[-1].operator = Wrong(forms[-1].operator)
    monkeypatch.setattr(Spec, "make", lambda self: iter(forms))
    benchmark = Recorder()
    with pytest.raises(Error, match="honed_wrong is off by"):
        time_kernel(benchmark, spec)
    assert benchmark.timed == []


def test_every_network_has_every_family_that_it_needs():
    families = {model: {spec.family for spec in specs(FAMILIES, (model,))} for model in MODELS}
    assert {f for f in FAMILIES if f not in families["resnet50"]} == {"depthwise_u8s8", "depthwise_f32"}
    assert {f for f in FAMILIES if f not in families["mobilenet_v2"]} == {"conv_winograd_f32", "max_pool"}
    assert {f for f in FAMILIES if f not in families["mobilevit_s"]} == {"max_pool"}
    assert {spec.how for spec in specs(("sparse_conv_u8s8",), MODELS)} == {"1x1", "2x1", "4x1"}
    names = [str(spec) for spec in specs(FAMILIES, MODELS)]
    assert len(set(names)) == len(names)


def test_runs_are_saved_and_compared(tmp_path):
    # pytest-benchmark does not time in workers of pytest-xdist
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}

    def run(*arguments):
        small = ["--family", "add", "--model", "resnet50", "--seconds", "0.001"]
        command = [sys.executable, "-m", "honed.bench", "suites", *small, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    run("--save", "first")
    [saved] = tmp_path.rglob("*first.json")
    benchmarks = json.loads(saved.read_text())["benchmarks"]
    assert len(benchmarks) == 8 and all(b["extra_info"]["GB/s"] > 0 for b in benchmarks)
    assert "0001_first" in run("--compare", str(saved))


def test_options_are_those_of_pytest_benchmark():
    options = parser().parse_args(["--family", "add", "--model", "resnet50", "--compare", "0001", "--", "--benchmark-disable"])
    assert {"--family=add", "--model=resnet50", "--benchmark-compare=0001", "--benchmark-disable"} <= set(pytest_arguments(options))


def test_an_operator_runs_again_only_after_a_run():
    operator = Operator("lookup_u8", [TensorSpec("u8")], [TensorSpec("u8")], {}, [np.arange(256, dtype=np.uint8)[::-1].copy()])
    with pytest.raises(KernelError, match="nothing was run yet"):
        operator.again()
    operator.run([np.arange(9, dtype=np.uint8)])
    operator.again()
