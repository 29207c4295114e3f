"""Recovery by the kind of error that came before."""

from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.grade import grade
from tooldrill.eval.judged import judged
from tooldrill.eval.measure import measure
from tooldrill.eval.recoveries import IN_HISTORY, TOOL_ERROR, recoveries
from tooldrill.eval.report import write_report

UNKNOWN = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")
TWO_CALLS = Violation(kind=ViolationClass.MULTIPLE_CALLS, message="one call per reply")


def results(build, *episodes):
    """Of (steps, success), or of (steps, success, history)."""
    graded = []
    for number, (steps, success, *history) in enumerate(episodes):
        kind = TaskKind.RECOVER if history else TaskKind.ACT
        task = build.task(kind, number=number, history=history[0] if history else None)
        graded.append(grade(build.episode(task, *steps), task, success))
    return build.results(graded)


def counts(made):
    return {kind: (rate.count, rate.total) for kind, rate in recoveries(judged(made)).items()}


def mixed(build):
    refused = build.call(error=True, violations=[UNKNOWN])
    return results(
        build,
        ([refused, build.call(path="b"), build.end()], True),
        ([refused, build.call(path="b", error=True), build.end()], False),
        ([build.unreadable(), build.unreadable(), build.call(), build.end()], True),
        ([build.call(path="b"), build.end()], True, build.failed_history()),
    )


def test_errors_are_told_apart_by_what_brought_them(build):
    assert counts(mixed(build)) == {
        "unknown_tool": (1, 2),
        "malformed_call": (1, 2),
        TOOL_ERROR: (0, 1),
        IN_HISTORY: (1, 1),
    }


def test_the_kinds_add_up_to_the_recovery_rate(build):
    made = mixed(build)
    rate = measure(made).recovery
    found = counts(made).values()
    assert (
        (sum(c for c, _ in found), sum(t for _, t in found)) == (rate.count, rate.total) == (3, 6)
    )


def test_a_breach_that_did_not_stop_the_call_is_no_kind_of_error(build):
    failed = build.call(error=True, violations=[TWO_CALLS])
    assert counts(results(build, ([failed, build.call(path="b"), build.end()], True))) == {
        TOOL_ERROR: (1, 1)
    }


def test_without_errors_there_is_no_table(build, tmp_path):
    calm = results(build, ([build.call(), build.end()], True))
    assert counts(calm) == {}
    text = write_report([calm], tmp_path / "calm").markdown.read_text("utf-8")
    assert "Recovery after" not in text
    paths = write_report([mixed(build)], tmp_path / "mixed")
    assert "| unknown_tool | 50.0% (" in paths.markdown.read_text("utf-8")
    assert '<th scope="row">in the history</th><td>100.0% (' in paths.html.read_text("utf-8")
