"""Two models on the same tasks: differences over replies, and one test for each class."""

import pytest

from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.eval.comparison import compare
from tooldrill.eval.table import comparison_rows

UNKNOWN = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")
BORROWED = Violation(kind=ViolationClass.BORROWED_ARGUMENT, argument="y", message="not here")


def model(build, name, found, *, templates=None, replies=2, success=True):
    """A model whose episode i begins with a reply that has the violations `found[i]`."""
    episodes = []
    for number, violations in enumerate(found):
        steps = [build.call(violations=list(violations))]
        steps += [build.call(path=str(n)) for n in range(replies - 2)]
        episode = build.episode(build.task(number=number), *steps, build.end())
        template = f"files.t{number % (templates or len(found))}"
        episodes.append(episode.model_copy(update={"success": success, "template": template}))
    return build.results(episodes, name)


def test_a_model_compared_with_itself_does_not_differ(build):
    one = model(build, "a", [[UNKNOWN], [], [], [BORROWED], [], []])
    found = compare(one, one)
    assert found.discipline.value == 0
    assert found.discipline.low < 0 < found.discipline.high
    assert {test.adjusted for test in found.classes.values()} == {1.0}
    assert set(found.classes) == {ViolationClass.UNKNOWN_TOOL, ViolationClass.BORROWED_ARGUMENT}


def test_differences_turn_around_with_the_models(build):
    good = model(build, "good", [[]] * 12)
    bad = model(build, "bad", [[UNKNOWN]] * 5 + [[]] * 7)
    there, back = compare(good, bad).discipline, compare(bad, good).discipline
    assert there.value == pytest.approx(5 / 24)
    assert back.value == pytest.approx(-5 / 24)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.02)
    assert 0 < there.low < 5 / 24 < there.high


def test_tasks_are_paired_by_id_whatever_their_order(build):
    first = model(build, "a", [[UNKNOWN], [], [], []])
    second = model(build, "b", [[], [], [], [UNKNOWN]])
    turned = second.model_copy(
        update={"episodes": second.episodes[::-1], "task_ids": second.task_ids[::-1]}
    )
    assert compare(first, turned) == compare(first, second)
    assert compare(first, second).clean.only_first == 1


def test_every_run_resamples_alike(build):
    first = model(build, "a", [[UNKNOWN], [], [BORROWED], []] * 5)
    second = model(build, "b", [[], [UNKNOWN], [], []] * 5)
    assert compare(first, second).discipline == compare(first, second).discipline


def test_tasks_of_one_template_are_no_independent_evidence(build):
    found = [[UNKNOWN], [], [], []] * 8
    wide = compare(model(build, "a", [[]] * 32, templates=4), model(build, "b", found, templates=4))
    many = compare(model(build, "a", [[]] * 32), model(build, "b", found))
    assert (wide.discipline.clusters, many.discipline.clusters) == (4, 32)
    assert wide.discipline.value == many.discipline.value
    width = [one.discipline.high - one.discipline.low for one in (wide, many)]
    assert width[0] > 1.5 * width[1]


def test_without_any_spread_the_interval_is_the_rule_of_three(build):
    found = compare(model(build, "a", [[]] * 30), model(build, "b", [[]] * 30)).discipline
    assert (found.value, found.low, found.high) == (0, -0.1, 0.1)
    one = compare(model(build, "a", [[]], templates=1), model(build, "b", [[]], templates=1))
    assert (one.discipline.low, one.discipline.high) == (-1, 1)


def test_few_clusters_reach_beyond_what_was_resampled(build):
    """No resample of templates that differ by 0 and by 1/2 leaves that range; the truth may."""
    found = [[UNKNOWN], [], [UNKNOWN], [], [UNKNOWN], []]
    some = compare(
        model(build, "a", [[]] * 6, templates=2), model(build, "b", found, templates=2)
    ).discipline
    assert (some.value, some.clusters) == (0.25, 2)
    assert some.low < -0.5
    assert some.high > 0.9


def test_the_larger_p_value_is_not_doubled(build):
    """Holm: the smallest of two p-values is doubled, the other is not."""
    bad = model(build, "bad", [[UNKNOWN, BORROWED]] * 6 + [[UNKNOWN]] * 3 + [[]])
    tests = compare(bad, model(build, "good", [[]] * 10)).classes
    assert tests[ViolationClass.UNKNOWN_TOOL].adjusted == pytest.approx(2 * 2 / 2**9)
    assert tests[ViolationClass.BORROWED_ARGUMENT].adjusted == pytest.approx(2 / 2**6)


def test_p_values_of_classes_are_holms(build):
    """Six against none: p = 2 / 2^6; with a second class of p = 1 Holm doubles the smaller."""
    bad = model(build, "bad", [[UNKNOWN]] * 6 + [[BORROWED]] + [[]] * 3)
    good = model(build, "good", [[]] * 7 + [[BORROWED]] + [[]] * 2)
    tests = compare(bad, good).classes
    assert tests[ViolationClass.UNKNOWN_TOOL].paired.p_value == pytest.approx(2 / 64)
    assert tests[ViolationClass.UNKNOWN_TOOL].adjusted == pytest.approx(4 / 64)
    assert tests[ViolationClass.BORROWED_ARGUMENT].adjusted == 1
    assert tests[ViolationClass.UNKNOWN_TOOL].paired.difference == pytest.approx(0.6)


def test_rows_say_what_was_compared(build):
    bad = model(build, "bad", [[UNKNOWN]] * 6 + [[]] * 4)
    rows = comparison_rows(compare(bad, model(build, "good", [[]] * 10)))
    assert [row[0] for row in rows] == [
        "tasks solved",
        "tasks without a violation",
        "discipline rate",
        "tasks with unknown_tool",
    ]
    assert rows[1][1] == "-60.0 points"
    assert rows[2][1] == "-30.0 points"
    assert rows[3][1:] == ("+60.0 points", rows[3][2], "p = 0.031 (Holm)")


def test_nothing_in_common_is_said(build):
    first = model(build, "a", [[]] * 3)
    second = model(build, "b", [[]] * 3)
    other = second.model_copy(
        update={
            "episodes": [e.model_copy(update={"task": e.task + "x"}) for e in second.episodes],
            "task_ids": [name + "x" for name in second.task_ids],
        }
    )
    found = compare(first, other)
    assert found.discipline.value is None
    assert found.classes == {}
    assert comparison_rows(found) == []
