"""Two compressed forms of a model run beside each other: how long each takes, and how far its answers are from the model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import onnx

from .passes.compress.inputs import Feed
from .passes.compress.metrics import agreement, divergence, relative_error
from .session import InferenceSession, session_of

TIME_MARGIN = 0.02
"""Times that are nearer than this, relative, count as equal."""
DEVIATIONS = 2.0
"""Standard errors that make a difference of divergences clear."""
ROUNDS, SECONDS = 30, 4.0


@dataclass(frozen=True)
class Outcome:
    """Of a form that was compressed on some samples and judged on others. us: predicted; measured_us: of one run on one thread here;
    divergence: the mean over samples (`metrics.divergence`); error: of the model's first output, over its variance; agreement: share of
    samples with the same largest value there."""

    us: float
    measured_us: float
    divergence: float
    error: float
    agreement: float


@dataclass(frozen=True)
class Verdict:
    """better: whether the new form is to be taken; reason: why, in words. apart, deviation: the mean of how much further than the old
    one's its answers are from the model's, sample by sample, and the standard error of that."""

    better: bool
    reason: str
    apart: float
    deviation: float


def answers(model: onnx.ModelProto, feeds: Sequence[Feed]) -> list[np.ndarray]:
    """The first output for each feed."""
    session = session_of(model)
    return [session.run(None, feed)[0] for feed in feeds]


def outcome(us: float, measured_us: float, exact: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> Outcome:
    """Of the answers `found` where the model gives `exact`."""
    axis = -1 if exact[0].ndim == 3 else 1
    return Outcome(us, measured_us, float(divergences(exact, found).mean()), relative_error(exact, found, axis), agreement(exact, found))


def divergences(exact: Sequence[np.ndarray], found: Sequence[np.ndarray]) -> np.ndarray:
    """Of every sample."""
    return np.concatenate([divergence(a, b) for a, b in zip(exact, found, strict=True)])


def times_us(models: Sequence[onnx.ModelProto], feed: Feed) -> list[float]:
    """Of one run of each on one thread: the least of ROUNDS, or as many as there is time for, in turn."""
    sessions = [InferenceSession(model.SerializeToString(), threads=1) for model in models]
    least, end = [np.inf] * len(sessions), perf_counter() + SECONDS
    for session in sessions:
        session.run(None, feed)
    for done in range(ROUNDS):
        for i, session in enumerate(sessions):
            start = perf_counter()
            session.run(None, feed)
            least[i] = min(least[i], perf_counter() - start)
        if perf_counter() > end and done >= 2:
            break
    return [1e6 * seconds for seconds in least]


def judge(new_us: float, old_us: float, new: np.ndarray, old: np.ndarray) -> Verdict:
    """Whether a new form replaces the old one, by the times and the divergences of the same samples of either: only where it is clearly
    better in one of both and not worse in the other.

    It is faster, or slower, where the times differ by more than TIME_MARGIN, and clearly nearer where the mean of new - old is below
    -DEVIATIONS standard errors. It is taken if it is clearly nearer and not slower, or if it is faster and in the mean no further away.
    """
    difference = new - old
    apart, deviation = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))
    change = new_us / old_us - 1
    slower, faster = change > TIME_MARGIN, change < -TIME_MARGIN
    nearer = apart < -DEVIATIONS * deviation
    time = f"{new_us:.0f} us against {old_us:.0f} us ({change:+.1%})"
    loss = f"divergence {new.mean():.4g} against {old.mean():.4g} (difference {apart:+.2g}, standard error {deviation:.2g})"
    if nearer and not slower:
        return Verdict(True, f"clearly nearer to the model and not slower: {loss}, {time}", apart, deviation)
    if faster and apart <= 0:
        return Verdict(True, f"faster and no further from the model: {time}, {loss}", apart, deviation)
    why = "slower" if slower else "further from the model" if apart > 0 else "no clear gain"
    return Verdict(False, f"{why}: {time}, {loss}", apart, deviation)
