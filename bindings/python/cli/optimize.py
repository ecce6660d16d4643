"""honed optimize"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import JsonFlag, err, out, print_json, progress, reports_errors
from .parsing import floats, integers

if TYPE_CHECKING:
    from ..mixed import MixedPrecision
    from ..passes.compress.images import ImageOptions
    from ..passes.compress.recipe import Recipe
    from ..passes.compress.report import CompressionReport


@reports_errors
def optimize(
    model: Annotated[Path, typer.Argument(help="The model: .onnx.", show_default=False)],
    recipe: Annotated[Path, typer.Option(help="What to do: a YAML file (docs/recipes.md).", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the compressed .onnx goes.", show_default=False)],
    calibration: Annotated[
        Path | None, typer.Option(help="What the model sees in use: a folder of images, .npy or .npz.", show_default=False)
    ] = None,
    size: Annotated[str | None, typer.Option(help="Of images: HEIGHTxWIDTH of the centre crop.", show_default=False)] = None,
    resize: Annotated[int | None, typer.Option(min=1, help="Of images: the shorter side before the crop.", show_default=False)] = None,
    mean: Annotated[str, typer.Option(help="Of images scaled to 0...1: subtracted, per channel. One number: grey.")] = "0.485,0.456,0.406",
    std: Annotated[str, typer.Option(help="Of images scaled to 0...1: divided by, per channel.")] = "0.229,0.224,0.225",
    agreement: Annotated[
        float | None, typer.Option(help="Leave in f32 what has to be, so that this share of unseen samples agrees.", show_default=False)
    ] = None,
    fewer_bits: Annotated[
        int | None, typer.Option(help="With --agreement: bits for the weights of layers that can do with fewer than 8.", show_default=False)
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Where the report goes as JSON.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compress a model as a recipe says: prune, correct, factorise, quantise. The result is plain ONNX.

    Layers that pruning with reconstruction and rounding to outputs have solved lie in OUTPUT.state until the model is written: the same
    command goes on from there.
    """
    from .. import mixed_precision as mix
    from .. import optimize as optimize_model

    if fewer_bits is not None and agreement is None:
        raise typer.BadParameter("needs --agreement", param_hint="--fewer-bits")
    images = image_options(size, resize, mean, std)
    state = output.with_name(f"{output.name}.state")
    with progress() as step:
        chosen: Recipe | Path = recipe
        if agreement is not None and calibration is not None:
            chosen = _mixed(mix(model, recipe, calibration, agreement, bits=fewer_bits, images=images, progress=step))
        optimized = optimize_model(model, chosen, calibration, images=images, progress=step, state=state)
    optimized.save(output)
    shutil.rmtree(state, ignore_errors=True)
    if report is not None:
        optimized.report.save(report)
    for warning in optimized.report.warnings:
        err().print(f"warning: {warning}", markup=False)
    if as_json:
        print_json(optimized.report.to_dict())
    else:
        _print(optimized.report, output)


def _mixed(found: MixedPrecision) -> Recipe:
    for precision, names in (("f32", found.floats), ("fewer bits", found.small)):
        err().print(f"{precision}: {', '.join(names) or 'none'}", markup=False)
    reached = "" if found.enough else ", less than asked for"
    err().print(f"agreement on unseen samples: {found.agreement:.1%}{reached}; predicted {found.us:.0f} us", markup=False)
    return found.recipe


def image_options(size: str | None, resize: int | None, mean: str, std: str) -> ImageOptions | None:
    """What options say of images; None where no size is given."""
    if size is None:
        return None
    from ..passes.compress.images import ImageOptions

    sides = integers(size, "--size")
    if len(sides) > 2:
        raise typer.BadParameter(f"{size!r} is not HEIGHTxWIDTH", param_hint="--size")
    return ImageOptions((sides[0], sides[-1]), floats(mean, "--mean"), floats(std, "--std"), resize)


def _print(report: CompressionReport, output: Path) -> None:
    console = out()
    if report.allocation is not None:
        taken = "by layer" if report.allocation["better"] else "the same in all layers"
        console.print(f"sparsities: {taken}; {report.allocation['reason']}", markup=False)
    for layer in report.layers:
        done = "; ".join(_technique(name, facts) for name, facts in layer.techniques.items()) or "left as it is"
        sqnr = "" if layer.output_sqnr_db is None else f"  output SQNR {layer.output_sqnr_db:.1f} dB"
        console.print(f"{layer.name}: {done}{sqnr}", markup=False)
    totals = report.totals()
    before, after, sparsity = totals["bytes_before"], totals["bytes_after"], totals["sparsity"]
    assert before is not None and after is not None and sparsity is not None
    console.print(f"weights: {before / 1e6:.2f} MB before, {after / 1e6:.2f} MB after, {sparsity:.1%} zeros", markup=False)
    for name, value in report.outputs.items():
        text = "exact" if value is None else f"SQNR {value:.1f} dB on {report.samples_measured} samples"
        console.print(f"output {name}: {text}", markup=False)
    console.print(f"wrote {output}", markup=False)


def _technique(name: str, facts: dict[str, object]) -> str:
    return f"not {name}: {facts['refused']}" if "refused" in facts else name
