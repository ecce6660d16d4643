"""Kernels of every family on the shapes of real networks, timed by pytest-benchmark, each result compared before.

python -m honed.bench suites [--family sparse_conv_u8s8] [--model resnet50] [--save NAME] [--compare NAME] [-- ARGUMENT_OF_PYTEST ...]

Runs are saved below .benchmarks in the current folder; --compare sets a run beside one of them, given by its number or its file. Saved runs
have GMAC/s, or GB/s of what does not multiply, as `extra_info` of every case.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

FAMILIES = (
    "conv_u8s8", "sparse_conv_u8s8", "depthwise_u8s8", "conv_f32", "conv_winograd_f32", "sparse_conv_f32", "depthwise_f32", "conv_bf16",
    "gemm_u8s8", "sparse_gemm_u8s8", "gemm_f32", "sparse_gemm_f32", "gemm_bf16",
    "max_pool", "global_average_pool", "add", "to_planar", "to_dense",
)  # fmt: skip
MODELS = ("resnet50", "mobilenet_v2", "mobilevit_s")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench suites", description="Kernels on the shapes of real networks.")
    result.add_argument("--family", action="append", default=[], choices=FAMILIES, help="may be repeated; default: all")
    result.add_argument("--model", action="append", default=[], choices=MODELS, help="may be repeated; default: all")
    result.add_argument("--seconds", type=float, default=0.1, help="per kernel and shape")
    result.add_argument("--save", metavar="NAME", help="keep the run under that name")
    result.add_argument("--compare", metavar="RUN", help="a saved run: its number or its file")
    result.add_argument("rest", nargs="*", metavar="-- ARGUMENT", help="for pytest, such as --benchmark-disable")
    return result


def pytest_arguments(options: argparse.Namespace) -> list[str]:
    """What the options mean to pytest and pytest-benchmark."""
    chosen = [f"--family={name}" for name in options.family] + [f"--model={name}" for name in options.model]
    runs = [f"--benchmark-{name}={value}" for name, value in (("save", options.save), ("compare", options.compare)) if value is not None]
    columns = "--benchmark-columns=min,median,iqr,rounds"
    timing = [f"--benchmark-max-time={options.seconds}", "--benchmark-min-rounds=3", "--benchmark-warmup=on"]
    timing += ["--benchmark-warmup-iterations=3"]
    runs.append(f"--benchmark-storage=file://{Path('.benchmarks').absolute()}")
    plain = ["--import-mode=importlib", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return [str(Path(__file__).parent), *plain, columns, *timing, *chosen, *runs, *options.rest]


def main(arguments: list[str] | None = None) -> None:
    """Runs the suites and ends with pytest's exit code. Without pytest-benchmark: exit code 1 and one line."""
    options = parser().parse_args(arguments)
    try:
        import pytest
        import pytest_benchmark  # noqa: F401
    except ImportError as missing:
        print(f"error: the suites need pytest and pytest-benchmark, of the extra `test`: {missing}", file=sys.stderr)
        sys.exit(1)
    sys.exit(pytest.main(pytest_arguments(options)))
