"""honed run"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .console import JsonFlag, PrecisionOption, out, print_json, reports_errors
from .inspect import shape_text
from .parsing import pairs

if TYPE_CHECKING:
    import numpy as np

    from ..session import InferenceSession, OperatorTime


@reports_errors
def run(
    model: Annotated[Path, typer.Argument(help="The model: .onnx or .honed.", show_default=False)],
    inputs: Annotated[
        list[str], typer.Option("--input", "-i", help="An input: NAME=FILE.npy, or NAME=FILE.npz for its array NAME. May be repeated.")
    ],
    output_dir: Annotated[Path | None, typer.Option(help="A folder for the outputs: NAME.npy each.", show_default=False)] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: the CPUs that this process may use.", show_default=False)] = None,
    top: Annotated[int, typer.Option(min=0, help="How many of the largest values of each row to show.")] = 5,
    profile: Annotated[bool, typer.Option("--profile", help="Time every operator, over 20 more runs.")] = False,
    precision: PrecisionOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a model once on arrays from files. Shows each output's shape, range and, where its rows are scores, the top 5."""
    from ..session import InferenceSession

    files = pairs(inputs, "--input")
    session = InferenceSession(model, threads=threads, precision=precision)
    names = [tensor.name for tensor in session.get_outputs()]
    feed = _load(files)
    outputs = dict(zip(names, session.run(None, feed), strict=True))
    if output_dir is not None:
        _save(outputs, output_dir)
    summaries = [_summary(name, array, top) for name, array in outputs.items()]
    times = session.profile(feed) if profile else []
    if as_json:
        print_json({"engine": _engine(session), "outputs": summaries} | ({"profile": [asdict(t) for t in times]} if profile else {}))
        return
    for summary in summaries:
        _print(summary)
    if profile:
        out().print(_profile_table(times))


def _profile_table(times: list[OperatorTime]) -> Table:
    """Operators in the order in which they run."""
    total = sum(t.seconds for t in times)
    table = Table()
    for name in ("operator", "kernel"):
        table.add_column(name, overflow="fold")
    for name in ("µs", "%"):
        table.add_column(name, justify="right")
    for t in times:
        table.add_row(t.name, t.kernel, f"{t.seconds * 1e6:.1f}", f"{t.seconds / max(total, 1e-12):.1%}")
    table.add_row("all", "", f"{total * 1e6:.1f}", "")
    return table


def _load(files: Mapping[str, str]) -> dict[str, np.ndarray]:
    from ..graph.errors import Error
    from ..passes.compress.npz import open_arrays

    feed = {}
    for name, path in files.items():
        arrays = open_arrays(Path(path))
        if isinstance(arrays, dict):
            if name not in arrays:
                raise Error(f"{path}: no array {name!r}, expected it among {', '.join(map(repr, arrays))}")
            feed[name] = arrays[name][0 : arrays[name].shape[0]]
        else:
            feed[name] = arrays.read()
    return feed


def _save(outputs: Mapping[str, np.ndarray], folder: Path) -> None:
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    for name, array in outputs.items():
        np.save(folder / f"{name.replace('/', '_')}.npy", array)


def _engine(session: InferenceSession) -> dict[str, Any]:
    return {"threads": session.engine.threads, "isa": session.engine.isa}


def _summary(name: str, array: np.ndarray, top: int) -> dict[str, Any]:
    import numpy as np

    facts: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
    if array.size:
        facts |= {"min": array.min().item(), "max": array.max().item(), "mean": float(np.mean(array, dtype=np.float64))}
    if array.ndim == 2 and array.shape[1] > 1 and top:
        best = np.argsort(-array.astype(np.float64), axis=1, kind="stable")[:, :top]
        facts["top"] = [[{"index": int(i), "value": row[i].item()} for i in indices] for row, indices in zip(array, best, strict=True)]
    return facts


def _print(summary: dict[str, Any]) -> None:
    console = out()
    text = f"{summary['name']}: {summary['dtype']} {shape_text(summary['shape'])}"
    if "mean" in summary:
        text += f", {summary['min']:.6g} to {summary['max']:.6g}, mean {summary['mean']:.6g}"
    console.print(text, markup=False)
    for i, row in enumerate(summary.get("top", [])):
        console.print(f"  row {i}: " + ", ".join(f"{entry['index']} ({entry['value']:.4f})" for entry in row), markup=False)
