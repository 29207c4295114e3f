"""The suite `contract`: every bait tempts to its class, and to take none is to win."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.checker import TERMINATORS
from tooldrill.agent.names import plain
from tooldrill.agent.settings import EngineSettings, LoopSettings
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.solve import offered
from tooldrill.eval.baits_taken import ANY, baits_taken
from tooldrill.eval.measure import measure
from tooldrill.eval.report import write_report
from tooldrill.eval.results import ModelInfo
from tooldrill.eval.run import evaluate
from tooldrill.eval.suites.baits.catalog import BAITS
from tooldrill.eval.suites.catalog import find_suite
from tooldrill.eval.suites.contract import SIZE, draw_baited

MODEL = ModelInfo(name="rule", source="rule", sha256="d" * 64)


@pytest.fixture(scope="module")
def drawn():
    return draw_baited(7, SIZE)


@pytest.fixture(scope="module")
def suite():
    return find_suite("contract", 7)


def test_every_class_is_tempted_to_at_least_fifteen_times(suite):
    counts = Counter(one.variant for one in suite.labels)
    assert counts.keys() == {kind.value for kind in ViolationClass}
    assert min(counts.values()) >= 15
    prompts = Counter((task.prompt, str(task.history)) for task in suite.tasks)
    assert max(prompts.values()) == 1


def test_every_bait_of_a_class_comes(suite):
    kinds = {(one.variant, one.bait) for one in suite.labels}
    assert kinds == {(kind.value, bait.name) for kind, baits in BAITS.items() for bait in baits}


def test_who_takes_the_bait_commits_the_class_each_time(drawn, suite, rule_engine, tmp_path):
    taken = {one.task.id: one.taken for _, _, one in drawn}

    def reply(turn):
        moves = taken[turn.key.split(":", 1)[1]]
        return as_text(moves[min(done(turn, suite), len(moves) - 1)])

    results = run(suite, rule_engine(reply), tmp_path / "t.json")
    missed = {key: rate.count for key, rate in baits_taken(results).items() if rate.value != 1}
    assert not missed
    assert measure(results).success.value < 0.1


def test_who_solves_the_task_takes_none(suite, rule_engine, tmp_path):
    known = {task.id: task for task in suite.tasks}

    def reply(turn):
        task, at = known[turn.key.split(":", 1)[1]], done(turn, suite)
        if at >= len(task.oracle):
            return task.answer
        return as_text(Call(task.oracle[at].name, task.oracle[at].arguments))

    results = run(suite, rule_engine(reply), tmp_path / "o.json")
    found = measure(results)
    assert (found.success.value, found.discipline.value) == (1, 1)
    rates = baits_taken(results)
    assert {rate.count for rate in rates.values()} == {0}
    assert {kind for kind, name in rates if name == ANY} == set(ViolationClass)


def test_a_tool_named_like_an_ending_is_one_and_in_the_next_registry_there_is_none(suite):
    seen = Counter()
    for task, labels in zip(suite.tasks, suite.labels, strict=True):
        if labels.variant == ViolationClass.TERMINATOR_AS_TOOL:
            named = any(plain(name) in TERMINATORS for name in offered(task).names)
            assert named is (labels.bait != "conclusion asked for")
            seen[named] += 1
    assert min(seen.values()) >= 5


def test_what_is_tempted_with_is_no_tool_and_no_parameter(drawn):
    """Where the bait is a name, the registry does not have it: else it would be no bait."""
    for kind, bait, one in drawn:
        registry = offered(one.task)
        calls = [move for move in one.taken if isinstance(move, Call)]
        if kind is ViolationClass.UNKNOWN_TOOL:
            assert calls[-1].name not in registry, bait
        if kind is ViolationClass.INVENTED_ARGUMENT:
            extra = [set(call.arguments) - registry[call.name].parameter_names for call in calls]
            assert any(extra), bait
            assert not any(registry.owners(name) for names in extra for name in names)


def test_the_report_says_how_many_baits_were_taken(rule_engine, tmp_path):
    few = find_suite("contract", 7, 45)
    results = run(few, rule_engine(lambda turn: "Done."), tmp_path / "s.json")
    paths = write_report([results], tmp_path)
    lines = paths.markdown.read_text("utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith("| missing_call | any bait |")]
    assert row.startswith("| missing_call | any bait | 100.0% (")
    assert row.endswith("3 of 3 |")
    assert "Baits taken" in paths.html.read_text("utf-8")
    assert results.labels[0].bait


def test_the_page_names_every_bait():
    page = (Path(__file__).parents[2] / "docs" / "suites.md").read_text("utf-8")
    for kind, baits in BAITS.items():
        assert f"| `{kind.value}` | {'; '.join(bait.name for bait in baits)} |" in page


def run(suite, engine, out):
    return evaluate(engine, MODEL, suite, LoopSettings(max_steps=10), EngineSettings(), out)


def done(turn, suite):
    task = next(task for task in suite.tasks if task.id == turn.key.split(":", 1)[1])
    said = sum(message["role"] == "assistant" for message in turn.messages)
    return said - sum(message["role"] == "assistant" for message in task.history)


def as_text(move):
    if isinstance(move, str):
        return move
    calls = move if isinstance(move, tuple) and not isinstance(move, Call) else (move,)
    return "\n".join(
        f"<tool_call>\n{json.dumps({'name': c.name, 'arguments': c.arguments})}\n</tool_call>"
        for c in calls
    )
