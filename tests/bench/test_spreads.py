"""Measuring what threads make of the times of operators."""

import pytest
from honed import Engine
from honed.bench import spreads
from honed.bench.chains import chain_model
from honed.bench.shapes import Layer
from honed.bench.spreads import Split, spreads_of, thread_counts, time_split
from honed.passes.lower import lower
from honed.passes.lower.costs import ANY


def test_powers_of_two_and_all_threads_are_measured():
    assert [thread_counts(n) for n in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]


def test_operators_of_several_tasks_are_timed_on_every_number_of_threads():
    program = lower(chain_model([Layer(16, 64, 1, 3, 1, 1, 14), Layer(64, 64, 64, 3, 1, 1, 14)]))
    measured = time_split(program, Engine(3), rounds=1, runs=1)
    assert {"depthwise_f32", "global_average_pool"} <= {one.kind for one in measured} <= {op.type for op in program.ops}
    assert all(one.tasks > 1 and set(one.ns) == {1, 2, 3} for one in measured)


def test_spreads_are_by_number_of_threads_and_type():
    conv = [Split("conv", 12, {1: t, 2: 1.25 * t / 2 + 100, 4: 1.5 * t / 4 + 200}) for t in (1e3, 2e3, 4e3, 8e3, 16e3, 32e3)]
    pool = [Split("pool", 12, {1: t, 2: 1.25 * t / 2 + 100, 4: 1.5 * t / 4 + 200}) for t in (1e3, 2e3)]
    found = spreads_of(conv + pool)
    assert {count: set(kinds) for count, kinds in found.items()} == {2: {"conv", ANY}, 4: {"conv", ANY}}
    for count, slowdown, handover in ((2, 1.25, 100), (4, 1.5, 200)):
        for spread in found[count].values():
            assert (spread.slowdown, spread.handover_ns) == pytest.approx((slowdown, handover), rel=1e-3)
    assert spreads_of([]) == {}


def test_all_forms_of_all_networks_are_measured():
    assert len(list(spreads.programs())) >= len(spreads.NETWORKS) * (len(spreads.FORMS) + 1)
