"""Which of two compressed forms is taken, and what is measured of each."""

import numpy as np
import pytest
from honed.verdict import DEVIATIONS, TIME_MARGIN, judge, outcome, times_us
from scipy import special

from tests.passes.compress.small_models import Builder, samples

OLD = np.random.default_rng(0).uniform(0.5, 1.5, 400)
NOISE = np.random.default_rng(1).normal(0, 0.1, 400)


def moved(deviations):
    """Divergences that differ from OLD by so many standard errors in the mean."""
    noise = NOISE - NOISE.mean()
    return OLD + noise + deviations * noise.std(ddof=1) / np.sqrt(len(noise))


@pytest.mark.parametrize(
    ("time", "deviations", "better", "reason"),
    [
        (1.0, -DEVIATIONS - 0.1, True, "clearly nearer"),
        (1 + TIME_MARGIN - 0.001, -DEVIATIONS - 0.1, True, "clearly nearer"),
        (1 + TIME_MARGIN + 0.001, -10.0, False, "slower: "),
        (1 - TIME_MARGIN - 0.001, -0.1, True, "faster and no further"),
        (1 - TIME_MARGIN - 0.001, 0.1, False, "further from the model"),
        (1 - TIME_MARGIN + 0.001, -DEVIATIONS + 0.1, False, "no clear gain"),
        (1.0, 10.0, False, "further from the model"),
        (0.5, 10.0, False, "further from the model"),
    ],
)
def test_only_what_is_better_in_one_and_not_worse_in_the_other_is_taken(time, deviations, better, reason):
    verdict = judge(200 * time, 200.0, moved(deviations), OLD)
    assert verdict.better == better and verdict.reason.startswith(reason)
    assert verdict.apart == pytest.approx(deviations * verdict.deviation, abs=1e-9)
    assert "against 200 us" in verdict.reason and f"against {OLD.mean():.4g}" in verdict.reason


def test_the_same_twice_is_no_gain():
    assert not judge(100.0, 100.0, OLD, OLD).better


def test_an_outcome_by_scipy():
    draw = np.random.default_rng(3)
    exact, found = ([draw.standard_normal((5, 7)).astype(np.float32) for _ in range(3)] for _ in range(2))
    p, q = (special.softmax(np.concatenate(x).astype(np.float64), axis=1) for x in (exact, found))
    result = outcome(1.0, 2.0, exact, found)
    assert result.divergence == pytest.approx(special.rel_entr(p, q).sum(axis=1).mean(), rel=1e-6)
    assert result.agreement == (p.argmax(1) == q.argmax(1)).mean()


def slow_net(convs):
    b, x = Builder(), "x"
    for i in range(convs):
        x = b.conv(x, f"conv{i}", 32, 3 if i == 0 else 32, pads=[1] * 4)
    return b.model(["n", 3, 24, 24], x)


def test_more_work_takes_more_time():
    one, four = times_us([slow_net(2), slow_net(5)], {"x": samples(1, (3, 24, 24))})
    assert 1 < one < four / 2
