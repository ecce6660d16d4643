"""Engines timed in turn: A B C A B C ..., so that a machine that drifts hurts all alike.

Each engine lives in a process of its own, which is stopped while another one is timed: idle engines spin.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..graph.errors import Error

WORKER = (sys.executable, "-m", "honed.bench.worker")


@dataclass
class Timing:
    """What one engine took for one model; `seconds` has one entry per run, all rounds together."""

    engine: str
    model: Path
    seconds: list[float] = field(default_factory=list)
    outputs: list[np.ndarray] = field(default_factory=list)
    load_s: float = 0.0
    peak_memory_bytes: int = 0

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    @property
    def min_s(self) -> float:
        return min(self.seconds)

    @property
    def p90_s(self) -> float:
        return float(np.percentile(self.seconds, 90))


class Worker:
    """A running `honed.bench.worker`, stopped unless it measures. Raises Error with the process's last words where it dies."""

    def __init__(self, timing: Timing, options: Mapping[str, Any], folder: Path):
        self.timing = timing
        self._log: IO[str] = tempfile.TemporaryFile("w+", dir=folder)  # noqa: SIM115
        outputs = Path(tempfile.mkstemp(suffix=".npz", dir=folder)[1])
        self._process = subprocess.Popen(
            [*WORKER, timing.engine, str(timing.model), json.dumps({**options, "outputs": str(outputs)})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(options["threads"])},
        )  # fmt: skip
        try:
            facts = self._answer()
        except BaseException:
            self.close()
            raise
        timing.load_s, timing.peak_memory_bytes = facts["load_s"], facts["peak_memory_bytes"]
        with np.load(outputs) as arrays:
            timing.outputs = [arrays[name] for name in arrays.files]

    def measure(self, seconds: float) -> None:
        """Runs for about `seconds` and adds to the timing."""
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died: the missing answer says so
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        self.timing.seconds += self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            words = self._log.read().strip().splitlines() or [f"exit status {self._process.returncode}"]
            raise Error(f"{self.timing.engine} cannot run {self.timing.model}: {words[-1]}")
        self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)


def compare(
    pairs: Sequence[tuple[str, Path]],
    *,
    threads: int = 1,
    rounds: int = 10,
    seconds: float = 0.2,
    dims: Mapping[str, Sequence[int]] | None = None,
    on_turn: Callable[[], None] = lambda: None,
) -> list[Timing]:
    """Times every (engine, model) pair, one timing each, in their order. All get the same random input.

    rounds: how often each has its turn. seconds: about how long a turn takes. on_turn: called after every turn.
    Raises Error where an engine cannot load or run its model.
    """
    options = {"threads": threads, "dims": {name: list(shape) for name, shape in (dims or {}).items()}}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers = []
        for engine, model in pairs:
            workers.append(Worker(Timing(engine, Path(model)), options, Path(folder)))
            stack.callback(workers[-1].close)
        for _ in range(rounds):
            for worker in workers:
                worker.measure(seconds)
                on_turn()
        return [worker.timing for worker in workers]


def output_difference(timing: Timing, baseline: Timing) -> float | None:
    """Largest absolute difference of any output to the baseline's, in standard deviations of that output; None where the outputs
    have different shapes and cannot be compared."""
    if [a.shape for a in timing.outputs] != [b.shape for b in baseline.outputs]:
        return None
    worst = 0.0
    for a, b in zip(timing.outputs, baseline.outputs, strict=True):
        spread = float(np.std(b, dtype=np.float64)) or 1.0
        worst = max(worst, float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0.0)) / spread)
    return worst
