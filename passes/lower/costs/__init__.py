"""What running an operator costs on a CPU: measured, fitted, looked up."""

from .files import cache_path, current_costs, read_costs, write_costs
from .fit import fit
from .model import Costs, FamilyCosts

__all__ = ["Costs", "FamilyCosts", "cache_path", "current_costs", "fit", "read_costs", "write_costs"]
