"""The C example: compiled as its comment says, and under the address and undefined-behaviour sanitizers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from honed import InferenceSession
from honed.passes.lower.artifact import Artifact

from .conftest import OPTIONS, ROOT, WARNINGS, build_library, run
from .networks import int8_network

SOURCE = ROOT / "bindings/c/examples/classify.c"
SHAPE = (1, 4, 6, 7)


@pytest.fixture(scope="module", params=["installed library", "sanitizers"])
def classify(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("classify") / "classify"
    if request.param == "sanitizers":
        sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{ROOT}/bindings/c"]
        run("cc", *WARNINGS, *sanitize, SOURCE, build_library("address", "*"), "-lm", "-pthread", "-o", target)
    else:
        flags = run(sys.executable, "-m", "honed.config", "--cflags", "--libs").split()
        run("cc", *WARNINGS, SOURCE, *flags, "-o", target)
    return target


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = int8_network()
    program.outputs.pop()
    program.ops = [op for op in program.ops if op.name not in ("phases", "conv 3", "store")]
    path = tmp_path_factory.mktemp("model") / "model.honed"
    Artifact(program).save(path)
    return path


def test_scores_are_those_of_python(classify: Path, model: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    x.tofile(tmp_path / "x.f32")
    ((scores,),) = InferenceSession(model).run(None, {"x": x})
    lines = run(classify, model, tmp_path / "x.f32").splitlines()
    assert [int(line.split()[0]) for line in lines] == np.argsort(-scores, kind="stable").tolist()
    # %g prints six digits.
    np.testing.assert_allclose([float(line.split()[1]) for line in lines], np.sort(scores)[::-1], rtol=1e-5)


@pytest.mark.parametrize(("content", "message"), [(b"1234", "expected 168 floats"), (bytes(4 * 169), "expected 168 floats")])
def test_input_of_another_size_is_refused(classify: Path, model: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.f32").write_bytes(content)
    assert message in failure(classify, model, tmp_path / "x.f32")


def test_damaged_model_is_refused(classify: Path, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.honed"
    path.write_bytes(model.read_bytes()[:-1])
    assert "bad.honed: file has" in failure(classify, path, path)
    assert "none.honed: No such file" in failure(classify, tmp_path / "none.honed", path)
    assert "usage:" in failure(classify)


def failure(*command: str | Path) -> str:
    """Standard error of a command that fails in an orderly way."""
    done = subprocess.run(command, env={**os.environ, **OPTIONS}, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2) and "Sanitizer" not in done.stderr, done.stderr
    return done.stderr
