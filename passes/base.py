"""What a pass is: a rule that checks, and then writes what it wants changed into a patch. It never changes the graph itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import onnx_graphsurgeon as gs

from ..graph import Error, View
from .patch import Patch


class PassError(Error):
    """A pass that broke its contract: a bug of ours, not of the model."""


class Match(SimpleNamespace):
    """What check() found and rewrite() needs, by name: Match(conv=..., scale=...)."""


@dataclass(frozen=True)
class Reject:
    """Why a candidate is left as it is. `node` is needed from a GraphPass; a rule's is the node it looked at."""

    reason: str
    node: gs.Node | None = field(default=None, compare=False)


class Pass(ABC):
    """Base of all passes. `name` is unique, in the form fold-batch-norm; `lossy` says whether outputs change beyond rounding."""

    name: ClassVar[str]
    lossy: ClassVar[bool] = False


class RewriteRule(Pass):
    """A pass that looks at one node, and what is around it, at a time."""

    roots: ClassVar[tuple[str, ...]]
    """Operators of ONNX's own domain to call check() for ("com.microsoft:QGemm" for others), or ("*",) for all."""

    @abstractmethod
    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        """Reads only. A match; or, of a node that is a candidate, why it is left; or None: the rule is not about such a node."""

    @abstractmethod
    def rewrite(self, match: Any, patch: Patch) -> None:
        """Writes to `patch` only, and cannot refuse any more."""


class GraphPass(Pass):
    """A pass that looks at the graph as a whole."""

    @abstractmethod
    def patches(self, view: View) -> Iterator[Patch | Reject]:
        """Yields patches, each applied before the next is asked for, and refusals (with their node)."""
