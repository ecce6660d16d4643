"""The examples of the README, run as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def example(kind: str) -> str:
    """The code block that follows the marker <!-- example: KIND -->."""
    match = re.search(rf"<!-- example: {kind} -->\n```\w+\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None, f"README.md has no example {kind!r}"
    return match[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder from which the repository's `bench` can be reached, with a few photographs and an input."""
    (tmp_path / "bench").symlink_to(ROOT / "bench")
    (tmp_path / "photographs").mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).resize((256, 256)).save(tmp_path / "photographs" / f"{i}.png")
    np.save(tmp_path / "crop.npy", rng.standard_normal((1, 3, 224, 224)).astype(np.float32))
    return tmp_path


def test_python_example(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", example("python")], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    labels, precision = done.stdout.strip().splitlines()
    assert len(labels.strip("[]").split()) == 8
    assert precision == "int8"


def test_shell_example(folder: Path) -> None:
    for line in example("shell").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "honed"
        done = subprocess.run([sys.executable, "-m", "honed", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (folder / "small.honed").is_file() and (folder / "report.json").is_file()
