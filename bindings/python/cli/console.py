"""What all commands share: output, progress, errors."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, ParamSpec

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

P = ParamSpec("P")
Step = Callable[[str, int, int | None], None]
"""step(task, done, total): so much of a task is done; total is None where it is not known."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
PrecisionOption = Annotated[
    Literal["f32", "bf16"] | None,
    typer.Option(help="Of an .onnx: bf16 rounds the factors of float products to bfloat16 where that is faster.", show_default=False),
]


def out() -> Console:
    """Results, on standard output. In a pipe, lines are not folded to a terminal's width."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 200
    return console


def err() -> Console:
    """Progress and errors, on standard error."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2))


def error_line(error: Exception) -> str:
    """An error as one line."""
    text = " ".join(str(error).split())
    return f"error: {text or type(error).__name__}"


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """A command that ends with exit code 1 and one line on standard error for honed.Error and for files that cannot be read or written."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from ..graph.errors import Error

        try:
            command(*args, **kwargs)
        except (Error, OSError) as error:
            err().print(error_line(error), markup=False)
            raise typer.Exit(1) from None

    return run


@contextmanager
def progress(console: Console | None = None) -> Iterator[Step]:
    """A function that draws one bar per task on a terminal, and nothing elsewhere. Default: on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = console or err()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def step(task: str, done: int, total: int | None) -> None:
            if task not in tasks:
                tasks[task] = bars.add_task(task, total=total)
            bars.update(tasks[task], completed=done, total=total)

        yield step
