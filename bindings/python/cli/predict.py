"""honed predict"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import JsonFlag, out, print_json, reports_errors
from .parsing import dimensions

if TYPE_CHECKING:
    from ..prediction import Prediction


@reports_errors
def predict(
    model: Annotated[Path, typer.Argument(help="The model: .onnx, fp32.", show_default=False)],
    sparsity: Annotated[float | None, typer.Option(help="Share of weights that pruning would take.", show_default=False)] = None,
    pattern: Annotated[str, typer.Option(help="Of the zeros: 1x1, 2x1, 4x1, filters or N:M.")] = "1x1",
    int8: Annotated[bool, typer.Option("--int8", help="Quantised as well.")] = False,
    recipe: Annotated[Path | None, typer.Option(help="In place of these: a YAML file (docs/recipes.md).", show_default=False)] = None,
    dims: Annotated[list[str] | None, typer.Option(help="NAME=1x3x224x224: an input's shape if it is open.", show_default=False)] = None,
    tune_table: Annotated[
        Path | None, typer.Option(help="Costs of another CPU, from `honed tune -o`.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="That one run may use.")] = 1,
    layers: Annotated[bool, typer.Option("--layers", help="Every layer too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what pruning and quantising would give, before anyone does it: estimated times of one image.

    Needs no data, and no weights worth pruning: nothing is run.
    """
    from ..graph.errors import RecipeError
    from ..prediction import predict as predict_model
    from ..prediction import recipe_of

    if recipe is not None and (sparsity is not None or int8):
        raise RecipeError("--recipe says it all: leave out --sparsity and --int8")
    wanted = recipe if recipe is not None else recipe_of(sparsity, pattern, int8)
    prediction = predict_model(model, wanted, dims=dimensions(dims or []), tune_table=tune_table, threads=threads)
    if as_json:
        print_json(prediction.to_dict())
        return
    console = out()
    if layers:
        console.print(_layers_table(prediction))
    console.print(_table(prediction))
    on = "one thread" if threads == 1 else f"{threads} threads"
    console.print(f"one image, {on}, by the costs of {prediction.cpu}, {prediction.isa}", markup=False)


def _table(prediction: Prediction) -> Table:
    table = Table()
    table.add_column("model")
    table.add_column("ms", justify="right")
    table.add_column("speed-up", justify="right")
    forms = {"as it is": prediction.original, "int8 alone": prediction.quantized, "compressed": prediction.compressed}
    for name, estimate in forms.items():
        if estimate is not None:
            table.add_row(name, f"{estimate.us / 1e3:.2f}", f"{prediction.original.us / estimate.us:.2f}×")
    return table


def _layers_table(prediction: Prediction) -> Table:
    """The layers of the compressed model, beside those of the same name as they are."""
    table = Table()
    for name in ("layer", "kernel"):
        table.add_column(name, overflow="fold")
    for name in ("zeros", "as it is µs", "compressed µs", "speed-up"):
        table.add_column(name, justify="right")
    for layer in prediction.compressed.layers:
        before, after = prediction.original.us_of(layer.name), prediction.compressed.us_of(layer.name) or 0.0
        if not layer.us:
            continue
        zeros = "" if layer.sparsity is None else f"{layer.sparsity:.1%}"
        ratio = f"{before / after:.2f}×" if before and after else ""
        table.add_row(layer.name, layer.kernel, zeros, "" if before is None else f"{before:.1f}", f"{after:.1f}", ratio)
    return table
