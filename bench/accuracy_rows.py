"""The results of `accuracy`: one row per variant, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.table import Table

from .answers import NEAR_TIE
from .markdown import markdown_table

HEAD = ("variant", "top-1 %", "drop", "allowed", "ONNX Runtime", "images that differ", "seeds", "ms", "speed")


@dataclass
class Score:
    """One compressed file. honed, onnxruntime: top-1 in %; differ: images on which they disagree; gap: the largest distance of the two
    classes there, in standard deviations of the image's outputs; seconds: of compression."""

    seed: int
    honed: float
    onnxruntime: float
    differ: int
    gap: float
    seconds: float


@dataclass
class Row:
    """A variant with its scores by seed, the median milliseconds of one image, and how many times as fast as the baseline that is."""

    name: str
    allowed: float | None
    images: int
    scores: list[Score] = field(default_factory=list)
    ms: float = 0.0
    speed: float = 1.0

    def drop(self, original: float) -> float:
        """Points of top-1, in the mean over seeds."""
        return original - float(np.mean([score.honed for score in self.scores]))

    def holds(self, original: float) -> bool:
        """Whether it costs no more than it may, and engines differ by near-ties only."""
        return (self.allowed is None or self.drop(original) <= self.allowed + 1e-9) and all(s.gap <= NEAR_TIE for s in self.scores)


def table_of(rows: Sequence[Row], original: float, title: str) -> Table:
    """One line per variant."""
    table = Table(*HEAD[:1], title=f"fp32 {original:.2f} %; one thread, one image; {title}", title_justify="left")
    for name in HEAD[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*cells(row, original), style=None if row.holds(original) else "red")
    return table


def cells(row: Row, original: float) -> list[str]:
    ours, theirs = [score.honed for score in row.scores], [score.onnxruntime for score in row.scores]
    differ, gap = max(score.differ for score in row.scores), max(score.gap for score in row.scores)
    differing = f"{differ} of {row.images}" + (f", within {gap:.3f} std" if differ else "")
    allowed = "" if row.allowed is None else f"{row.allowed:.2f}"
    seeds = ",".join(str(score.seed) for score in row.scores)
    top1 = f"{np.mean(ours):.2f}" + (f" ± {np.std(ours):.2f}" if len(ours) > 1 else "")
    drop, time = f"{row.drop(original):.2f}", f"{row.ms:.3f}"
    return [row.name, top1, drop, allowed, f"{np.mean(theirs):.2f}", differing, seeds, time, f"{row.speed:.2f}×"]


def markdown_of(rows: Sequence[Row], original: float) -> str:
    """The same as a Markdown table."""
    return markdown_table(HEAD, [cells(row, original) for row in rows])
