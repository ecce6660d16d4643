"""The driver: rounds, counting, refusals, bisecting, and passes that break their contract."""

import json

import pytest
from honed import graph as hg
from honed.graph import ModelError, RecipeError
from honed.passes import Driver, GraphPass, Match, Pass, PassError, Patch, Reject, RewriteRule

from tests.onnx_text import model

CHAIN = "g (float[2] x) => (float[2] y) { a = Relu(x) b = Relu(a) c = Relu(b) d = Abs(c) y = Neg(d) }"


class Swap(RewriteRule):
    """Replaces one operator by another."""

    def __init__(self, old, new, only=None):
        self.name, self.roots, self._new, self._only = f"{old}-to-{new}", (old,), new, only

    def check(self, node, view):
        if self._only and node.name != self._only:
            return Reject(f"is not {self._only}")
        return Match(node=node)

    def rewrite(self, match, patch):
        patch.replace(match.node.outputs[0], patch.node(self._new, match.node.inputs))


class Custom(RewriteRule):
    name, roots = "custom", ("*",)

    def __init__(self, check=lambda node, view: Match(node=node), rewrite=lambda match, patch: None):
        self._check, self._rewrite = check, rewrite

    def check(self, node, view):
        return self._check(node, view)

    def rewrite(self, match, patch):
        self._rewrite(match, patch)


class Steps(GraphPass):
    name = "steps"

    def __init__(self, function):
        self._function = function

    def patches(self, view):
        yield from self._function(view)


def load():
    return hg.load(model(CHAIN))


def ops(graph):
    return [node.op for node in graph.nodes]


def test_changes_are_counted_in_order():
    graph = load()
    report = Driver(graph, check_patches=True).run([Swap("Relu", "Exp"), Swap("Neg", "Sqrt")], to_fixpoint=True)
    assert ops(graph) == ["Exp", "Exp", "Exp", "Abs", "Sqrt"]
    assert [(c.number, c.pass_name, c.node, c.op) for c in report.changes] == [
        (1, "Relu-to-Exp", "Relu", "Relu"), (2, "Relu-to-Exp", "Relu_1", "Relu"), (3, "Relu-to-Exp", "Relu_2", "Relu"),
        (4, "Neg-to-Sqrt", "Neg", "Neg"),
    ]
    assert (report.rounds, report.passes["Relu-to-Exp"].changes, report.passes["Relu-to-Exp"].runs) == (2, 3, 2)
    assert len(report.changes_of("Neg-to-Sqrt")) == 1 and not report.stopped
    assert json.loads(json.dumps(report.to_dict()))["passes"][0]["name"] == "Relu-to-Exp"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_stops_after_a_patch(count):
    graph = load()
    report = Driver(graph, stop_after=count).run([Swap("Relu", "Exp"), Swap("Neg", "Sqrt")], to_fixpoint=True)
    assert ops(graph).count("Exp") == count == len(report.changes) and report.stopped and ops(graph)[-1] == "Neg"


def test_one_report_over_several_runs():
    driver = Driver(load(), stop_after=4)
    driver.run([Swap("Relu", "Exp")])
    report = driver.run([Swap("Neg", "Sqrt"), Swap("Abs", "Sqrt")])
    assert [change.number for change in report.changes] == [1, 2, 3, 4] and report.stopped


def test_refusals_keep_their_reasons_until_they_no_longer_stand():
    graph = load()
    driver = Driver(graph)
    report = driver.run([Swap("Relu", "Exp", only="Relu_1")])
    assert report.refusals_of("Relu") == {"Relu-to-Exp": "is not Relu_1"} and report.refusals_of("Relu_1") == {}
    assert report.reasons("Relu-to-Exp") == {"is not Relu_1": 2}
    rule = Swap("Relu", "Exp", only="Relu")
    rule.name = "Relu-to-Exp"
    driver.run([rule])
    assert report.refusals_of("Relu") == {} and report.refusals_of("Relu_2") == {"Relu-to-Exp": "is not Relu"}


def test_a_node_that_is_gone_is_not_refused():
    def check(node, view):
        return Match(node=node) if node.op == "Abs" else Reject("no")

    graph = load()
    rule = Custom(check, lambda match, patch: patch.replace(match.node.outputs[0], view_input(match)))

    def view_input(match):
        return graph.inputs[0]

    report = Driver(graph).run([rule])
    assert ops(graph) == ["Neg"] and report.reasons("custom") == {"no": 1}


def test_a_graph_pass_sees_each_patch_applied():
    seen = []

    def steps(view):
        for node in list(view.graph.nodes)[:3]:
            patch = Patch(node)
            patch.replace(node.outputs[0], patch.node("Exp", node.inputs))
            patch.note(step=len(seen))
            yield patch
            seen.append(ops(view.graph).count("Exp"))
        yield Reject("enough", view.graph.nodes[-1])

    report = Driver(load()).run([Steps(steps)])
    assert seen == [1, 2, 3]
    assert [change.facts for change in report.changes] == [{"step": 0}, {"step": 1}, {"step": 2}]
    assert report.refusals_of("Neg") == {"steps": "enough"}


def test_observers_are_told_of_passes_that_changed_something():
    told = []
    driver = Driver(load(), after_pass=lambda pass_, graph: told.append((pass_.name, ops(graph)[-1])))
    driver.run([Swap("Neg", "Sqrt"), Swap("Cos", "Sin")])
    assert told == [("Neg-to-Sqrt", "Sqrt")]


def test_passes_that_undo_each_other_are_named():
    with pytest.raises(PassError, match="passes Neg-to-Exp, Exp-to-Neg come back to a graph that was there before"):
        Driver(load()).run([Swap("Neg", "Exp"), Swap("Exp", "Neg")], to_fixpoint=True)


def test_rounds_are_bounded():
    def grow(match, patch):
        patch.replace(match.node.outputs[0], patch.node("Abs", [patch.node("Neg", match.node.inputs)]))

    rule = Custom(lambda node, view: Match(node=node) if node.op == "Abs" else None, grow)
    with pytest.raises(PassError, match="passes custom still change the graph after 5 rounds"):
        Driver(load()).run([rule], to_fixpoint=True, max_rounds=5)


def break_order(match, patch):
    patch.set_input(match.node, 0, match.node.outputs[0].outputs[0].outputs[0])


def test_a_pass_that_breaks_the_graph_is_named_with_those_before_it():
    broken = Custom(lambda node, view: Match(node=node) if node.name == "Relu" else None, break_order)
    with pytest.raises(PassError, match=r"pass custom at 'Relu' broke the graph: .*cycle.* \(passes so far: Neg-to-Exp, custom\)"):
        Driver(load(), check_patches=True).run([Swap("Neg", "Exp"), broken])


def test_exceptions_name_pass_and_node():
    with pytest.raises(PassError, match=r"pass custom at Relu 'Relu': ZeroDivisionError: .* \(passes so far: custom\)"):
        Driver(load()).run([Custom(lambda node, view: 1 // 0)])
    with pytest.raises(PassError, match="pass steps: KeyError"):
        Driver(load()).run([Steps(lambda view: iter([{}["x"]]))])


def test_errors_meant_for_the_user_pass_through():
    def complain(node, view):
        raise RecipeError("no such layer")

    with pytest.raises(RecipeError, match="no such layer"):
        Driver(load()).run([Custom(complain)])


def test_what_is_no_pass_is_refused():
    class Neither(Pass):
        name = "neither"

    with pytest.raises(PassError, match="neither: a Neither is neither a RewriteRule nor a GraphPass"):
        Driver(load()).run([Neither()])
    with pytest.raises(PassError, match="steps: a refusal without a node: why"):
        Driver(load()).run([Steps(lambda view: iter([Reject("why")]))])


def test_an_unsound_graph_is_refused_before_anything_runs():
    graph = load()
    graph.nodes.reverse()
    with pytest.raises(ModelError, match="comes from the later node"):
        Driver(graph).run([Swap("Neg", "Exp")])


def test_roots_of_other_domains():
    graph = hg.load(model("g (float[2] x) => (float[2] y) { a = com.microsoft.Gelu(x) y = Neg(a) }"))
    rule = Swap("com.microsoft:Gelu", "Exp")
    Driver(graph).run([rule, Swap("Gelu", "Sin")])
    assert ops(graph) == ["Exp", "Neg"]
