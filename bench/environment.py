"""Where a measurement was made: what goes into every report of timings."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("honed", "onnxruntime", "onnx", "numpy")


def cpu_name() -> str:
    """The CPU's name as the kernel gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


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
