"""The command line: honed inspect | optimize | compile | run | bench | tune | predict | sensitivity."""

from typing import Annotated

import typer

from .bench import bench
from .compile import compile
from .inspect import inspect
from .optimize import optimize
from .predict import predict
from .run import run
from .sensitivity import sensitivity
from .tune import tune

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
for command in (inspect, optimize, compile, run, bench, tune, predict, sensitivity):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"honed {__version__}")
        raise typer.Exit


@app.callback()
def honed(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Make trained CNNs small and fast on CPUs. Every command explains itself with --help."""


def main() -> None:
    """The entry point `honed`."""
    app(prog_name="honed")
