"""Damaged .honed files: errors, and nothing else, under the address and undefined-behaviour sanitizers."""

from pathlib import Path

import pytest
from honed.kernels._native import operator_types
from honed.passes.lower.artifact import Artifact

from .conftest import Build, run
from .networks import NETWORKS

MUTATIONS = 3000  # of each network


@pytest.mark.parametrize("network", NETWORKS)
def test_damage_gives_errors(build: Build, tmp_path: Path, network) -> None:
    path = tmp_path / "network.honed"
    Artifact(network()).save(path)
    program = build("fuzz", "address", kernels=True)
    counts = [int(count) for count in run(program, path, str(MUTATIONS), "1").split()]
    refused, unshaped, _, ran = counts
    assert sum(counts) == MUTATIONS
    assert refused > MUTATIONS / 2 and unshaped > 0 and ran > MUTATIONS / 100, counts


def test_every_operator_is_in_a_network() -> None:
    missing = set(operator_types()) - {op.type for network in NETWORKS for op in network().ops}
    assert not missing, f"add to networks.py: {', '.join(sorted(missing))}"
