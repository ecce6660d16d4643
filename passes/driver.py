"""Runs passes over a graph: the only one who applies patches."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import onnx_graphsurgeon as gs

from ..graph import Error, ModelError, View, infer_shapes, sort_nodes, verify
from ..graph.printer import fingerprint
from ..graph.view import ONNX_DOMAINS
from .apply import Applier
from .base import GraphPass, Pass, PassError, Reject, RewriteRule
from .patch import Patch
from .report import Change, PassStats, Refusal, Report

MAX_ROUNDS = 30


class Driver:
    """Runs passes over one graph, in one or more calls of run(), and keeps the report.

    stop_after: apply no more than so many patches in all, to find the one that breaks a model.
    check_patches: verify after each patch, not only after each pass.
    after_pass: called with each pass that changed something, and the graph.
    """

    def __init__(self, graph: gs.Graph, *, stop_after: int | None = None, check_patches: bool = False,
                 after_pass: Callable[[Pass, gs.Graph], None] | None = None) -> None:
        self.graph = graph
        self.view = View(graph)
        self.report = Report()
        self._stop_after = stop_after
        self._check_patches = check_patches
        self._after_pass = after_pass
        self._refusals: dict[tuple[str, str], Refusal] = {}
        self._ran: list[str] = []

    def run(self, passes: Sequence[Pass], *, to_fixpoint: bool = False, max_rounds: int = MAX_ROUNDS) -> Report:
        """Runs the passes in order, once, or `to_fixpoint`: again and again until a round changes nothing.

        Raises PassError where passes undo each other or do not come to rest in `max_rounds`, and where a pass breaks the graph.
        """
        verify(self.graph, "imported")
        seen = {fingerprint(self.graph)}
        for _ in range(max_rounds):
            self.report.rounds += 1
            changed = [p.name for p in passes if self._run_pass(p)]
            if not changed or not to_fixpoint or self.report.stopped:
                break
            mark = fingerprint(self.graph)
            if mark in seen:
                raise PassError(f"passes {', '.join(changed)} come back to a graph that was there before")
            seen.add(mark)
        else:
            raise PassError(f"passes {', '.join(changed)} still change the graph after {max_rounds} rounds")
        self._keep_refusals()
        return self.report

    def _run_pass(self, pass_: Pass) -> int:
        stats = self.report.passes.setdefault(pass_.name, PassStats(pass_.name, pass_.lossy))
        if self.report.stopped:
            return 0
        self._ran.append(pass_.name)
        start, before = time.perf_counter(), stats.changes
        applier = Applier(self.graph)
        if isinstance(pass_, RewriteRule):
            self._run_rule(pass_, applier, stats)
        elif isinstance(pass_, GraphPass):
            self._run_graph_pass(pass_, applier, stats)
        else:
            raise PassError(f"{pass_.name}: a {type(pass_).__name__} is neither a RewriteRule nor a GraphPass")
        if stats.changes > before:
            self._settle(pass_)
        stats.runs += 1
        stats.seconds += time.perf_counter() - start
        if stats.changes > before and self._after_pass:
            self._after_pass(pass_, self.graph)
        return stats.changes - before

    def _run_rule(self, rule: RewriteRule, applier: Applier, stats: PassStats) -> None:
        for node in list(self.graph.nodes):
            removed = not node.outputs  # by an earlier patch of this walk
            if removed or not _is_root(node, rule.roots):
                continue
            with self._blame(rule, node):
                found = rule.check(node, self.view)
            if isinstance(found, Reject):
                self._refuse(rule, node, found)
            elif found is not None:
                patch = Patch(node)
                with self._blame(rule, node):
                    rule.rewrite(found, patch)
                self._apply(rule, patch, applier, stats)
            if self.report.stopped:
                return

    def _run_graph_pass(self, pass_: GraphPass, applier: Applier, stats: PassStats) -> None:
        steps = pass_.patches(self.view)
        while not self.report.stopped:
            with self._blame(pass_, None):
                step = next(steps, None)
            if step is None:
                return
            if isinstance(step, Reject):
                if step.node is None:
                    raise PassError(f"{pass_.name}: a refusal without a node: {step.reason}")
                self._refuse(pass_, step.node, step)
            else:
                self._apply(pass_, step, applier, stats)

    def _apply(self, pass_: Pass, patch: Patch, applier: Applier, stats: PassStats) -> None:
        node, op = (patch.root.name, patch.root.op) if patch.root is not None else ("", "")
        with self._blame(pass_, patch.root):
            applier.apply(patch)
        stats.changes += 1
        self._refusals.pop((pass_.name, node), None)
        self.report.changes.append(Change(len(self.report.changes) + 1, pass_.name, node, op, patch.facts))
        self.report.stopped = len(self.report.changes) == self._stop_after
        if self._check_patches:
            self._settle(pass_, node)

    def _settle(self, pass_: Pass, node: str = "") -> None:
        """Sorts, infers what is missing, and verifies."""
        try:
            sort_nodes(self.graph)
            if _lacks_types(self.graph):
                infer_shapes(self.graph)
            verify(self.graph, "imported")
        except ModelError as error:
            where = f" at {node!r}" if node else ""
            raise PassError(f"pass {pass_.name}{where} broke the graph: {error} (passes so far: {', '.join(self._ran)})") from error

    def _refuse(self, pass_: Pass, node: gs.Node, reject: Reject) -> None:
        self._refusals[pass_.name, node.name] = Refusal(pass_.name, node.name, node.op, reject.reason)

    def _keep_refusals(self) -> None:
        present = {node.name for node in self.graph.nodes}
        self.report.refusals = [r for r in self._refusals.values() if r.node in present]

    @contextmanager
    def _blame(self, pass_: Pass, node: gs.Node | None) -> Iterator[None]:
        """Names the pass and the node in what is raised inside."""
        try:
            yield
        except Error:
            raise
        except Exception as error:
            where = "" if node is None else f" at {node.op} {node.name!r}"
            raise PassError(f"pass {pass_.name}{where}: {type(error).__name__}: {error} (passes so far: {', '.join(self._ran)})") from error


def _is_root(node: gs.Node, roots: tuple[str, ...]) -> bool:
    if "*" in roots:
        return True
    return (node.op if node.domain in ONNX_DOMAINS else f"{node.domain}:{node.op}") in roots


def _lacks_types(graph: gs.Graph) -> bool:
    return any(t.dtype is None or t.shape is None for node in graph.nodes for t in node.outputs if not t.is_empty())
