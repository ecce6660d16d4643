"""honed.h: plain C11 and C++17, includable twice; and the library exports what it declares, nothing else."""

import re
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, run

HEADER = ROOT / "bindings/c/honed.h"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wconversion", "-fsyntax-only", f"-I{ROOT}/bindings/c"]


@pytest.mark.parametrize("command", [["cc", "-std=c11", "-Wstrict-prototypes"], ["c++", "-std=c++17", "-Wold-style-cast"]])
def test_header_compiles_twice_on_its_own(tmp_path: Path, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    source = tmp_path / ("twice.c" if command[0] == "cc" else "twice.cc")
    source.write_text('#include "honed.h"\n#include "honed.h"\nint main() { return honed_abi_version() != HONED_ABI_VERSION; }\n'.replace(
        "main()", "main(void)"))
    run(*command, *STRICT, source)


def test_library_exports_the_header_and_nothing_else() -> None:
    library = ROOT / "bindings/python/lib/libhoned.so"
    exported = set(re.findall(r" [A-Z] (\w+)$", run("nm", "-D", "--defined-only", library), re.MULTILINE))
    declared = set(re.findall(r"^HONED_API .*?\b(honed_\w+)\(", HEADER.read_text(), re.MULTILINE))
    assert exported == declared


def test_version_is_the_package_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f'#define HONED_VERSION "{version[1]}"' in HEADER.read_text()
