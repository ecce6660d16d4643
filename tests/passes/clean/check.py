"""What holds of every exact pass: the same outputs, a sound graph, and nothing left to do in a second run."""

import numpy as np
from honed import graph as hg
from honed.passes import CLEAN, Driver

from tests.onnx_text import feed_of, run


def named(name):
    """The clean-up pass of that name."""
    return next(p for p in CLEAN if p.name == name)


def cleaned(source, *names, rtol=1e-5, seeds=(0,), **dims):
    """Runs the passes of those names on `source` to the end, checks outputs, and returns (graph, report)."""
    passes = [named(name) for name in names]
    graph = hg.load(source)
    report = Driver(graph, check_patches=True).run(passes, to_fixpoint=True)
    hg.verify(graph, "imported")
    assert not Driver(graph).run(passes, to_fixpoint=True).changes
    assert {t.name for t in graph.inputs} == set(feed_of(source))
    assert [t.name for t in graph.outputs] == [o.name for o in source.graph.output]
    for seed in seeds:
        feed = feed_of(source, seed, **dims)
        for expected, actual in zip(run(source, feed), run(hg.to_model(graph), feed), strict=True):
            assert actual.dtype == expected.dtype
            np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * max(1e-30, float(np.abs(expected).max(initial=0))))
    return graph, report


def ops(graph):
    return [node.op for node in graph.nodes]


def refusal(source, name, *others):
    """The reason of the only refusal of the pass `name`, which must have changed nothing."""
    _, report = cleaned(source, name, *others)
    assert not report.changes_of(name)
    (reason,) = report.reasons(name)
    return reason
