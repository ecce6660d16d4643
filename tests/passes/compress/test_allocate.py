from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from honed.graph import Error
from honed.passes.compress.allocate import STEPS, least_loss, loss_at, undominated


@dataclass(frozen=True)
class Option:
    us: float
    loss: float


def drawn(seed, layers=5, options=4):
    rng = np.random.default_rng(seed)
    return [[Option(float(us), float(loss)) for us, loss in rng.uniform(0.1, 10, (options, 2))] for _ in range(layers)]


@pytest.mark.parametrize("seed", range(20))
def test_as_good_as_trying_everything(seed):
    layers = drawn(seed)
    fastest, slowest = (sum(pick(o.us for o in options) for options in layers) for pick in (min, max))
    for share in (0.2, 0.5, 0.9):
        budget = fastest + share * (slowest - fastest)
        every = [(sum(o.us for o in c), sum(o.loss for o in c)) for c in product(*layers)]
        # times are rounded up to steps of the budget, one for each layer
        bound = min(loss for us, loss in every if us <= budget * (1 - len(layers) / STEPS))
        chosen = least_loss(layers, budget)
        assert sum(o.us for o in chosen) <= budget and sum(o.loss for o in chosen) <= bound + 1e-12


def test_one_choice_of_each_layer_and_all_the_time_there_is():
    layers = drawn(1)
    chosen = least_loss(layers, sum(max(o.us for o in options) for options in layers) * 1.01)
    assert chosen == [min(options, key=lambda o: o.loss) for options in layers]
    assert least_loss([], 1.0) == []


def test_the_fastest_where_only_they_fit():
    layers = drawn(2)
    fastest = [min(options, key=lambda o: o.us) for options in layers]
    assert least_loss(layers, sum(o.us for o in fastest)) == fastest
    with pytest.raises(Error, match="out of reach: the fastest choices take"):
        least_loss(layers, sum(o.us for o in fastest) * 0.99)


def test_a_choice_that_cannot_be_is_never_taken():
    assert least_loss([[Option(1.0, np.inf), Option(2.0, 5.0)]], 10.0) == [Option(2.0, 5.0)]


def test_undominated_choices_get_worse_with_speed():
    options = [Option(1, 3), Option(2, 3), Option(3, 1), Option(2.5, 4), Option(1, 5), Option(4, 0)]
    assert undominated(options) == [Option(1, 3), Option(3, 1), Option(4, 0)]


def test_losses_between_known_ones_follow_a_power_of_what_stays():
    power = {s: 0.7 * (1 - s) ** -2.5 for s in (0.9, 0.5, 0.75)}
    for sparsity in (0.5, 0.6, 0.75, 0.85, 0.9):
        assert loss_at(sparsity, power) == pytest.approx(0.7 * (1 - sparsity) ** -2.5, rel=1e-9)
    assert loss_at(0.97, power) == pytest.approx(power[0.9]) and loss_at(0.3, power) == pytest.approx(power[0.5])
    assert loss_at(0.5, {0.4: 0.0, 0.6: 0.0}) < 1e-20
