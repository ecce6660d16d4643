"""The examples of the README, run as they stand."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import honed
import numpy as np
import pytest
from honed.docs import with_operator_table
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


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")
def test_c_example(folder: Path) -> None:
    honed.compile(ROOT / "bench/models/fmnist_resnet18.onnx", folder / "small.honed")
    (folder / "example.c").write_text(example("c"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-euc", example("build")]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    isa, *scores = done.stdout.splitlines()
    image = np.zeros((1, 1, 28, 28), np.float32)
    session = honed.InferenceSession(folder / "small.honed")
    assert isa == session.engine.isa
    expected = session.run(None, {"input": image})[0][0]
    np.testing.assert_allclose([float(line.split()[1]) for line in scores], expected, rtol=1e-5)


def test_operator_table_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_operator_table(text) == text, "run: python -m honed.docs README.md"


def test_files_that_are_linked_exist() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "kernels/README.md", ROOT / "passes/README.md"):
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_shell_example(folder: Path) -> None:
    for line in example("shell").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "honed"
        done = subprocess.run([sys.executable, "-m", "honed", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (folder / "small.honed").is_file() and (folder / "report.json").is_file()
