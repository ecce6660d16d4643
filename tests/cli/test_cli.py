"""What holds for every command."""

import subprocess
import sys

import pytest
from honed.cli import app
from typer.main import get_command

from .conftest import run

COMMANDS = sorted(get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_json(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "tune"])
def test_no_arguments_is_a_usage_error(command):
    assert run(command).exit_code == 2


def test_unknown_command_is_a_usage_error():
    assert run("polish").exit_code == 2


def test_installed_command_starts_without_heavy_imports():
    code = "import sys; sys.argv = ['honed', '--version']\nfrom honed.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    code += "print([m for m in ('numpy', 'onnx', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("honed ") and done.stdout.splitlines()[1] == "[]"


def test_module_and_script_are_the_same():
    done = subprocess.run([sys.executable, "-m", "honed", "--help"], capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in COMMANDS)
