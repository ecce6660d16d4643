"""What threads do for a model, and what sessions that share them do to one another.

python -m honed.bench threads MODEL [--threads 2] [--dims NAME=1x3x224x224] [--seconds 1] [--json]

MODEL is .onnx or .honed. Without --threads: all CPUs that this process may use.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
from rich.table import Table

from .._runtime import Engine
from ..cli.console import err, error_line, out
from ..cli.parsing import dimensions
from ..graph.errors import Error
from ..kernels._native import isa_levels
from ..kernels._peak import products_made
from ..passes.lower import compile_model
from ..session import InferenceSession, is_compiled
from .engines import random_feed
from .environment import describe_environment
from .timing import seconds_of

BATCH = 8
SESSIONS = 2
PAUSE = 0.02
"""Seconds without work, as between the frames of a camera."""
PAUSES = 25
IDLE = 1.0
"""Seconds for which the CPU time of an idle pool is counted."""
TURNS = 3


@dataclass(frozen=True)
class Threads:
    """Typical milliseconds of a run of one image on one thread and on all; of the first run after a pause, alike; per image of a batch
    on all threads, None where the model fixes its batch; of sessions that share the threads, each running all the time (means). idle_cpu:
    CPU seconds per second of a pool without work. machine: how many times as many multiply-adds, from registers, so many threads make as
    one does, in the same moments: what the CPUs that are there could give; None where the CPU has no loop that measures it."""

    threads: int
    one_ms: float
    all_ms: float
    one_after_pause_ms: float
    all_after_pause_ms: float
    batch_ms: float | None
    shared_ms: tuple[float, ...]
    idle_cpu: float
    machine: float | None = None

    @property
    def unfairness(self) -> tuple[float, ...]:
        """Of each session that shares the threads: its time over what its share of the cores would allow, at least one core each."""
        fair = [self.all_ms * len(self.shared_ms), self.one_ms][self.threads <= len(self.shared_ms)]
        return tuple(ms / fair for ms in self.shared_ms)


def measure(model: Path, threads: int | None, dims: Mapping[str, Sequence[int]], seconds: float) -> Threads:
    """Everything, one after the other. seconds: of each measurement."""
    content = model if is_compiled(model) else compile_model(model)
    engine = Engine(threads)
    one, every, *others = (InferenceSession(content, count, engine) for count in (1, *[engine.threads] * SESSIONS))
    feed = random_feed(one, dims)
    (one_ms, all_ms), machine = _in_turns([one, every], feed, seconds / TURNS, engine.threads)
    one_paused, all_paused = (_after_pauses(session, feed) for session in (one, every))
    batch, shared = _batch_ms(every, feed, seconds), _at_once([every, *others], feed, seconds)
    return Threads(engine.threads, one_ms, all_ms, one_paused, all_paused, batch, shared, idle_cpu(IDLE), machine)


def _in_turns(
    sessions: Sequence[InferenceSession], feed: Mapping[str, np.ndarray], seconds: float, threads: int
) -> tuple[list[float], float | None]:
    """Median milliseconds of each, run after run, in several turns; and the mean of what the machine gives in between."""
    times: list[list[float]] = [[] for _ in sessions]
    given = [machine_scaling(threads, seconds / 4)]
    for _ in range(TURNS):
        for session, found in zip(sessions, times, strict=True):
            found += seconds_of(_run(session, feed), seconds)
        given.append(machine_scaling(threads, seconds / 4))
    known = [each for each in given if each is not None]
    return [statistics.median(found) * 1e3 for found in times], statistics.fmean(known) if known else None


def machine_scaling(threads: int, seconds: float) -> float | None:
    """How many times as many multiply-adds `threads` threads make at once as one alone, over `seconds` each: less than `threads` where
    CPUs share a core, slow down together, or have something else to do."""
    level = isa_levels()[-1]
    try:
        alone = products_made(level, "f32", seconds)
    except ValueError:
        return None
    rates: list[float] = []
    begin = Barrier(threads)

    def work() -> None:
        begin.wait()
        rates.append(products_made(level, "f32", seconds))

    workers = [Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(rates) / alone


def _run(session: InferenceSession, feed: Mapping[str, np.ndarray]) -> Callable[[], object]:
    return lambda: session.run(None, feed)


def _after_pauses(session: InferenceSession, feed: Mapping[str, np.ndarray]) -> float:
    found = []
    for _ in range(PAUSES):
        time.sleep(PAUSE)
        start = time.perf_counter()
        session.run(None, feed)
        found.append(time.perf_counter() - start)
    return statistics.median(found) * 1e3


def _batch_ms(session: InferenceSession, feed: Mapping[str, np.ndarray], seconds: float) -> float | None:
    """Per image; None where the model fixes the first size of an input."""
    if any(not tensor.shape or isinstance(tensor.shape[0], int) for tensor in session.get_inputs()):
        return None
    batch = {name: np.repeat(array, BATCH, axis=0) for name, array in feed.items()}
    return statistics.median(seconds_of(_run(session, batch), seconds)) * 1e3 / BATCH


def _at_once(sessions: Sequence[InferenceSession], feed: Mapping[str, np.ndarray], seconds: float) -> tuple[float, ...]:
    """Mean milliseconds of each while all of them run: where they take turns on the cores, many runs are fast and some wait long."""
    times: list[list[float]] = [[] for _ in sessions]
    begin = Barrier(len(sessions))

    def work(session: InferenceSession, found: list[float]) -> None:
        begin.wait()
        found += seconds_of(_run(session, feed), seconds)

    workers = [Thread(target=work, args=pair) for pair in zip(sessions, times, strict=True)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return tuple(statistics.fmean(found) * 1e3 for found in times)


def idle_cpu(seconds: float) -> float:
    """CPU seconds per second that this process takes, all of its threads together, while it waits."""
    cpu, start = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    return (time.process_time() - cpu) / (time.perf_counter() - start)


def table_of(found: Threads) -> Table:
    table = Table()
    table.add_column("")
    for name in ("ms", "ratio"):
        table.add_column(name, justify="right")
    rows: list[tuple[str, float, str]] = [
        ("one thread", found.one_ms, ""),
        (f"{found.threads} threads", found.all_ms, f"{found.one_ms / found.all_ms:.2f}× as fast as one"),
        (f"one thread, after {PAUSE * 1e3:.0f} ms without work", found.one_after_pause_ms, ""),
        (f"{found.threads} threads, after {PAUSE * 1e3:.0f} ms without work", found.all_after_pause_ms,
         f"{found.one_after_pause_ms / found.all_after_pause_ms:.2f}× as fast as one"),
    ]  # fmt: skip
    if found.batch_ms is not None:
        text = f"{found.threads} threads, per image of a batch of {BATCH}"
        rows.append((text, found.batch_ms, f"{found.all_ms / found.batch_ms:.2f}× as fast"))
    for ms, unfair in zip(found.shared_ms, found.unfairness, strict=True):
        rows.append((f"each of {len(found.shared_ms)} sessions at once", ms, f"{unfair:.2f}× the time of a fair share"))
    for text, ms, ratio in rows:
        table.add_row(text, f"{ms:.3f}", ratio)
    return table


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench threads", description="Threads, batches, and sessions that share a pool.")
    result.add_argument("model", type=Path, help=".onnx or .honed")
    result.add_argument("--threads", type=int, help="default: the CPUs that this process may use")
    result.add_argument("--dims", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape; may be repeated")
    result.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Prints a table or JSON. Exit code 1 and one line for an error."""
    options = parser().parse_args(arguments)
    try:
        found = measure(options.model, options.threads, dimensions(options.dims), options.seconds)
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    if options.json:
        print(json.dumps({"environment": describe_environment(), **asdict(found), "unfairness": found.unfairness}, indent=2))
    else:
        out().print(table_of(found))
        if found.machine is not None:
            text = f"{found.threads} threads make {found.machine:.2f} times as many multiply-adds as one thread here"
            out().print(text, markup=False)
        out().print(f"an idle pool takes {found.idle_cpu:.2%} of a CPU", markup=False)


if __name__ == "__main__":
    main()
