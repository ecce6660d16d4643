"""The suites: one benchmark per kernel family, network, shape and pattern."""

from __future__ import annotations

from typing import Any

import pytest


def test_kernel(benchmark: Any, spec: Any) -> None:
    """The fastest form of the kernel. Every form is compared before any is timed."""
    forms = list(spec.make())
    if not forms:
        pytest.skip("no form of the kernel runs this shape")
    for form in forms:
        form.check()
    form = min(forms, key=lambda form: min(form.operator.time(form.arrays, 0.0)))
    benchmark.group = f"{spec.model} {spec.family}"
    benchmark.extra_info |= {"kernel": form.operator.kernel_name, "macs": form.macs, "bytes": form.bytes}
    benchmark(form.operator.again)
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.median
        benchmark.extra_info |= {"GMAC/s": form.macs / seconds / 1e9} if form.macs else {"GB/s": form.bytes / seconds / 1e9}
