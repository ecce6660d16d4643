"""Per layer of a model: the work, the time that the machine's limits allow, and the time that it takes.

python -m honed.bench layers MODEL [--threads N] [--json FILE] [--svg FILE] [--compare FILE]

MODEL is .onnx or .honed. --compare shows the change against a file that --json wrote.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from ..cli.console import err, error_line, out
from ..graph.errors import Error
from ..inspection import INTEGER_SUFFIX, inspect
from ..passes.lower.costs.files import present_isa
from ..session import InferenceSession, is_compiled
from .engines import random_feed
from .environment import describe_environment
from .peak import Peaks, measure_peaks
from .roofline import draw

ROUNDS = 9


@dataclass(frozen=True)
class LayerTime:
    """An operator of one image: multiply-adds that are done, and as if every weight counted; bytes of inputs, constants and output;
    the least time by the limits of the machine; the time taken. None: not known before run time, or no multiply-adds."""

    name: str
    operator: str
    kernel: str
    macs_done: int | None
    macs: int | None
    bytes: int | None
    bound_us: float | None
    us: float

    @property
    def share_of_bound(self) -> float | None:
        return None if self.bound_us is None or self.us == 0 else self.bound_us / self.us

    @property
    def int8(self) -> bool:
        return self.operator.endswith(INTEGER_SUFFIX)


def measure_layers(
    model: Path, peaks: Peaks, threads: int = 1, runs: int = 10, dims: Mapping[str, Sequence[int]] | None = None
) -> list[LayerTime]:
    """The operators that do something, in order. Each one's time is the median of ROUNDS means over `runs` runs."""
    source = model if is_compiled(model) else _compile(model)
    session = InferenceSession(source, threads=threads)
    feed = random_feed(session, dims)
    rounds = [session.profile(feed, runs) for _ in range(ROUNDS)]
    found = []
    for i, (layer, operator) in enumerate(zip(inspect(source).layers, session.plan(), strict=True)):
        if operator.tasks == 0:
            continue
        info = layer.info
        int8 = info.kernel.endswith(INTEGER_SUFFIX)
        bound = None if info.bytes is None else peaks.bound_s(info.macs_done or 0, int8, info.bytes, threads) * 1e6
        us = sorted(times[i].seconds for times in rounds)[ROUNDS // 2] * 1e6
        found.append(LayerTime(info.name, info.kernel, layer.kernel, info.macs_done, info.macs, info.bytes, bound, us))
    return found


def _compile(model: Path) -> memoryview:
    from ..passes.lower import compile_model

    return compile_model(model)


def totals_of(layers: Sequence[LayerTime]) -> list[LayerTime]:
    """One line per type of operator, the costliest first, and one for all."""
    groups = {operator: [layer for layer in layers if layer.operator == operator] for operator in dict.fromkeys(x.operator for x in layers)}
    lines = [_sum(f"{len(members)} × {operator}", operator, members) for operator, members in groups.items()]
    return [*sorted(lines, key=lambda line: -line.us), _sum("all", "", layers)]


def _sum(name: str, operator: str, layers: Sequence[LayerTime]) -> LayerTime:
    def add(values: Sequence[Any]) -> Any:
        return None if any(value is None for value in values) else sum(values)

    macs, done = (sum(value or 0 for value in values) for values in ([x.macs for x in layers], [x.macs_done for x in layers]))
    return LayerTime(
        name, operator, "", done, macs, add([x.bytes for x in layers]), add([x.bound_us for x in layers]), sum(x.us for x in layers)
    )


def table_of(layers: Sequence[LayerTime], saved: Mapping[str, float] | None = None) -> Table:
    """saved: microseconds by layer of an earlier run."""
    table = Table()
    for name in ("layer", "kernel"):
        table.add_column(name, overflow="fold")
    for name in ("M MACs done", "M MACs", "kB", "bound µs", "µs", "% of bound", "GMAC/s", *(["saved µs", "ratio"] if saved else [])):
        table.add_column(name, justify="right")
    totals = totals_of(layers)
    for i, layer in enumerate([*layers, *totals]):
        share, before = layer.share_of_bound, (saved or {}).get(layer.name)
        row = [layer.name, layer.kernel, _number(layer.macs_done, 1e6, 2), _number(layer.macs, 1e6, 2), _number(layer.bytes, 1e3, 0)]
        row += [_number(layer.bound_us, 1, 1), f"{layer.us:.1f}", _number(share, 0.01, 0)]
        row += [f"{(layer.macs or 0) / layer.us / 1e3:.1f}" if layer.macs and layer.us else ""]
        row += [_number(before, 1, 1), f"{before / layer.us:.2f}×" if before and layer.us else ""] if saved else []
        table.add_row(*row, end_section=i + 1 in (len(layers), len(layers) + len(totals) - 1))
    return table


def _number(value: float | None, unit: float, digits: int) -> str:
    return "" if value is None else f"{value / unit:.{digits}f}"


def read_saved(path: Path) -> dict[str, float]:
    """Microseconds by layer, totals included, of a file that --json wrote. Raises Error for anything else."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        rows = [*report["layers"], *report["totals"]]
        return {str(row["name"]): float(row["us"]) for row in rows}
    except (ValueError, KeyError, TypeError) as problem:
        raise Error(f"{path}: not a saved run of `layers`: {problem}") from None


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench layers", description="Work, bound and time of every layer of a model.")
    result.add_argument("model", type=Path, help=".onnx or .honed")
    result.add_argument("--threads", type=int, default=1)
    result.add_argument("--runs", type=int, default=10, help=f"per round, of {ROUNDS}")
    result.add_argument("--dims", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape; may be repeated")
    result.add_argument("--json", type=Path, metavar="FILE", help="where the measurements go")
    result.add_argument("--svg", type=Path, metavar="FILE", help="where a roofline plot goes")
    result.add_argument("--compare", type=Path, metavar="FILE", help="an earlier --json file")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Prints a table. Exit code 1 and one line for an error."""
    from ..cli.parsing import dimensions

    options = parser().parse_args(arguments)
    try:
        saved = None if options.compare is None else read_saved(options.compare)
        peaks = measure_peaks(present_isa())
        layers = measure_layers(options.model, peaks, options.threads, options.runs, dimensions(options.dims))
        if options.json is not None:
            options.json.write_text(json.dumps(report_of(options.model, options.threads, peaks, layers), indent=2) + "\n", encoding="utf-8")
        if options.svg is not None:
            options.svg.write_text(
                draw(layers, peaks, f"{options.model.name}, {options.threads} thread(s)", options.threads), encoding="utf-8"
            )
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    out().print(table_of(layers, saved))


def report_of(model: Path, threads: int, peaks: Peaks, layers: Sequence[LayerTime]) -> dict[str, Any]:
    """What --json writes."""
    return {
        "environment": describe_environment(),
        "model": model.name,
        "threads": threads,
        "peaks": asdict(peaks),
        "layers": [asdict(layer) for layer in layers],
        "totals": [asdict(line) for line in totals_of(layers)],
    }


if __name__ == "__main__":
    main()
