"""Timing of one function."""

from collections.abc import Callable
from time import perf_counter


def seconds_of(run: Callable[[], object], seconds: float, least: int = 5) -> list[float]:
    """Times of calls, for about so many seconds, and of at least so many; the first call is not counted."""
    run()
    times: list[float] = []
    end = perf_counter() + seconds
    while len(times) < least or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return times
