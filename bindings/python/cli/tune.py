"""honed tune"""

from pathlib import Path
from typing import Annotated

import typer

from .console import JsonFlag, out, print_json, progress, reports_errors


@reports_errors
def tune(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: the user's cache.", show_default=False)] = None,
    compact: Annotated[float, typer.Option(min=0.0, help="Keep only measurements that need it to be met within this share.")] = 0.0,
    as_json: JsonFlag = False,
) -> None:
    """Measure on this machine what every kernel costs, on one thread and on several (less than three minutes).

    From then on compiling chooses kernels by these costs.

    A table written with --output serves `honed compile --tune-table` on another machine.
    """
    from ..bench.tune import tune as measure
    from ..passes.lower.costs import cache_path, write_costs

    with progress() as step:
        costs = measure(step, keep_from=compact)
    path = output or cache_path(costs.isa)
    write_costs(costs, path)
    if as_json:
        print_json({"output": str(path), "cpu": costs.cpu, "isa": costs.isa, "families": sorted(costs.families)})
    else:
        out().print(f"wrote {path}: {len(costs.families)} families of operators on {costs.cpu}, {costs.isa}", markup=False)
