"""python -m honed.bench quantisation [--images FOLDER] [--only NAME ...] [--quick] [--json FILE] [--output FOLDER] [--markdown]

Ways to quantise MobileNetV2, and to prune it, by what stays of its answers: top-1 agreement with the network in fp32 on crops of
photographs that calibration does not see; of the compressed file in ONNX Runtime, and by honed. Nothing is retrained, and calibration has
no labels. The photographs are scikit-image's, or those of a folder (bench/images.py), on whose centres the accuracy is measured too where
their names are those of ImageNet's images.

Exit code 1 where a way keeps less than it should, or where the two engines differ by more than a near-tie.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.table import Table

from .. import Error, optimize
from ..cli.console import Step, err, error_line, out, progress
from ..passes.compress.metrics import divergence
from .answers import NEAR_TIE, disagreement, outputs
from .environment import describe_environment
from .images import Images, images_in
from .markdown import markdown_table
from .networks import NETWORKS
from .photographs import CALIBRATION, EVALUATION, crops

CALIBRATION_CROPS, EVALUATION_CROPS = 8, 150  # of each photograph
QUICK_CALIBRATION_CROPS, QUICK_EVALUATION_CROPS = 1, 2
NETWORK = next(network for network in NETWORKS if network.name == "mobilenet_v2")


@dataclass(frozen=True)
class Way:
    """A recipe, and the agreement in % that it should keep, None where it is there to compare with."""

    name: str
    recipe: dict[str, Any]
    least: float | None = None


def shipped(name: str) -> dict[str, Any]:
    """One of the recipes that come with honed.bench."""
    recipe: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "recipes" / name).read_text(encoding="utf-8"))
    return recipe


SQUARES = {"range": "mse"}
SOLVED = {"range": "output", "rounding": "outputs", "augment": 3}
FOUR_BITS = {"range": "mse", "rounding": "outputs", "augment": 1, "pointwise_bits": 4}
FIRST = ["/features/features.0/*", "/features/features.1/conv/conv.0/*"]
ACTIVE = {"group_size": 16, "active_only": True}
EARLY = "/features/features.[1-7]/*"
"""3 % of the weights of the 1x1 convolutions."""
WORST = "/features/features.17/conv/conv.0/*"
"""7 % of them."""
MIXED = "mobilenet_v2_mixed.yaml"
"""First and last blocks in f32."""


def pruned(sparsity: float, early: float, middle: float, **settings: Any) -> dict[str, Any]:
    """Single weights of the 1x1 convolutions pruned with reconstruction: `early` of those in the first four blocks, `middle` of those in
    the next three, `sparsity` of the others. settings: of `prune`."""
    blocks = {"[1-4]": early, "[5-7]": middle}
    convolutions = ("conv.0/*", "conv.[12]/Conv")
    layers = {f"/features/features.{b}/conv/{c}": {"sparsity": share} for b, share in blocks.items() for c in convolutions}
    return {"prune": {"method": "reconstruct", "sparsity": sparsity, "damping": 0.2, "augment": 3, "layers": layers, **settings}}


WAYS = (
    Way("int8, min-max", {"quantize": {"range": "minmax"}}),
    Way("int8, min-max, one scale per layer", {"quantize": {"range": "minmax", "per_channel": False}}),
    Way(
        "int8, min-max, one scale per layer, equalised",
        {"equalise": {"method": "weights"}, "quantize": {"range": "minmax", "per_channel": False}},
    ),
    Way("int8, min-max, equalised", {"equalise": {}, "quantize": {"range": "minmax"}}),
    Way("int8, mse, equalised", {"equalise": {}, "quantize": SQUARES}),
    Way("int8, mse, equalised, first two layers f32", {"equalise": {}, "quantize": {**SQUARES, "skip": FIRST}}),
    Way("int8, mse, equalised, first and last blocks f32", shipped(MIXED), 95.0),
    Way("int8, ranges by output", {"equalise": {}, "quantize": {"range": "output"}}),
    Way("int8, solved", {"equalise": {}, "quantize": SOLVED}),
    Way("4-bit 1x1, min-max", {"quantize": {"range": "minmax", "pointwise_bits": 4}}),
    Way("4-bit 1x1, solved", {"equalise": {}, "quantize": {**SOLVED, "pointwise_bits": 4}}, 88.0),
    Way("4-bit 1x1, solved, ranges by mse", {"equalise": {}, "quantize": FOUR_BITS}),
    Way("4-bit 1x1 in groups of 16, solved", {"equalise": {}, "quantize": {**FOUR_BITS, "group_size": 16}}, 88.0),
    Way(
        "4-bit 1x1 in groups of 16, 8 bits in the first seven blocks, solved",
        {"equalise": {}, "quantize": {**FOUR_BITS, "group_size": 16, "layers": {EARLY: {"bits": 8}}}},
    ),
    Way(
        "4-bit 1x1 in groups of 16, 8 bits in 9 % of their weights, solved for active outputs",
        {"equalise": {}, "quantize": {**FOUR_BITS, **ACTIVE, "layers": {"/features/features.[1-6]/*": {"bits": 8}, WORST: {"bits": 8}}}},
        88.0,
    ),
    Way("1x1 35 % pruned, f32", pruned(0.355, 0.1, 0.2)),
    Way("1x1 50 % pruned, f32", pruned(0.507, 0.2, 0.3)),
    Way("1x1 35 % pruned for active outputs, f32", pruned(0.355, 0.1, 0.2, active_only=True, augment=7), 88.0),
    Way("1x1 50 % pruned for active outputs, f32", pruned(0.507, 0.2, 0.3, active_only=True, augment=7), 75.0),
)


@dataclass(frozen=True)
class Evaluation:
    """What the network in fp32 answers. images: None for scikit-image's photographs. crops: of each photograph. exact: [crops, classes]."""

    images: Images | None
    crops: int
    exact: np.ndarray

    def inputs(self) -> Iterator[np.ndarray]:
        """Every crop."""
        return _crops(self.images, self.crops)

    def accuracy(self, path: Path) -> float | None:
        """Top-1 of a file in ONNX Runtime on the centres of the images, in %."""
        if self.images is None or self.images.labels is None:
            return None
        return 100 * float((outputs("onnxruntime", path, self.images.centres()).argmax(axis=1) == self.images.labels).mean())


def _crops(images: Images | None, count: int) -> Iterator[np.ndarray]:
    return crops(EVALUATION, count) if images is None else images.crops(count)


def evaluation(images: Images | None, count: int) -> Evaluation:
    """With `count` crops of each photograph."""
    return Evaluation(images, count, outputs("onnxruntime", NETWORK.model, _crops(images, count)))


@dataclass(frozen=True)
class Result:
    """agreement, honed: with fp32, in %, in ONNX Runtime and by honed. divergence: mean KL from fp32's classes, of ONNX Runtime. accuracy:
    in % of labelled images, None without. differ, gap: as in `accuracy`. seconds: of compression."""

    name: str
    least: float | None
    agreement: float
    honed: float
    divergence: float
    accuracy: float | None
    differ: int
    gap: float
    seconds: float

    @property
    def holds(self) -> bool:
        return (self.least is None or self.agreement >= self.least) and self.gap <= NEAR_TIE


def calibration(per_photograph: int) -> np.ndarray:
    """Crops of the photographs in turn, so that every part of them shows all photographs."""
    each = [list(crops((name,), per_photograph)) for name in CALIBRATION]
    return np.concatenate([photograph[i] for i in range(per_photograph) for photograph in each])


def judge(way: Way, path: Path, data: Evaluation, seconds: float) -> Result:
    """What a compressed file keeps."""
    theirs, ours = (outputs(engine, path, data.inputs()) for engine in ("onnxruntime", "honed"))
    classes = data.exact.argmax(axis=1)
    agreement, honed = (100 * float((result.argmax(axis=1) == classes).mean()) for result in (theirs, ours))
    apart = float(divergence(data.exact, theirs).mean())
    return Result(way.name, way.least, agreement, honed, apart, data.accuracy(path), *disagreement(ours, theirs), seconds)


def measure(ways: Sequence[Way], folder: Path, calibration_crops: int, data: Evaluation, step: Step) -> list[Result]:
    """Every way, one after the other; the compressed files stay in `folder`."""
    samples, found = calibration(calibration_crops), []
    for done, way in enumerate(ways):
        step("quantise", done, len(ways))
        path, start = folder / (way.name.replace(", ", ".").replace(" ", "-") + ".onnx"), time.perf_counter()
        optimize(NETWORK.model, way.recipe, samples).save(path)
        found.append(judge(way, path, data, time.perf_counter() - start))
    return found


HEAD = ("way", "agreement %", "at least", "by honed", "crops that differ", "divergence", "top-1 %", "seconds")


def cells(result: Result) -> list[str]:
    least = "" if result.least is None else f"{result.least:.0f}"
    differing = f"{result.differ}" + (f", within {result.gap:.3f} std" if result.differ else "")
    accuracy = "" if result.accuracy is None else f"{result.accuracy:.2f}"
    kept = [result.name, f"{result.agreement:.2f}", least, f"{result.honed:.2f}", differing, f"{result.divergence:.4f}", accuracy]
    return [*kept, f"{result.seconds:.0f}"]


def title_of(data: Evaluation) -> str:
    title = f"MobileNetV2: top-1 as in fp32, on {len(data.exact)} crops of photographs that calibration did not see"
    accuracy = data.accuracy(NETWORK.model)
    return title if accuracy is None else f"{title}; top-1 on the centres of the images, {accuracy:.2f} % in fp32"


def table_of(results: Sequence[Result], title: str) -> Table:
    """One line per way."""
    table = Table(title=title, title_justify="left")
    for name in HEAD:
        table.add_column(name, justify="left" if name == HEAD[0] else "right")
    for result in results:
        table.add_row(*cells(result), style=None if result.holds else "red")
    return table


def markdown_of(results: Sequence[Result], title: str) -> str:
    """The same as a Markdown table."""
    return f"{title}\n\n{markdown_table(HEAD, map(cells, results))}"


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench quantisation", description="Ways to quantise a mobile network.")
    result.add_argument(
        "--images", type=Path, metavar="FOLDER", help="images to evaluate with in place of scikit-image's; ImageNet's are labelled"
    )
    result.add_argument("--only", action="append", metavar="NAME", help="a part of the name of a way; may be repeated")
    result.add_argument("--quick", action="store_true", help="a few crops: shows that everything runs")
    result.add_argument("--json", type=Path, metavar="FILE", help="where the results go")
    result.add_argument("--output", type=Path, metavar="FOLDER", help="where the compressed models stay")
    result.add_argument("--markdown", action="store_true", help="print Markdown")
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one table."""
    options = parser().parse_args(arguments)
    counts = (QUICK_CALIBRATION_CROPS, QUICK_EVALUATION_CROPS) if options.quick else (CALIBRATION_CROPS, EVALUATION_CROPS)
    ways = [way for way in WAYS if options.only is None or any(part in way.name for part in options.only)]
    try:
        if not ways:
            raise Error(f"no way is left; there are: {'; '.join(way.name for way in WAYS)}")
        images = None if options.images is None else images_in(options.images)
        with tempfile.TemporaryDirectory() as temporary, progress() as step:
            folder = options.output or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            data = evaluation(images, counts[1] if images is None else 1)
            results = measure(ways, folder, counts[0], data, step)
            title = title_of(data)
        if options.json is not None:
            report = {"environment": describe_environment(), "results": [asdict(result) for result in results]}
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    out().print(markdown_of(results, title) if options.markdown else table_of(results, title))
    sys.exit(0 if all(result.holds for result in results) else 1)


if __name__ == "__main__":
    main()
