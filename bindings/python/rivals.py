"""An allocation of sparsities and the uniform one of the same time, from a choice to a verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx

from .graph import load, to_model
from .passes.assume import assume, prepare
from .passes.compress.inputs import Feed
from .passes.compress.recipe import Recipe
from .passes.compress.reconstruct.kept import Kept
from .passes.optimize import Progress
from .passes.optimize import optimize as optimize_graph
from .prediction import Model
from .session import session_of
from .shares import Share, Shares
from .verdict import TIME_MARGIN, Outcome, Verdict, answers, divergences, judge, outcome, times_us

TRIES = 4
"""Of a budget by which an allocation is not slower."""


class Rivals:
    """seen, unseen: what both are compressed with, and judged by; one: a sample to time runs with. measured: times are of runs on this
    machine; otherwise the predicted ones. state: a folder that holds what was chosen, compressed and timed, so that the same work after
    an interruption goes on, and ends with the same verdict."""

    def __init__(
        self, model: Model, shares: Shares, uniform: Recipe, budget_us: float, seen: Sequence[Feed], unseen: Sequence[Feed], one: Feed,
        *, batch: int, tell: Progress, measured: bool, state: Path | None,
    ) -> None:  # fmt: skip
        self._model, self._shares, self._uniform, self._budget_us = model, shares, uniform, budget_us
        self._seen, self._unseen, self._one = seen, unseen, one
        self._batch, self._tell, self._measured, self._state = batch, tell, measured, state
        self._exact = answers(to_model(load(model)), unseen)
        self._kept = None if state is None else Kept(state / "rivals", self._key())

    def choose(self) -> dict[str, Share]:
        """The allocation of least loss within the budget; while its assumed form runs slower here than the uniform one's, within a budget
        that is less by as much."""
        limit = self._known("limit.json", self._limit) if self._measured else self._budget_us
        return self._shares.within(limit)

    def compare(self, chosen: Recipe) -> tuple[Outcome, Outcome, Verdict]:
        """Compresses with the chosen shares and with uniform ones, and judges."""
        models = [self._compressed(name, recipe) for name, recipe in (("allocated", chosen), ("uniform", self._uniform))]
        predicted = [self._shares.forms.estimate(recipe).us for recipe in (chosen, self._uniform)]
        times = self._known("times.json", lambda: times_us(models, self._one)) if self._measured else predicted
        found = [answers(model, self._unseen) for model in models]
        new, old = (outcome(us, time, self._exact, f) for us, time, f in zip(predicted, times, found, strict=True))
        return new, old, judge(*times, *(divergences(self._exact, f) for f in found))

    def _limit(self) -> float:
        graph, limit = prepare(load(self._model), {}), self._budget_us
        uniform = to_model(assume(graph, self._uniform))
        for _ in range(TRIES):
            chosen = to_model(assume(graph, self._shares.recipe(self._shares.within(limit))))
            new, old = times_us([chosen, uniform], self._one)
            less = limit * old / new
            if new <= old * (1 + TIME_MARGIN / 2) or less < self._shares.least_us:
                break
            limit = less
        return limit

    def _compressed(self, name: str, recipe: Recipe) -> onnx.ModelProto:
        state = None if self._state is None else self._state / name
        graph, _ = optimize_graph(self._model, recipe, self._seen, session_of, progress=self._tell, batch=self._batch, state=state)
        return to_model(graph)

    def _key(self) -> str:
        digest = hashlib.sha256(repr((self._shares.digest, self._budget_us, self._uniform)).encode())
        for answer in self._exact:
            digest.update(answer.tobytes())
        return digest.hexdigest()

    def _known(self, name: str, find: Callable[[], Any]) -> Any:
        """What was kept under that name; otherwise what `find` gives, which is kept."""
        kept = None if self._kept is None else self._kept.get(name)
        try:
            return json.loads(kept or "")
        except ValueError:
            found = find()
        if self._kept is not None:
            self._kept.put(name, json.dumps(found).encode())
        return found
