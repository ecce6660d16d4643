"""Whole networks give the same bits with every instruction set and any number of threads."""

from collections.abc import Callable

import numpy as np
import pytest
from honed import Engine, InferenceSession
from honed.kernels._native import isa_levels
from honed.passes.lower.artifact import write_artifact
from honed.passes.lower.program import Program

from tests.bindings.c.networks import NETWORKS


def feed(session: InferenceSession) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    values = {}
    for x in session.get_inputs():
        shape = [d if isinstance(d, int) else 3 for d in x.shape]
        values[x.name] = rng.normal(0, 2, shape).astype(np.float32) if x.type == "tensor(float)" else rng.integers(0, 3, shape)
    return values


@pytest.mark.parametrize("network", NETWORKS)
def test_bits_do_not_depend_on_machine_or_threads(network: Callable[[], Program], monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_artifact(network())
    reference: list[np.ndarray] = []
    for isa in isa_levels():
        monkeypatch.setenv("HONED_ISA", isa)
        for threads in (1, 2, 3):
            session = InferenceSession(content, engine=Engine(threads))
            assert session.engine.isa == isa
            results = session.run(None, feed(session))
            reference = reference or results
            for found, wanted in zip(results, reference, strict=True):
                np.testing.assert_array_equal(found, wanted, strict=True)
                assert found.tobytes() == wanted.tobytes()
