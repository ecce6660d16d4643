"""Where a measurement was made: what goes into every report of timings."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..passes.lower.costs.files import cpu_name

PACKAGES = ("honed", "onnxruntime", "onnx", "numpy")


def installed_versions() -> dict[str, str]:
    """Versions of the packages that decide a timing; those that are not installed are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe_environment() -> dict[str, Any]:
    """CPU, the CPUs that this process may use, instruction sets, versions, and honed's environment variables that are set."""
    from .. import knobs
    from ..kernels._native import isa_levels

    return {
        "cpu": cpu_name(),
        "usable_cpus": len(os.sched_getaffinity(0)),
        "isa": isa_levels()[-1],
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": installed_versions(),
        "knobs": {knob.name: knob.value for knob in knobs() if knob.value is not None},
    }
