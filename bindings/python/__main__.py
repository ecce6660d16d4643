"""python -m honed: the command line."""

from .cli import main

main()
