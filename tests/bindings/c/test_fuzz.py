"""Damaged .honed files: errors, and nothing else, under the address and undefined-behaviour sanitizers."""

from pathlib import Path

import pytest
from honed.passes.lower.artifact import save_artifact

from .conftest import Build, run
from .networks import float_network, int8_network

MUTATIONS = 5000


@pytest.mark.parametrize("network", [int8_network, float_network])
def test_damage_gives_errors(build: Build, tmp_path: Path, network) -> None:
    path = tmp_path / "network.honed"
    save_artifact(network(), path)
    program = build("fuzz", "address", kernels=True)
    counts = [int(count) for count in run(program, path, str(MUTATIONS), "1").split()]
    refused, unshaped, _, ran = counts
    assert sum(counts) == MUTATIONS
    assert refused > MUTATIONS / 2 and unshaped > 0 and ran > MUTATIONS / 100, counts
