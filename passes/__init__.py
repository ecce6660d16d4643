"""What is done to a graph: the driver, exact clean-up, compression, lowering."""

from .base import GraphPass, Match, Pass, PassError, Reject, RewriteRule
from .driver import Driver
from .patch import Patch
from .pipeline import CLEAN, clean
from .report import Change, PassStats, Refusal, Report

__all__ = [
    "CLEAN", "Change", "Driver", "GraphPass", "Match", "Pass", "PassError", "PassStats", "Patch", "Refusal", "Reject", "Report",
    "RewriteRule", "clean",
]
