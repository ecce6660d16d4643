"""honed compile"""

from pathlib import Path
from typing import Annotated

import typer

from .console import JsonFlag, PrecisionOption, out, print_json, reports_errors


@reports_errors
def compile(
    model: Annotated[Path, typer.Argument(help="The model: .onnx, fp32 or int8, pruned or not.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the .honed file goes.", show_default=False)],
    strict: Annotated[bool, typer.Option("--strict", help="Fail where an operator would run, but slowly.")] = False,
    tune_table: Annotated[
        Path | None, typer.Option(help="Costs of the CPU that the file is for, from `honed tune -o`.", show_default=False)
    ] = None,
    precision: PrecisionOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Fuse, choose kernels and pack weights: one .honed file, which loads at once and needs no Python."""
    from .. import compile as compile_model
    from ..inspection import inspect

    compile_model(model, output, strict=strict, tune_table=tune_table, precision=precision or "f32")
    inspection = inspect(output)
    if as_json:
        print_json({"output": str(output), "totals": inspection.to_dict()["totals"]})
    else:
        out().print(f"wrote {output}: {inspection.summary()}", markup=False)
