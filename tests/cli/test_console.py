"""What all commands share."""

import io

import pytest
import typer
from honed import ShapeError
from honed.cli import console
from rich.console import Console


def draw(**options: bool) -> str:
    text = io.StringIO()
    with console.progress(Console(file=text, width=80, **options)) as step:
        for done in range(3):
            step("pruning", done, 2)
        step("reading", 5, None)
    return text.getvalue()


def test_progress_is_drawn_on_a_terminal():
    text = draw(force_terminal=True)
    assert "pruning" in text and "2/2" in text and "reading" in text and "5/?" in text


def test_progress_is_quiet_elsewhere():
    assert draw() == ""


def test_errors_come_on_one_line_and_end_with_exit_code_1(capsys):
    @console.reports_errors
    def command():
        raise ShapeError("input [x]:\n  found 3,\n  expected 4")

    with pytest.raises(typer.Exit) as stopped:
        command()
    assert stopped.value.exit_code == 1
    assert capsys.readouterr().err == "error: input [x]: found 3, expected 4\n"


def test_bugs_are_not_hidden():
    @console.reports_errors
    def command():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_an_error_without_words_gives_its_name():
    assert console.error_line(OSError()) == "error: OSError"
