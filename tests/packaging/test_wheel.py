"""What is built and installed."""

import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .conftest import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

PROGRAM = """
#include <honed.h>
#include <stdio.h>
int main(void) { printf("%u\\n", (unsigned)honed_abi_version()); return honed_abi_version() != HONED_ABI_VERSION; }
"""


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_installs_one_top_level_name(wheel: Path):
    assert {re.sub(r"-.*\.dist-info$", "", name.split("/")[0]) for name in names(wheel)} == {"honed"}


def test_wheel_carries_the_c_library(wheel: Path):
    expected = ["lib/libhoned.so", "lib/pkgconfig/honed.pc", "lib/cmake/honed/honed-config.cmake", "include/honed.h", "py.typed"]
    assert {f"honed/{name}" for name in expected} <= set(names(wheel))


def test_wheel_carries_neither_models_nor_data_nor_sources(wheel: Path):
    assert not [name for name in names(wheel) if name.endswith((".onnx", ".npz", ".c", ".pyx", ".inc"))]
    assert [name for name in names(wheel) if name.endswith(".h")] == ["honed/include/honed.h"]


def test_sdist_carries_the_licence_and_every_source(sdist: Path):
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    expected = {"LICENSE", "CHANGELOG.md", "Makefile", "bindings/c/honed.h", "bindings/c/Makefile", "kernels/operators.inc"}
    assert expected | {"tests/packaging/test_wheel.py"} <= packed
    assert not [name for name in packed if name.startswith(("bindings/python/lib", "bindings/python/include"))]


def test_config_prints_flags_that_compile_and_link(installed: Path, tmp_path: Path):
    flags = run(sys.executable, "-m", "honed.config", "--cflags", "--libs", PYTHONPATH=str(installed), cwd=tmp_path).split()
    assert f"-I{installed}/honed/include" in flags
    (tmp_path / "program.c").write_text(PROGRAM)
    run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "program.c", *flags, "-o", "program", cwd=tmp_path)
    assert int(run(tmp_path / "program")) >= 1


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")
def test_pkg_config_finds_the_library(installed: Path, tmp_path: Path):
    folder = run(sys.executable, "-m", "honed.config", "--pkgconfigdir", PYTHONPATH=str(installed), cwd=tmp_path).strip()
    flags = run("pkg-config", "--cflags", "--libs", "honed", PKG_CONFIG_PATH=folder).split()
    (tmp_path / "program.c").write_text(PROGRAM)
    run("cc", "program.c", *flags, "-o", "program", cwd=tmp_path)
    assert int(run(tmp_path / "program")) >= 1


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_finds_the_library(installed: Path, tmp_path: Path):
    (tmp_path / "program.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(program C)\nfind_package(honed CONFIG REQUIRED)\n"
        "add_executable(program program.c)\ntarget_link_libraries(program honed::honed)\n"
    )
    folder = run(sys.executable, "-m", "honed.config", "--cmakedir", PYTHONPATH=str(installed), cwd=tmp_path).strip()
    run("cmake", "-S", ".", "-B", "build", f"-Dhoned_DIR={folder}", cwd=tmp_path)
    run("cmake", "--build", "build", cwd=tmp_path)
    assert int(run(tmp_path / "build/program")) >= 1
