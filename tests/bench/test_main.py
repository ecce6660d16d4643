"""python -m honed.bench"""

from importlib import import_module

import pytest
from honed.bench.__main__ import COMMANDS, main


def test_help_names_every_command(capsys):
    main([])
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)


def test_every_command_has_a_main():
    assert all(callable(import_module(f"honed.bench.{name.replace('-', '_')}").main) for name in COMMANDS)


def test_arguments_go_to_the_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["layers", "--help"])
    assert stopped.value.code == 0 and "roofline" in capsys.readouterr().out


def test_unknown_commands_are_usage_errors(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["fly"])
    assert stopped.value.code == 2 and "'fly'" in capsys.readouterr().err
