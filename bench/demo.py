"""The demo: two real networks, compressed, compiled, measured against ONNX Runtime on the originals. `make demo` runs it.

python -m honed.bench.demo [--output demo] [NETWORK ...]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .. import Error, compile, inspect, optimize
from ..cli.console import Step, err, error_line, out, progress
from .compare import Timing, compare
from .engines import open_session
from .environment import describe_environment
from .networks import NETWORKS, Network, top1
from .precision import precision

ROUNDS = 10


def run_network(network: Network, folder: Path, console: Console, step: Step) -> dict[str, Any]:
    """All five steps for one network. Leaves model.opt.onnx, model.honed and report.json in `folder` and returns the report."""
    if not network.model.is_file():
        raise Error(f"{network.model}: no such file; the demo's networks come with the source repository, not with the installed package")
    folder.mkdir(parents=True, exist_ok=True)
    compressed, compiled = folder / "model.opt.onnx", folder / "model.honed"
    original = inspect(network.model)
    console.print(f"\n[bold]{network.name}[/bold]  {original.summary()}")
    optimized = optimize(network.model, network.recipe, lambda: network.inputs("calibration"), progress=step)
    optimized.save(compressed)
    compile(optimized.model, compiled)
    console.print(f"compiled  {inspect(compiled).summary()}")
    contestants = [("onnxruntime", network.model), ("honed", network.model), ("onnxruntime", compressed), ("honed", compiled)]
    scores = measure_top1(network, contestants, step)
    timings = measure_latency(network, contestants, step)
    report = {
        "network": network.name,
        "measure": network.measure,
        "environment": describe_environment(),
        "original": original.to_dict()["totals"],
        "optimization": optimized.report.to_dict(),
        "results": [result(timing, score, timings[0]) for timing, score in zip(timings, scores, strict=True)],
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def measure_top1(network: Network, contestants: list[tuple[str, Path]], step: Step) -> list[float]:
    """For each (engine, model), the share of validation samples whose top-1 is the label; without labels, the first one's top-1."""
    found = []
    for engine, path in contestants:
        task, done = f"{network.measure}: {engine} {path.name}", 0

        def on_batch(task: str = task) -> None:
            nonlocal done
            done += 1
            step(task, done, None)

        found.append(top1(open_session(engine, path, 1), network.inputs("validation"), on_batch))
    labels = found[0] if network.labels is None else network.labels()
    return [float((indices == labels).mean()) for indices in found]


def measure_latency(network: Network, contestants: list[tuple[str, Path]], step: Step) -> list[Timing]:
    """One thread, one sample, the engines in turn."""
    done = 0

    def on_turn() -> None:
        nonlocal done
        done += 1
        step(f"latency: {network.name}", done, ROUNDS * len(contestants))

    return compare(contestants, threads=1, rounds=ROUNDS, on_turn=on_turn)


def result(timing: Timing, score: float, baseline: Timing) -> dict[str, Any]:
    """One line of the table."""
    return {
        "engine": timing.engine,
        "model": timing.model.name,
        "precision": precision(timing.engine, timing.model),
        "score": score,
        "file_bytes": timing.model.stat().st_size,
        "median_ms": timing.median_s * 1e3,
        "p90_ms": timing.p90_s * 1e3,
        "min_ms": timing.min_s * 1e3,
        "ratio": baseline.median_s / timing.median_s,
    }


def table_of(reports: list[dict[str, Any]]) -> Table:
    """One table for all networks."""
    title = "One thread, one sample; ratio: times as fast as ONNX Runtime on the original, in the same run"
    table = Table(title=title, title_justify="left")
    for name in ("network", "engine", "file", "precision"):
        table.add_column(name)
    for name in ("top-1", "size MB", "latency ms", "ratio"):
        table.add_column(name, justify="right")
    for report in reports:
        for i, row in enumerate(report["results"]):
            name = f"{report['network']}\n({report['measure']})" if i == 0 else ""
            numbers = (f"{row['score']:.2%}", f"{row['file_bytes'] / 1e6:.2f}", f"{row['median_ms']:.3f}", f"{row['ratio']:.2f}×")
            table.add_row(name, row["engine"], row["model"], row["precision"], *numbers, end_section=i + 1 == len(report["results"]))
    return table


def main(arguments: list[str] | None = None) -> None:
    """Runs the demo. Exit code 1 and one line for an error."""
    parser = argparse.ArgumentParser(prog="python -m honed.bench.demo", description="Compress two real networks and print what was gained.")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="some of: " + ", ".join(network.name for network in NETWORKS))
    parser.add_argument("--output", type=Path, default=Path("demo"), help="where the results go (default: demo)")
    options = parser.parse_args(arguments)
    chosen = [network for network in NETWORKS if network.name in (options.networks or [n.name for n in NETWORKS])]
    if len(chosen) < len(set(options.networks)):
        parser.error("unknown network; known: " + ", ".join(network.name for network in NETWORKS))
    console = out()
    try:
        with progress(console) as step:
            reports = [run_network(network, options.output / network.name, console, step) for network in chosen]
    except Error as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    console.print()
    console.print(table_of(reports))
    console.print(f"Each network's model.opt.onnx, model.honed and report.json lie in {options.output}/.")


if __name__ == "__main__":
    main()
