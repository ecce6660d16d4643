"""Measures what several threads make of the times of operators: what `honed tune` adds to its table of one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from .._runtime import Engine, Model, Session
from ..graph import load
from ..passes.assume import assume, prepare
from ..passes.compress.recipe import load_recipe
from ..passes.lower import Program, lower
from ..passes.lower.artifact import Artifact
from ..passes.lower.costs import ANY, Spread, fit_spread, share
from ..prediction import recipe_of
from .chains import chain_model
from .elementwise_probes import elementwise_probes
from .probes import profile_ns, random_inputs
from .shapes import read_layers

NETWORKS = ("resnet50", "mobilenet_v2")
FORMS = ((None, "1x1", True), (0.8, "1x1", True), (0.9, "4x1", True), (0.9, "4x1", False))
"""Sparsity, pattern, int8; and as they are."""
ROUNDS, RUNS = 15, 2
LEAST_SPLIT = 6
"""Measured operators of a type that is fitted by itself."""


@dataclass(frozen=True)
class Split:
    """A measured operator: its type, its tasks, nanoseconds by numbers of threads."""

    kind: str
    tasks: int
    ns: dict[int, float]


def thread_counts(threads: int) -> list[int]:
    """Powers of two, and all of so many threads."""
    return sorted({threads, *(1 << i for i in range(threads.bit_length()) if 1 << i <= threads)})


def programs() -> Iterator[Callable[[], Program]]:
    """Networks in which layers read one another's outputs, dense and compressed, and operators without weights."""
    for network in NETWORKS:
        for form in (None, *FORMS):
            yield lambda network=network, form=form: _chain(network, form)  # type: ignore[misc]
    for make in elementwise_probes():
        yield lambda make=make: make().program()  # type: ignore[misc]


def _chain(network: str, form: tuple[float | None, str, bool] | None) -> Program:
    graph: gs.Graph = prepare(load(chain_model(read_layers(network))), {})
    return lower(graph if form is None else assume(graph, load_recipe(recipe_of(*form))))


def time_split(program: Program, engine: Engine, rounds: int = ROUNDS, runs: int = RUNS) -> list[Split]:
    """Every operator of several tasks on one thread and on more, up to the engine's."""
    model = Model(Artifact(program).in_memory(), engine)
    feed = random_inputs(program)
    ns = {}
    for count in thread_counts(engine.threads):
        session = Session(model, count)
        ns[count] = profile_ns(session, feed, rounds, runs)
    kinds = [kind for _, kind, _ in model.ops]
    return [
        Split(kind, tasks, {count: float(times[i]) for count, times in ns.items()})
        for i, (kind, tasks) in enumerate(zip(kinds, session.tasks(), strict=True))
        if tasks > 1
    ]


def spreads_of(measured: list[Split]) -> dict[int, dict[str, Spread]]:
    """By numbers of threads above one and types of operators, all of them together among these."""
    groups = {kind: [one for one in measured if one.kind == kind] for kind in {one.kind for one in measured}}
    groups = {kind: members for kind, members in groups.items() if len(members) >= LEAST_SPLIT} | {ANY: measured}
    counts = sorted(set(measured[0].ns) - {1}) if measured else []
    return {count: {kind: _spread(members, count) for kind, members in groups.items()} for count in counts}


def _spread(members: list[Split], threads: int) -> Spread:
    shared = np.array([one.ns[1] * share(one.tasks, threads) for one in members])
    return fit_spread(shared, np.array([max(one.ns[threads], 1.0) for one in members]))
