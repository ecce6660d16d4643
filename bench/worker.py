"""One engine with one model in a process of its own: python -m honed.bench.worker ENGINE MODEL OPTIONS

OPTIONS is JSON: threads, dims (shapes by input name) and outputs (where the outputs of the first run are saved as .npz).
On standard output: a line of JSON once the model is loaded and warm; then, for each line "SECONDS" on standard input, a line with
the list of seconds that single runs took, as many as fit in that time and at least MIN_RUNS. Everything else goes to standard error.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .engines import Session, open_session, random_feed

WARM_UP_RUNS = 3
MIN_RUNS = 3


def serve(session: Session, feed: dict[str, np.ndarray], requests: TextIO, answers: TextIO) -> None:
    """Answers requests until their end. The run before each measurement warms the caches again after a pause."""
    for line in requests:
        seconds: list[float] = []
        session.run(None, feed)
        end = time.perf_counter() + float(line)
        while len(seconds) < MIN_RUNS or time.perf_counter() < end:
            start = time.perf_counter()
            session.run(None, feed)
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), file=answers, flush=True)


def prepare(engine: str, model: Path, options: dict[str, Any]) -> tuple[Session, dict[str, np.ndarray], dict[str, Any]]:
    """The loaded and warm session, its feed, and what there is to say about it."""
    start = time.perf_counter()
    session = open_session(engine, model, options["threads"])
    loaded = time.perf_counter() - start
    feed = random_feed(session, options["dims"])
    outputs = session.run(None, feed)
    np.savez(options["outputs"], *outputs)
    for _ in range(WARM_UP_RUNS):
        session.run(None, feed)
    return session, feed, {"load_s": loaded, "peak_memory_bytes": peak_memory_bytes()}


def peak_memory_bytes() -> int:
    """The largest resident set of this process. (The maximum that getrusage gives counts what there was before exec as well.)"""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    engine, model, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    session, feed, facts = prepare(engine, model, options)
    print(json.dumps(facts), file=answers, flush=True)
    serve(session, feed, sys.stdin, answers)


if __name__ == "__main__":
    main()
