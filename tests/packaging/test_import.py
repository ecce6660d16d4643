"""The surface of `import honed`."""

import subprocess
import sys
from importlib.metadata import version

import honed
import pytest
from honed._runtime import version as library_version


def test_import_loads_nothing_heavy():
    code = "import sys, honed; print([m for m in ('numpy', 'onnx', 'pydantic', 'rich', 'typer', 'onnx_graphsurgeon') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in honed.__all__:
        assert getattr(honed, name) is not None
        assert name in dir(honed)


def test_there_is_one_version():
    assert honed.__version__ == version("honed") == library_version()


def test_errors_have_one_base():
    for name in ("ArtifactError", "ModelError", "RecipeError", "ShapeError"):
        assert issubclass(getattr(honed, name), honed.Error)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        honed.no_such_name  # noqa: B018


def test_knobs_show_what_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HONED_ISA", "scalar")
    values = {knob.name: knob.value for knob in honed.knobs()}
    assert values["HONED_ISA"] == "scalar"
    assert all(knob.doc for knob in honed.knobs())
