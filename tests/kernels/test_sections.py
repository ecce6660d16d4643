"""How the channels of a list divide their entries among its sections, and where these go."""

from itertools import product

import numpy as np
import pytest
from honed.kernels.packing import GroupingCost
from honed.kernels.packing.places import place
from honed.kernels.packing.sections import STREAM, count_kinds, make_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

COST = GroupingCost((8.0, 10.0, 16.0))
PER_STEP = np.array([16.0, 20.0, 20.0, 20.0, 32.0])
KINDS = np.arange(16)[:, None] >> np.arange(4) & 1


def masks_of(kinds):
    """[1, 4, entries] from how many entries there are of each kind."""
    return KINDS[np.repeat(np.arange(16), kinds)].T[None].astype(bool)


def steps_taken(places, count):
    steps = np.zeros((count, 5), np.int64)
    np.maximum.at(steps, (places.list, places.section), places.place // 4 + 1)
    return steps


def fits(kinds, steps):
    """Whether there is a place for every entry, or would be if they could be divided."""
    # Ways to place an entry of a kind: a partition of its channels among streams.
    ways = [(kind, [(section, stream) for section, stream in streams]) for kind in np.flatnonzero(kinds) for streams in ways_of(kind)]
    places = sorted({place for _, streams in ways for place in streams})
    room = np.array([[streams.count(place) for _, streams in ways] for place in places])
    of_kind = np.array([[own == kind for own, _ in ways] for kind in np.flatnonzero(kinds)])
    most = [4 * steps[section] for section, _ in places]
    return linprog(np.zeros(len(ways)), room, most, of_kind, kinds[kinds > 0]).success


def ways_of(kind):
    channels = np.flatnonzero(KINDS[kind]).tolist()
    found = set()
    for sections in product(range(5), repeat=len(channels)):
        found.add(tuple(sorted({(section, int(STREAM[section, c])) for c, section in zip(channels, sections, strict=True)})))
    return sorted(found)


def best_cost(kinds):
    """The least that any plan costs, with no more steps than one section alone would need."""
    entries = int(kinds.sum())
    most = -(-entries // 4)
    return min(
        float(PER_STEP @ steps)
        for steps in product(range(most + 1), range(most + 1), range(most + 1), range(most + 1), range(most + 1))
        if 4 * (steps[0] + 2 * sum(steps[1:4]) + 4 * steps[4]) >= entries and fits(kinds, steps)
    )


counts = st.lists(st.integers(0, 12), min_size=15, max_size=15).map(lambda found: np.array([0, *found]))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(counts, min_size=1, max_size=5))
def test_every_entry_has_one_place_and_plans_hold(lists):
    width = max(int(kinds.sum()) for kinds in lists)
    mask = np.zeros((len(lists), 4, width), bool)
    for i, kinds in enumerate(lists):
        mask[i, :, : int(kinds.sum())] = masks_of(kinds)[0]
    kinds = count_kinds(mask)
    np.testing.assert_array_equal(kinds, np.array(lists))
    steps = make_plan(kinds, np.full(len(lists), 4), COST)
    places = place(mask, steps)
    of = places.weight_of
    found = np.zeros_like(mask, np.int64)
    np.add.at(found, (places.list[of], places.channel, places.column[of]), 1)
    np.testing.assert_array_equal(found, mask)
    np.testing.assert_array_equal(STREAM[places.section[of], places.channel], places.stream[of])
    spots = set(zip(*(a.tolist() for a in (places.list, places.section, places.stream, places.place)), strict=True))
    assert len(spots) == len(places.list)
    taken = steps_taken(places, len(lists))
    assert (taken[:, :4] <= steps[:, :4]).all()
    assert (taken[:, 4] <= steps[:, 4] + 1).all()
    alone = -(-mask.sum(2).max(1) // 4) * PER_STEP[4]
    together = -(-mask.any(1).sum(1) // 4) * PER_STEP[0]
    assert (steps @ PER_STEP <= np.minimum(alone, together)).all()


def test_plans_are_near_the_best():
    rng = np.random.default_rng(0)
    kinds = np.column_stack([np.zeros(12, np.int64), rng.integers(0, 3, (12, 15)) * (rng.random((12, 15)) < 0.4)])
    steps = make_plan(kinds, np.full(12, 4), COST)
    assert all(fits(own, found) for own, found in zip(kinds, steps, strict=True))
    ratio = (steps @ PER_STEP) / [best_cost(own) for own in kinds]
    assert ratio.max() < 1.25
    assert ratio.mean() < 1.05


@pytest.mark.parametrize(("size", "section"), [(1, 0), (2, 0), (4, 0)])
def test_channels_with_the_same_entries_share_one_stream(size, section):
    kinds = np.zeros((1, 16), np.int64)
    kinds[0, (1 << size) - 1] = 10
    steps = make_plan(kinds, np.array([size]), COST)[0]
    assert steps.tolist() == [3 * (i == section) for i in range(5)]


def test_lists_of_two_have_no_pairs():
    kinds = np.zeros((1, 16), np.int64)
    kinds[0, 1:4] = 8
    assert make_plan(kinds, np.array([2]), COST)[0].tolist() == [2, 0, 0, 0, 2]
