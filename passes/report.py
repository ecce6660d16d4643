"""What the passes did, what they left and why, and how long they took."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Change:
    """One applied patch. `number` counts from 1 over the whole run."""

    number: int
    pass_name: str
    node: str
    op: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Refusal:
    """One node that a pass looked at and left."""

    pass_name: str
    node: str
    op: str
    reason: str


@dataclass
class PassStats:
    """One pass over all rounds."""

    name: str
    lossy: bool
    runs: int = 0
    changes: int = 0
    seconds: float = 0.0


@dataclass
class Report:
    """All changes in order, the refusals that still stand at the end, and the statistics of each pass by name."""

    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    passes: dict[str, PassStats] = field(default_factory=dict)
    rounds: int = 0
    stopped: bool = False
    """Whether the run ended at the patch that it was told to stop after."""

    def refusals_of(self, node: str) -> dict[str, str]:
        """Pass name -> why it left the node of that name."""
        return {r.pass_name: r.reason for r in self.refusals if r.node == node}

    def changes_of(self, pass_name: str) -> list[Change]:
        return [change for change in self.changes if change.pass_name == pass_name]

    def reasons(self, pass_name: str) -> dict[str, int]:
        """Reason -> number of nodes that the pass left for it."""
        counts: dict[str, int] = {}
        for refusal in self.refusals:
            if refusal.pass_name == pass_name:
                counts[refusal.reason] = counts.get(refusal.reason, 0) + 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "rounds": self.rounds,
            "passes": [vars(stats) for stats in self.passes.values()],
            "changes": [vars(change) for change in self.changes],
            "refusals": [vars(refusal) for refusal in self.refusals],
        }
