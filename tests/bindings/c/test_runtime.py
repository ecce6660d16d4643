"""The C library from C programs, plain and under sanitizers."""

from pathlib import Path

import pytest

from .conftest import Build, run


@pytest.mark.parametrize("kind", ["plain", "address", "thread"])
def test_api(build: Build, model: Path, fixed_model: Path, kind: str) -> None:
    run(build("runtime", kind), model, fixed_model)


@pytest.mark.parametrize("kind", ["address", "thread"])
def test_sessions_in_several_threads(build: Build, model: Path, kind: str) -> None:
    run(build("threads", kind), model)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_runs_allocate_nothing(build: Build, model: Path, threads: str) -> None:
    assert run(build("allocations"), model, threads) == "0\n"


def test_child_process_goes_on(build: Build, model: Path) -> None:
    run(build("forked"), model)


def test_memory_plan(build: Build) -> None:
    run(build("memory_plan", "address"))


@pytest.mark.parametrize("kind", ["plain", "address"])
def test_pieces_of_an_arena(build: Build, kind: str) -> None:
    run(build("arena", kind))


@pytest.mark.parametrize("kind", ["address", "thread"])
def test_every_task_runs_once(build: Build, kind: str) -> None:
    run(build("jobs", kind))


@pytest.mark.parametrize("kind", ["address", "thread"])
def test_callers_divide_the_threads(build: Build, kind: str) -> None:
    run(build("shares", kind))


def test_a_thread_is_kept_off_a_cpu_and_let_back(build: Build) -> None:
    run(build("placement", "address"))


def test_checksum_variants_agree(build: Build) -> None:
    run(build("checksums", "address"))
