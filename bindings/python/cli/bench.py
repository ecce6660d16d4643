"""honed bench"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from .console import JsonFlag, out, print_json, progress, reports_errors
from .parsing import dimensions

# The largest difference between two fp32 engines on the same file, in standard deviations of an output.
FP32_TOLERANCE = 1e-3


@reports_errors
def bench(
    models: Annotated[list[Path], typer.Argument(help="Models: .onnx or .honed.", show_default=False)],
    engines: Annotated[str, typer.Option(help="Engines, by commas; the first, on the first model, is the baseline.")] = "honed",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each engine.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="How often each engine has its turn.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.0, help="About how long a turn takes.")] = 0.2,
    dims: Annotated[list[str] | None, typer.Option(help="An input's shape: NAME=1x3x224x224. May be repeated.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Time engines side by side: in turn, round by round, on the same input.

    Every engine times every model that it can read. Each lives in a process of its own, which is stopped while another one is timed.
    """
    from ..bench.compare import compare

    shapes = dimensions(dims or [])
    chosen = _pairs(models, engines)
    with progress() as step:
        turns, total = 0, rounds * len(chosen)

        def on_turn() -> None:
            nonlocal turns
            turns += 1
            step("timing", turns, total)

        timings = compare(chosen, threads=threads, rounds=rounds, seconds=seconds, dims=shapes, on_turn=on_turn)
    rows = _rows(timings)
    if as_json:
        print_json({"environment": _environment(), "threads": threads, "rounds": rounds, "timings": rows})
    else:
        _print(rows, threads)


def _pairs(models: list[Path], engines: str) -> list[tuple[str, Path]]:
    from ..bench.engines import ENGINES, SUFFIXES
    from ..graph.errors import Error

    names = [name.strip() for name in engines.split(",")]
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise typer.BadParameter(f"unknown engine {unknown[0]!r}, expected some of {', '.join(ENGINES)}", param_hint="--engines")
    for model in models:
        if not model.is_file():
            raise Error(f"{model}: no such file")
        if not any(model.suffix in SUFFIXES[name] for name in names):
            raise Error(f"{model}: none of {', '.join(names)} reads {model.suffix or 'such'} files")
    return [(name, model) for model in models for name in names if model.suffix in SUFFIXES[name]]


def _environment() -> dict[str, Any]:
    from ..bench.environment import describe_environment

    return describe_environment()


def _rows(timings: list[Any]) -> list[dict[str, Any]]:
    from ..bench.compare import output_difference
    from ..bench.precision import precision as precision_of

    baseline = timings[0]
    rows = []
    for timing in timings:
        precision = precision_of(timing.engine, timing.model)
        difference = output_difference(timing, baseline)
        comparable = timing.model == baseline.model and precision == "fp32"
        rows.append(
            {
                "engine": timing.engine,
                "model": str(timing.model),
                "precision": precision,
                "runs": len(timing.seconds),
                "median_ms": timing.median_s * 1e3,
                "p90_ms": timing.p90_s * 1e3,
                "min_ms": timing.min_s * 1e3,
                "ratio": baseline.median_s / timing.median_s,
                "difference": difference,
                "agrees": difference <= FP32_TOLERANCE if comparable and difference is not None else None,
                "load_ms": timing.load_s * 1e3,
                "peak_memory_bytes": timing.peak_memory_bytes,
            }
        )
    return rows


def _print(rows: list[dict[str, Any]], threads: int) -> None:
    table = Table(title=f"{threads} thread{'s' if threads > 1 else ''}; ratio: times as fast as the first line", title_justify="left")
    table.add_column("engine")
    table.add_column("model", overflow="fold")
    table.add_column("precision")
    for name in ("median ms", "p90 ms", "min ms", "ratio", "difference", "load ms", "peak MB"):
        table.add_column(name, justify="right")
    for row in rows:
        difference = "-" if row["difference"] is None else f"{row['difference']:.1e}" + (" !" if row["agrees"] is False else "")
        times = [f"{row[name]:.3f}" for name in ("median_ms", "p90_ms", "min_ms")]
        costs = f"{row['load_ms']:.0f}", f"{row['peak_memory_bytes'] / 1e6:.0f}"
        table.add_row(row["engine"], row["model"], row["precision"], *times, f"{row['ratio']:.2f}×", difference, *costs)
    out().print(table)
    out().print("difference: the largest of any output to the first line's, in standard deviations of that output", style="dim")
