"""Builds the C library and the test programs, plain and under sanitizers, and makes the models that they load."""

import fcntl
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from honed.passes.lower.artifact import Artifact
from honed.passes.lower.program import Op, Program, Value

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
WARNINGS = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SANITIZERS = {"plain": "", "address": "address,undefined", "thread": "thread"}
# A refused allocation is an error that the library has to report, not the end of the program.
OPTIONS = {
    "ASAN_OPTIONS": "allocator_may_return_null=1:detect_leaks=1:max_allocation_size_mb=512",
    "TSAN_OPTIONS": "allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

Build = Callable[..., Path]


def run(*command: str | Path, **variables: str) -> str:
    """Standard output of a command that succeeds."""
    done = subprocess.run(command, env={**os.environ, **OPTIONS, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-8000:]}"
    return done.stdout


def build_library(kind: str, kernels: str) -> Path:
    """libhoned.a under a sanitizer, with all kernels or ("base") with none but what all of them share."""
    folder = ROOT / "build" / f"test-{kind}-{'all' if kernels == '*' else kernels}"
    command = ["make", "-s", "-C", ROOT / "bindings/c", f"BUILD={folder}", f"KERNELS={kernels}", "CFLAGS=-O1 -g1", f"-j{os.cpu_count()}"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time, whichever process asks for it
        run(*command, f"SANITIZE={SANITIZERS[kind]}", folder / "libhoned.a")
    return folder / "libhoned.a"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker of pytest-xdist runs all of this folder: the builds share their folders."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("libhoned"))


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """build(program, kind) compiles programs/<program>.c with the operators of programs/operators.c; kind: plain, address, thread.
    With kernels=True, with the runtime's operators instead."""

    @cache
    def compile_program(program: str, kind: str = "plain", kernels: bool = False) -> Path:
        target = tmp_path_factory.mktemp(program) / f"{program}-{kind}"
        library = build_library(kind, "*" if kernels else "base")
        sources = [PROGRAMS / f"{program}.c", *([] if kernels else [PROGRAMS / "operators.c"])]
        sanitize = [f"-fsanitize={SANITIZERS[kind]}", "-fno-sanitize-recover=all"] if SANITIZERS[kind] else []
        flags = [*WARNINGS, "-g", "-O1", "-pthread", *sanitize, f"-I{ROOT}/bindings/c", f"-I{ROOT}/kernels"]
        run("cc", *flags, *sources, library, "-lm", "-o", target)
        return target

    return compile_program


def runtime_program(n: int | str, h: int | str, w: int | str) -> Program:
    """The program of programs/model.h."""
    shape = (n, 2, h, w)
    x, s, j, k, i = (Value(name, "f32", shape) for name in ("x", "s", "j", "k", "i"))
    v, flat, total = (Value(name, "f32", (None,)) for name in ("v", "flat", "total"))
    planes = Value("planes", "f32", shape, "planar", 1, 1)
    ops = [
        Op("spread", "planes of x", [x], [planes]),
        Op("left_sum", "sum of x", [planes], [s]),
        Op("flat", "view of s", [s], [v]),
        Op("increment", "plus one", [s], [j]),
        Op("increment", "plus two", [j], [k]),
        Op("increment", "plus three", [k], [i]),
        Op("flat", "flat", [i], [flat]),
        Op("add", "total", [v, i], [total]),
    ]
    return Program([x], [flat, total, i, x], ops)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.honed"
    Artifact(runtime_program("n", "h", "w")).save(path)
    return path


@pytest.fixture(scope="session")
def fixed_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "fixed.honed"
    Artifact(runtime_program(1, 3, 4)).save(path)
    return path
