"""python -m honed.bench accuracy [--case-study | --at-speed] [--only KIND ...] [--quick] [--seeds N ...] [--output FOLDER]

What compression costs in accuracy and gains in speed, on Fashion-MNIST's ResNet-18: no labels, nothing retrained. Top-1 of every
compressed file by honed and by ONNX Runtime, on how many images the two differ and how near those two classes are there, and the time
of one image on one thread, all files in turn. Exit code 1 where a variant costs more than it may, or where engines differ by more than a
near-tie.

Seeds draw the calibration images. With --output, models and results stay in a folder, and what is there from the same recipes,
seeds and package is not done again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .. import Error, __version__, optimize
from ..cli.console import Step, err, error_line, out, progress
from ..graph import write_atomically
from .accuracy_rows import Row, Score, markdown_of, table_of
from .accuracy_variants import Study, Variant, case_study, limits_study, speed_study
from .answers import disagreement, outputs
from .compare import compare
from .environment import describe_environment
from .fashion import fashion_mnist
from .networks import NETWORKS

SAMPLES, QUICK_SAMPLES, QUICK_IMAGES = 256, 64, 1000
BATCH = 50
NETWORK = next(network for network in NETWORKS if network.name == "fmnist_resnet18")


class Benchmark:
    """Compresses into `folder`, on `samples` calibration images, and scores on the first `images` of the validation part."""

    def __init__(self, folder: Path, samples: int, images: int | None) -> None:
        self.folder, self.samples = folder, samples
        self.calibration = fashion_mnist("calibration")[0]
        inputs, labels = fashion_mnist("validation")
        self.inputs, self.labels = inputs[:images], labels[:images]
        self.model_digest = hashlib.sha256(NETWORK.model.read_bytes()).hexdigest()

    def path(self, variant: Variant, seed: int) -> Path:
        return self.folder / f"{variant.file_stem}.{seed}.onnx"

    def drawn(self, seed: int) -> np.ndarray:
        """The calibration images of a seed."""
        order = np.random.default_rng(seed).permutation(len(self.calibration))
        return self.calibration[np.sort(order[: self.samples])]

    def outputs(self, engine: str, path: Path) -> np.ndarray:
        """[images, classes]"""
        return outputs(engine, path, (self.inputs[i : i + BATCH] for i in range(0, len(self.inputs), BATCH)))

    def top1(self, outputs: np.ndarray) -> float:
        """In %."""
        return 100 * float((outputs.argmax(axis=1) == self.labels).mean())

    def score(self, variant: Variant, seed: int) -> Score:
        """Compresses, unless an earlier run left the result, and scores."""
        path = self.path(variant, seed)
        kept = path.with_suffix(".json")
        facts = (__version__, self.model_digest, variant.key, seed, self.samples, len(self.inputs))
        key = hashlib.sha256(repr(facts).encode()).hexdigest()
        if kept.is_file() and path.is_file() and (saved := json.loads(kept.read_text()))["key"] == key:
            return Score(**saved["score"])
        start = time.perf_counter()
        optimize(NETWORK.model, variant.recipe, self.drawn(seed), batch=32).save(path)
        seconds = time.perf_counter() - start
        ours, theirs = self.outputs("honed", path), self.outputs("onnxruntime", path)
        score = Score(seed, self.top1(ours), self.top1(theirs), *disagreement(ours, theirs), seconds)
        write_atomically(kept, json.dumps({"key": key, "score": asdict(score)}).encode())
        return score


def run(study: Study, bench: Benchmark, seeds: Sequence[int], rounds: int, step: Step) -> list[Row]:
    """Every variant for every seed; then the files of the first seed are timed in turn."""
    variants = dict.fromkeys([study.baseline, *study.variants])
    rows = {variant.name: Row(variant.name, variant.allowed, len(bench.inputs)) for variant in variants}
    jobs = [(variant, seed) for variant in variants for seed in seeds]
    for done, (variant, seed) in enumerate(jobs):
        step("compress", done, len(jobs))
        rows[variant.name].scores.append(bench.score(variant, seed))
    timings = compare([("honed", bench.path(variant, seeds[0])) for variant in variants], threads=1, rounds=rounds, seconds=0.1)
    for row, timing in zip(rows.values(), timings, strict=True):
        row.ms, row.speed = timing.median_s * 1e3, timings[0].median_s / timing.median_s
    return [rows[variant.name] for variant in study.variants]


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench accuracy", description="Accuracy and speed of compressed networks.")
    study = result.add_mutually_exclusive_group()
    study.add_argument("--case-study", action="store_const", dest="study", const=case_study, help="the network pruned, quantised, and both")
    study.add_argument("--at-speed", action="store_const", dest="study", const=speed_study, help="the fastest recipes within a loss")
    result.set_defaults(study=limits_study)
    result.add_argument("--only", action="append", metavar="KIND", help="int8, 1x1, 2x1 or 4x1; may be repeated")
    result.add_argument("--percent", action="append", type=int, metavar="N", help="of zeros: 50, 65, 80 or 90; may be repeated")
    result.add_argument("--quick", action="store_true", help=f"{QUICK_SAMPLES} calibration and {QUICK_IMAGES} validation images")
    result.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the choice of calibration images")
    result.add_argument("--rounds", type=int, default=10, help="of timing")
    result.add_argument("--output", type=Path, metavar="FOLDER", help="where models and results stay")
    result.add_argument("--json", type=Path, metavar="FILE", help="where the rows go")
    result.add_argument("--markdown", action="store_true", help="print Markdown")
    return result


def chosen(study: Study, only: Sequence[str] | None, percent: Sequence[int] | None) -> Study:
    """The variants that options leave. Raises Error where none is left."""
    kept = [v for v in study.variants if only is None or v.kind in only]
    kept = [v for v in kept if percent is None or any(f"{p} %" in v.name for p in percent)]
    if not kept:
        raise Error(f"no variant is left; there are: {', '.join(v.name for v in study.variants)}")
    return Study(study.title, tuple(kept), study.baseline)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one table."""
    options = parser().parse_args(arguments)
    samples, images = (QUICK_SAMPLES, QUICK_IMAGES) if options.quick else (SAMPLES, None)
    try:
        study = chosen(options.study(samples), options.only, options.percent)
        with tempfile.TemporaryDirectory() as temporary, progress() as step:
            folder = options.output or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            bench = Benchmark(folder, samples, images)
            original = bench.top1(bench.outputs("onnxruntime", NETWORK.model))
            rows = run(study, bench, options.seeds, options.rounds, step)
        if options.json is not None:
            report = {"environment": describe_environment(), "original": original, "rows": [asdict(row) for row in rows]}
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    out().print(markdown_of(rows, original) if options.markdown else table_of(rows, original, study.title))
    sys.exit(0 if all(row.holds(original) for row in rows) else 1)


if __name__ == "__main__":
    main()
