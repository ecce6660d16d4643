"""honed inspect"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from .console import JsonFlag, PrecisionOption, out, print_json, reports_errors

if TYPE_CHECKING:
    from ..inspection import Inspection, Layer


@reports_errors
def inspect(
    model: Annotated[Path, typer.Argument(help="A model: .onnx or .honed.", show_default=False)],
    strict: Annotated[bool, typer.Option("--strict", help="Fail where an operator would run, but slowly.")] = False,
    precision: PrecisionOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show each layer: operator, shape, MACs, sparsity, the kernel chosen and why not the others; and totals.

    MACs are multiply-adds of one image if every weight counted. Times are estimates, by which kernels are chosen.
    """
    from ..inspection import inspect as inspect_model

    inspection = inspect_model(model, strict=strict, precision=precision)
    if as_json:
        print_json(inspection.to_dict())
        return
    console = out()
    _print_borders(console, inspection)
    console.print(_table(inspection.layers))
    _print_totals(console, inspection)


def _print_borders(console: Console, inspection: Inspection) -> None:
    for kind, tensors in (("input", inspection.inputs), ("output", inspection.outputs)):
        for tensor in tensors:
            console.print(f"{kind:7}{tensor.name}  {tensor.type}  {shape_text(tensor.shape)}", markup=False)


def _table(layers: list[Layer]) -> Table:
    table = Table()
    table.add_column("layer", overflow="fold")
    table.add_column("operator", overflow="fold")
    table.add_column("output", overflow="fold")
    table.add_column("MACs", justify="right")
    table.add_column("zeros", justify="right")
    table.add_column("est. µs", justify="right")
    table.add_column("kernel, and why not the others", overflow="fold")
    for layer in layers:
        info = layer.info
        zeros = "" if info.sparsity is None else f"{info.sparsity:.1%}"
        output = f"{shape_text(info.shape)} {info.dtype}"
        table.add_row(info.name, info.kernel, output, macs_text(info.macs), zeros, us_text(info.us), _reasons(layer))
    return table


def _reasons(layer: Layer) -> str:
    info = layer.info
    lines = [layer.kernel + (f": {info.reason}" if info.reason else "")]
    for other in info.candidates:
        time = f"{us_text(other['us'])} µs, " if other["us"] is not None else ""
        lines.append(f"not {other['kernel']}: {time}{other['reason']}")
    lines += [f"slow: {info.slow}"] if info.slow else []
    return "\n".join(lines)


def _print_totals(console: Console, inspection: Inspection) -> None:
    totals = inspection.totals
    operators = ", ".join(f"{name} {count}" for name, count in totals.operators.items())
    console.print(f"operators: {operators}", markup=False)
    console.print(f"totals: {inspection.summary()}; compiled {totals.compiled_bytes / 1e6:.2f} MB", markup=False)
    if totals.macs_nonzero != totals.macs:
        console.print(f"MACs whose weight is not zero: {macs_text(totals.macs_nonzero)}", markup=False)


def shape_text(shape: list[int | str | None] | None) -> str:
    """1×3×224×224; a dimension without a name is ?, a shape of unknown rank ..."""
    return "..." if shape is None else "×".join("?" if dim is None else str(dim) for dim in shape)


def us_text(us: float | None) -> str:
    """Microseconds."""
    return "" if us is None else f"{us:.1f}"


def macs_text(macs: int | None) -> str:
    """Millions."""
    return "" if macs is None else f"{macs / 1e6:.2f} M"
