"""What holds for the whole source tree."""

import re
import subprocess
from functools import cache
from pathlib import Path

import honed
import pytest
from honed.kernels._native import operator_types

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {"bench", "bindings", "docs", "graph", "kernels", "passes", "tests", ".ci"}
MAX_LINES = 500
UNFINISHED = re.compile("TO" + "DO|FIX" + "ME|XX" + "X|NotImplemented" + "Error")


@cache
def sources() -> tuple[str, ...]:
    """Files that git tracks, relative to the root; models and data apart."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git repository")
    return tuple(name for name in done.stdout.splitlines() if not name.endswith((".onnx", ".npz")) and (ROOT / name).is_file())


def code() -> list[str]:
    return [name for name in sources() if name.endswith((".py", ".pyx", ".c", ".h", ".inc"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_top_level_holds_the_rooms_only():
    assert {name.split("/")[0] for name in sources() if "/" in name} <= TOP_LEVEL


def test_no_file_is_too_long_to_read():
    assert {name: lines for name in code() if (lines := read(name).count("\n")) > MAX_LINES} == {}


def test_nothing_is_left_unfinished():
    assert [name for name in code() if UNFINISHED.search(read(name))] == []


def test_every_python_file_of_the_package_says_what_it_is():
    package = [name for name in code() if name.endswith((".py", ".pyx")) and not name.startswith("tests/")]
    assert [name for name in package if not re.match(r'(#.*\n)*"""\S', read(name))] == []


def test_every_operator_of_the_runtime_is_in_the_catalogue():
    catalogue = set(re.findall(r"`(\w+)`", read("docs/architecture.md")))
    assert [name for name in operator_types() if name not in catalogue] == []


def test_every_environment_variable_is_a_knob():
    found = set()
    for name in code():
        if not name.startswith("tests/"):
            found |= set(re.findall(r"""(?:getenv\(|environ(?:\.get\(|\[))["'](\w+)["']""", read(name)))
    assert {name for name in found if name.startswith("HONED_")} == {knob.name for knob in honed.knobs()}
