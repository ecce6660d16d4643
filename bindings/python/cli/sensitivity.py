"""honed sensitivity"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import JsonFlag, err, out, print_json, progress, reports_errors
from .optimize import image_options
from .parsing import floats

if TYPE_CHECKING:
    from ..passes.sensitivity import Sensitivity


@reports_errors
def sensitivity(
    model: Annotated[Path, typer.Argument(help="The model: .onnx, fp32.", show_default=False)],
    calibration: Annotated[Path, typer.Option(help="What the model sees in use: a folder of images, .npy or .npz.", show_default=False)],
    sparsity: Annotated[str, typer.Option(help="Shares of weights to take, by commas.")] = "0.5,0.8",
    pattern: Annotated[str, typer.Option(help="Of the zeros: 1x1, 2x1, 4x1, filters or N:M, which is a sparsity by itself.")] = "1x1",
    samples: Annotated[int, typer.Option(min=1, help="Calibration samples.")] = 64,
    size: Annotated[str | None, typer.Option(help="Of images: HEIGHTxWIDTH of the centre crop.", show_default=False)] = None,
    resize: Annotated[int | None, typer.Option(min=1, help="Of images: the shorter side before the crop.", show_default=False)] = None,
    mean: Annotated[str, typer.Option(help="Of images scaled to 0...1: subtracted, per channel. One number: grey.")] = "0.485,0.456,0.406",
    std: Annotated[str, typer.Option(help="Of images scaled to 0...1: divided by, per channel.")] = "0.229,0.224,0.225",
    top: Annotated[int, typer.Option(min=0, help="Lines of the table; 0: all.")] = 0,
    svg: Annotated[Path | None, typer.Option(help="Where a plot goes.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which layers are hurt by compression: int8 and pruning on each layer alone, the most harmful first.

    Pruning is by magnitude, without solving for what remains: a comparison of layers, not a forecast of accuracy.
    """
    from .. import sensitivity as measure

    images = image_options(size, resize, mean, std)
    with progress() as step:
        report = measure(
            model, calibration, floats(sparsity, "--sparsity"), pattern=pattern, samples=samples, images=images,
            tick=lambda done, total: step("layers", done, total),
        )  # fmt: skip
    for warning in report.warnings:
        err().print(f"warning: {warning}", markup=False)
    if svg is not None:
        from ..sensitivity_plot import draw

        svg.write_text(draw(report, model.name), encoding="utf-8")
    if as_json:
        print_json(report.to_dict())
    else:
        out().print(_table(report, top))


def _table(report: Sensitivity, top: int) -> Table:
    table = Table(title=f"one layer compressed, on {report.samples} samples; errors over the variance", title_justify="left")
    table.add_column("layer", overflow="fold")
    table.add_column("operator")
    table.add_column("technique")
    for name in ("error of the layer", "error of the model", "agreement"):
        table.add_column(name, justify="right")
    for trial in report.trials[: top or None]:
        errors = (f"{trial.output_error:.2e}", f"{trial.result_error:.2e}", f"{trial.agreement:.1%}")
        table.add_row(trial.name, trial.op, trial.technique, *errors)
    return table
