"""What calibration data do not show: a few facts of the inputs, gathered while they are read, and warnings that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .inputs import Feed
from .moments import ChannelMoments

SPLIT_HALF_FACTS = ("output_fitted_error", "output_held_out_error", "inputs_unseen")
"""What the report on a layer says of solutions for one half of the data, on that half and on the other, and of inputs that never vary."""
REMEMBERED = 4096
"""Samples that are compared with later ones."""
REPEATED = 0.5
"""Share of copies from which on data are called repetitive."""
NARROW_EXCESS, NARROW_RATIO = 0.03, 1.25
"""Held-out error minus, and over, fitted error from which on the solution of a layer is that of its data; errors are shares of the
output's variance."""
FEW_SAMPLES = 128
"""Samples from which on more of the same kind have made no difference; with fewer, halves of them may be alike and still show little."""
UNSEEN = 0.25
"""Share of a layer's inputs that never vary from which on it is reported."""


class InputFacts:
    """Of one float input over all feeds: range, moments per channel, whether all values are whole numbers."""

    def __init__(self) -> None:
        self.lo, self.hi = np.inf, -np.inf
        self.whole = True
        self.moments: ChannelMoments | None = None

    def add(self, values: np.ndarray) -> None:
        """Counts finite values [samples, ...]."""
        self.lo, self.hi = min(self.lo, float(values.min())), max(self.hi, float(values.max()))
        self.whole = self.whole and bool((values == np.rint(values)).all())
        if values.ndim > 1:
            self.moments = self.moments or ChannelMoments()
            self.moments.add(values)

    def warnings(self, name: str) -> Iterable[str]:
        """What is wrong with the input, if anything."""
        if self.lo == self.hi:
            yield f"calibration: input '{name}' is {self.lo:g} everywhere: it shows nothing of what the model sees in use"
            return
        if self.moments is not None and (constant := np.flatnonzero(self.moments.std == 0)).size:
            listed = ", ".join(map(str, constant[:8])) + (" ..." if constant.size > 8 else "")
            yield f"calibration: input '{name}' never varies in {constant.size} of {self.moments.std.size} channels ({listed})"
        if self.whole and self.lo >= 0 and 16 < self.hi <= 255:
            yield (
                f"calibration: input '{name}' holds whole numbers from {self.lo:g} to {self.hi:g}, like pixels that were not scaled: "
                "right only for a model that scales them itself"
            )


class Coverage:
    """Facts of calibration data, in memory that does not grow with them."""

    def __init__(self) -> None:
        self.samples = 0
        self._inputs: dict[str, InputFacts] = {}
        self._seen: set[int] = set()
        self._copies = 0

    def add(self, feed: Feed, samples: int) -> None:
        """Counts a checked feed of so many samples."""
        for name, values in feed.items():
            if values.dtype.kind == "f" and values.size:
                self._inputs.setdefault(name, InputFacts()).add(values)
        first = next(iter(feed.values()))
        for i in range(samples if first.ndim else 0):
            mark = hash(b"".join(array[i].tobytes() for array in feed.values() if array.ndim and len(array) == samples))
            self._copies += mark in self._seen
            if len(self._seen) < REMEMBERED:
                self._seen.add(mark)
        self.samples += samples

    def warnings(self) -> list[str]:
        """One line for everything that looks wrong."""
        found = [line for name, facts in self._inputs.items() for line in facts.warnings(name)]
        if self.samples > 1 and self._copies >= REPEATED * self.samples:
            found.append(f"calibration: {self._copies} of {self.samples} samples are copies of earlier ones")
        return found


def narrow_warnings(layers: Mapping[str, Sequence[float]], samples: int) -> list[str]:
    """For the SPLIT_HALF_FACTS of every layer that was reconstructed, with so many samples."""
    excess = {name: held_out - fitted for name, (fitted, held_out, _) in layers.items() if held_out > NARROW_RATIO * fitted}
    narrow = {name: value for name, value in excess.items() if value > NARROW_EXCESS}
    found = []
    if layers and samples < FEW_SAMPLES:
        found.append(
            f"calibration is narrow: weights were solved with {samples} samples, fewer than {FEW_SAMPLES}: "
            "give more, and more different, ones"
        )
    if narrow:
        worst = max(narrow, key=lambda name: narrow[name])
        fitted, held_out, _ = layers[worst]
        found.append(
            f"calibration is narrow: solutions of {len(narrow)} of {len(layers)} layers for one half of the data do worse on the other, "
            f"the worst, {worst}, by {held_out:.1%} of the variance instead of {fitted:.1%}: give more, and more different, samples"
        )
    dead = sum(unseen > UNSEEN for _, _, unseen in layers.values())
    if dead:
        found.append(f"calibration: in {dead} of {len(layers)} layers, more than {UNSEEN:.0%} of the inputs never vary")
    return found
