"""Where a measurement was made."""

import json
import os

import honed
from honed.bench.environment import describe_environment


def test_environment_names_cpu_versions_and_knobs(monkeypatch):
    monkeypatch.setenv("HONED_ISA", "scalar")
    facts = json.loads(json.dumps(describe_environment()))
    assert facts["cpu"] and facts["usable_cpus"] == len(os.sched_getaffinity(0))
    assert facts["versions"]["honed"] == honed.__version__
    assert facts["knobs"] == {"HONED_ISA": "scalar"}
