"""The smallest model that passes, and the three answers to every question."""

import dataclasses

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.eval import floor as floor_module
from tooldrill.eval.floor import BUDGETS, Answer, find_floor, replies_needed
from tooldrill.eval.statistics import clustered_rate

UNKNOWN = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")
ONLY_UNKNOWN = {ViolationClass.UNKNOWN_TOOL: 0.02}


def simple_rate(count, total):
    """Of observations that are each on their own."""
    return clustered_rate([(1, 1)] * count + [(0, 1)] * (total - count))


def model(build, name, size, bad=0, total=300, solved=None, silent=False):
    """Episodes of a call and a conclusion; `bad` of them begin with an unknown tool."""
    episodes = []
    for number in range(total):
        steps = [] if silent else [build.call(violations=[UNKNOWN] if number < bad else [])]
        episode = build.episode(build.task(number=number), *steps, build.end())
        good = number < (total if solved is None else solved)
        update = {"success": good, "template": f"files.t{number}"}
        episodes.append(episode.model_copy(update=update))
    results = build.results(episodes, name)
    return results.model_copy(update={"model": results.model.model_copy(update={"size": size})})


def answers(candidate):
    return {reason.subject: reason.answer for reason in candidate.reasons}


def test_the_smallest_that_passes_is_found_whatever_the_order(build):
    big, small, bad = (
        model(build, "big", 9_000),
        model(build, "small", 3_000),
        model(build, "bad", 1_000, bad=60),
    )
    for given in ([big, small, bad], [bad, small, big]):
        found = find_floor(given)
        assert found.smallest.name == "small"
        assert [one.name for one in found.candidates] == ["bad", "small", "big"]
        assert answers(found.candidates[0])["unknown_tool"] is Answer.FAILS
        assert found.candidates[0].answer is Answer.FAILS
    assert find_floor([bad]).smallest is None


def test_a_model_of_unknown_size_is_the_last_choice(build):
    found = find_floor([model(build, "served", None), model(build, "file", 10**12)])
    assert [one.name for one in found.candidates] == ["file", "served"]
    assert found.smallest.name == "file"


def test_few_replies_neither_pass_nor_fail(build):
    found = find_floor([model(build, "few", 1, total=40)], budgets=ONLY_UNKNOWN)
    reason = next(r for r in found.candidates[0].reasons if r.subject == "unknown_tool")
    assert reason.answer is Answer.OPEN
    assert f"{replies_needed(0.02)} independent replies" in reason.text
    assert found.smallest is None


@pytest.mark.parametrize("budget", [0.005, 0.01, 0.02, 0.05, 0.3])
def test_replies_needed_are_just_enough(budget):
    needed = replies_needed(budget)
    assert simple_rate(0, needed).high <= budget < simple_rate(0, needed - 1).high


def test_a_silent_model_passes_no_floor(build):
    """Every class is at zero, and no task got the call it needs."""
    found = find_floor([model(build, "silent", 1, silent=True)])
    assert answers(found.candidates[0])["call_rate"] is Answer.FAILS
    assert all(answers(found.candidates[0])[kind.value] is Answer.PASSES for kind in BUDGETS)
    assert found.smallest is None


def test_a_baseline_must_not_be_better_by_the_margin(build):
    baseline = model(build, "baseline", 10**10)
    worse, equal, near = (
        model(build, "worse", 1, solved=200),
        model(build, "equal", 2),
        model(build, "near", 3, solved=290),
    )
    found = find_floor([worse, equal, near], baseline)
    assert [answers(one)["baseline"] for one in found.candidates] == [
        Answer.FAILS,
        Answer.PASSES,
        Answer.OPEN,
    ]
    assert found.smallest.name == "equal"
    assert find_floor([worse]).smallest.name == "worse"
    assert find_floor([near], baseline, margin=0.1).smallest.name == "near"


def test_what_a_grammar_ruled_out_is_said_to_be_the_engines_merit(build, monkeypatch):
    real = floor_module.measure
    monkeypatch.setattr(
        floor_module,
        "measure",
        lambda results: dataclasses.replace(
            real(results), impossible=frozenset({ViolationClass.UNKNOWN_TOOL})
        ),
    )
    found = find_floor([model(build, "held", 1, total=20)], budgets=ONLY_UNKNOWN)
    reason = next(r for r in found.candidates[0].reasons if r.subject == "unknown_tool")
    assert (reason.answer, "grammar" in reason.text) == (Answer.PASSES, True)


def test_the_axes_are_taken_from_the_episodes(build):
    """24 tokens in 0.75 seconds, two replies a task."""
    one = find_floor([model(build, "a", 1, total=10)]).candidates[0]
    assert one.tokens_per_second == pytest.approx(32)
    assert one.steps == 2


def test_what_cannot_be_compared_is_refused(build):
    one = model(build, "a", 1, total=3)
    other = build.results(one.episodes, "b", suite="1" * 64)
    for given in ([one, other], [one, one], []):
        with pytest.raises(TooldrillError):
            find_floor(given)
    with pytest.raises(TooldrillError, match="not run on the same tasks"):
        find_floor([one], other)
