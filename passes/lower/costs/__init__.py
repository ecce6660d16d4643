"""What running an operator costs on a CPU: measured, fitted, looked up."""

from .files import cache_path, current_costs, read_costs, write_costs
from .fit import fit, fit_spread
from .model import Costs, FamilyCosts
from .spread import ANY, Spread, share

__all__ = [
    "ANY", "Costs", "FamilyCosts", "Spread", "cache_path", "current_costs", "fit", "fit_spread", "read_costs", "share", "write_costs",
]  # fmt: skip
