"""Which output channels share a list."""

import numpy as np
import pytest
from honed.kernels.packing import GroupingCost
from honed.kernels.packing.grouping import _largest_first, form_lists, group_alike

COST = GroupingCost((8.0, 10.0, 16.0))


def one_by_one(gain):
    """The definition: the largest gain first, among equal ones the first pair in row-major order."""
    pairs, taken = [], set()
    for _, i, j in sorted((-gain[i, j], i, j) for i, j in zip(*np.nonzero(gain > 0), strict=True)):
        if not taken & {i, j}:
            taken |= {i, j}
            pairs.append((i, j))
    return pairs


@pytest.mark.parametrize("values", [2, 5, 1000], ids=["mostly equal gains", "few gains", "many gains"])
@pytest.mark.parametrize("count", [1, 2, 3, 17, 64])
def test_pairs_are_those_of_the_definition(count, values):
    rng = np.random.default_rng(count)
    for _ in range(20):
        gain = np.triu(rng.integers(-values, values, (count, count)).astype(float), 1)
        assert _largest_first(gain) == one_by_one(gain)


def test_every_channel_is_in_one_list_of_its_group():
    mask = np.random.default_rng(0).random((48, 30)) < 0.3
    lists = form_lists(mask, 4, COST, 3)
    assert sorted(np.concatenate(lists).tolist()) == list(range(48))
    assert {len(channels) for channels in lists} <= {1, 2, 4}
    assert all(len({channel // 16 for channel in channels}) == 1 for channels in lists)


def test_equal_channels_are_found_wherever_they_are():
    kinds = np.repeat(np.eye(4, dtype=bool), 8, axis=1)
    mask = kinds[np.random.default_rng(1).permutation(np.arange(16) % 4)]
    lists = form_lists(mask, 4, COST, 1)
    assert sorted(len(channels) for channels in lists) == [4] * 4
    assert all((mask[channels] == mask[channels[0]]).all() for channels in lists)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7, 16, 259])
def test_alike_channels_come_four_by_four(rows):
    mask = np.random.default_rng(rows).random((3 * rows, 30)) < 0.3
    channels = group_alike(mask, COST, 3)
    assert sorted(channels[channels >= 0].tolist()) == list(range(3 * rows))
    several = [found for found in channels.tolist() if len({channel // rows for channel in found if channel >= 0}) > 1]
    left = sum(channel >= 0 for found in several for channel in found)
    assert left == (3 * (rows % 2) // 2 * 2)
    sizes = sorted((channels >= 0).sum(1).tolist())
    assert sizes == sorted(3 * ([4] * (rows // 4) + [2] * (rows % 4 // 2)) + [2, 1] * (rows % 2))


def test_alike_channels_are_found_wherever_they_are():
    kinds = np.repeat(np.eye(4, dtype=bool), 8, axis=1)
    mask = kinds[np.random.default_rng(1).permutation(np.arange(16) % 4)]
    assert all((mask[channels] == mask[channels[0]]).all() for channels in group_alike(mask, COST, 1))
