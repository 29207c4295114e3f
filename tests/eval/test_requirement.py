"""Conditions in a line of text, and what a measure that was not observed does to them."""

import dataclasses

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.eval.comparison import compare
from tooldrill.eval.measure import measure
from tooldrill.eval.requirement import NAMES, check, no_worse, read_condition

UNKNOWN = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")


def results(build, bad, total=20, name="a", templates=None):
    episodes = []
    for number in range(total):
        wrong = [UNKNOWN] if number < bad else []
        task = build.task(number=number)
        episode = build.episode(task, build.call(violations=wrong), build.end())
        template = f"t{number % (templates or total)}"
        episodes.append(episode.model_copy(update={"success": True, "template": template}))
    return build.results(episodes, name)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("discipline < 0.95", False),
        ("discipline < 0.951", True),
        ("discipline <= 95%", True),
        ("discipline.low < 0.9", True),
        ("discipline.high>.95", True),
        ("unknown_tool > 0.05", False),
        ("unknown_tool >= 5 %", True),
        ("unknown_tool.count > 1", True),
        ("malformed_call.high > 0", True),
        ("steps > 2", False),
        ("replies < 41", True),
        ("success < 1", False),
    ],
)
def test_conditions_are_read_against_the_measures(build, text, failed):
    """40 replies, 2 of them with an unknown tool."""
    found = check(read_condition(text), measure(results(build, 2)))
    assert found.failed is failed
    assert found.text.startswith(text.strip())


def test_what_was_not_observed_fails(build):
    found = check(read_condition("recovery < 0.5"), measure(results(build, 0)))
    assert found.failed
    assert "not observed" in found.text


def test_what_a_grammar_ruled_out_is_said_to_be_so(build):
    measures = measure(results(build, 0))
    held = dataclasses.replace(measures, impossible=frozenset({ViolationClass.UNKNOWN_TOOL}))
    condition = read_condition("unknown_tool > 0.01")
    assert "grammar" in check(condition, held).text
    assert "grammar" not in check(condition, measures).text


@pytest.mark.parametrize(
    ("text", "told", "step"),
    [
        ("discipline", "no condition", "--fail-if"),
        ("discipline < high", "no condition", "--fail-if"),
        ("discipline = 1", "no condition", "--fail-if"),
        ("disciplin < 0.9", "no measure named", "did you mean discipline?"),
        ("qwertyuiop < 0.9", "no measure named", "malformed_call"),
        ("discipline.mean < 0.9", "no part named", "value, low, high, count"),
        ("steps.low < 2", "no part named", "only rates"),
        ("discipline < 98", "between 0 and 1", "0.98, or 98%"),
        ("discipline < -1", "no condition", "--fail-if"),
    ],
)
def test_what_cannot_be_read_is_told_with_a_next_step(text, told, step):
    with pytest.raises(TooldrillError) as error:
        read_condition(text)
    assert told in error.value.message
    assert step in error.value.next_step


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_measured(build, name):
    check(read_condition(f"{name} > 0"), measure(results(build, 1)))


def test_no_worse_needs_evidence_and_not_only_no_difference(build):
    few = compare(results(build, 0, 20), results(build, 0, 20, "b"))
    many = compare(results(build, 0, 200), results(build, 0, 200, "b"))
    assert (few.discipline.value, many.discipline.value) == (0, 0)
    assert no_worse(few, 0.02).failed
    assert not no_worse(many, 0.02).failed
    assert no_worse(many, 0.01).failed


def test_a_worse_model_is_worse_by_success_and_by_discipline(build):
    bad = compare(results(build, 20, 40), results(build, 0, 40, "b"))
    assert no_worse(bad, 0.1).failed
    assert no_worse(bad, 0.1, "clean").failed
    assert not no_worse(bad, 0.1, "success").failed
    better = compare(results(build, 0, 40), results(build, 20, 40, "b"))
    assert not no_worse(better, 0).failed
