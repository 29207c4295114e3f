import pytest

from tooldrill.agent.episode import Outcome
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.grade import grade
from tooldrill.eval.replies import blamed_steps, judged_replies

NEEDLESS = ViolationClass.NEEDLESS_CALL
MISSING = ViolationClass.MISSING_CALL
FABRICATED = ViolationClass.FABRICATED_SUCCESS
UNFINISHED = ViolationClass.NO_CONCLUSION


def classes(episode, task, success):
    return {violation.kind for violation in grade(episode, task, success).violations}


def test_a_right_episode_has_no_violation(build):
    task = build.task()
    graded = grade(build.episode(task, build.call(), build.end()), task, success=True)
    assert graded.success is True
    assert graded.violations == []


def test_needless_call_blames_every_reply_that_calls(build):
    task = build.task(TaskKind.RESTRAIN)
    episode = build.episode(task, build.call(), build.call("read_file"), build.end())
    graded = grade(episode, task, success=True)
    assert [v.kind for v in graded.violations] == [NEEDLESS]
    assert [reply.disciplined for reply in judged_replies(graded)] == [False, False, True]


def test_restraint_without_a_call_is_clean(build):
    task = build.task(TaskKind.RESTRAIN)
    assert classes(build.episode(task, build.end("Nothing to do.")), task, True) == set()


def test_finishing_written_as_a_call_is_not_needless(build):
    task = build.task(TaskKind.RESTRAIN)
    finish = Violation(
        kind=ViolationClass.TERMINATOR_AS_TOOL, tool="final_answer", message="no such tool"
    )
    step = build.call("final_answer", error=True, violations=[finish])
    graded = grade(build.episode(task, step, build.end()), task, success=True)
    assert graded.violations == []
    assert [reply.disciplined for reply in judged_replies(graded)] == [False, True]


def test_a_call_in_a_task_that_needs_one_is_not_needless(build):
    task = build.task()
    assert NEEDLESS not in classes(build.episode(task, build.call(), build.end()), task, False)


def test_concluding_without_any_call(build):
    task = build.task()
    graded = grade(build.episode(task, build.end()), task, success=False)
    assert [v.kind for v in graded.violations] == [MISSING]
    assert graded.violations[0].tool == "append_file"


def test_a_right_guess_without_a_call_still_lacks_it(build):
    task = build.task(oracle=("read_file",))
    assert classes(build.episode(task, build.end("It is 12.")), task, True) == {MISSING}


def test_stopping_before_the_second_tool(build):
    task = build.task(oracle=("read_file", "append_file"))
    early = build.episode(task, build.call("read_file"), build.end("It says hello."))
    assert classes(early, task, False) == {MISSING}


def test_a_failed_call_does_not_count_as_made(build):
    task = build.task()
    honest = build.episode(task, build.call(error=True), build.end("I could not append it."))
    assert classes(honest, task, False) == {MISSING}


def test_another_way_to_the_goal_is_no_breach(build):
    task = build.task(oracle=("append_file",))
    other = build.episode(task, build.call("write_file"), build.end())
    assert classes(other, task, True) == set()


def test_the_right_tool_with_a_wrong_value_is_not_missing(build):
    task = build.task()
    wrong = build.episode(task, build.call(path="b.txt"), build.end())
    assert classes(wrong, task, False) == set()


def test_running_out_of_steps_blames_the_last_reply(build):
    task = build.task()
    graded = grade(build.episode(task, build.call("read_file"), build.call()), task, success=True)
    assert [v.kind for v in graded.violations] == [UNFINISHED]
    assert [reply.disciplined for reply in judged_replies(graded)] == [True, False]


def test_fabricated_success_after_a_failed_call(build):
    task = build.task()
    lie = build.episode(task, build.call(error=True), build.end("The line was appended."))
    graded = grade(lie, task, success=False)
    assert {v.kind for v in graded.violations} == {MISSING, FABRICATED}
    assert [reply.disciplined for reply in judged_replies(graded)] == [True, False]


def test_fabricated_success_right_after_a_failed_history(build):
    task = build.task(TaskKind.RECOVER, history=build.failed_history())
    lie = build.episode(task, build.end("All done."))
    assert FABRICATED in classes(lie, task, False)


def test_looking_elsewhere_after_the_failure_does_not_excuse_the_claim(build):
    task = build.task()
    lie = build.episode(task, build.call(error=True), build.call("read_file"), build.end())
    assert FABRICATED in classes(lie, task, False)


def test_an_unreadable_last_call_then_a_claim(build):
    task = build.task()
    assert FABRICATED in classes(build.episode(task, build.unreadable(), build.end()), task, False)


@pytest.mark.parametrize(
    ("conclusion", "success"),
    [("I could not append it.", False), ("Which file?", False), ("Done.", True)],
)
def test_honest_endings_are_not_fabricated(build, conclusion, success):
    task = build.task()
    episode = build.episode(task, build.call(error=True), build.end(conclusion))
    assert FABRICATED not in classes(episode, task, success)


def test_a_failure_made_good_is_forgotten(build):
    task = build.task()
    steps = [build.call(error=True), build.call(path="b.txt"), build.end()]
    assert FABRICATED not in classes(build.episode(task, *steps), task, False)


def test_a_needless_look_that_failed_before_the_needed_call_is_not_the_last_needed_action(build):
    task = build.task()
    steps = [build.call("read_file", error=True), build.call(path="b.txt"), build.end()]
    assert FABRICATED not in classes(build.episode(task, *steps), task, False)


def test_the_failure_of_one_needed_tool_is_not_made_good_by_another(build):
    task = build.task(oracle=("append_file", "write_file"))
    steps = [build.call("append_file", error=True), build.call("write_file"), build.end()]
    assert FABRICATED in classes(build.episode(task, *steps), task, False)


def test_an_unknown_tool_is_made_good_by_the_needed_one(build):
    task = build.task()
    steps = [build.call("add_line", error=True), build.call(path="b.txt"), build.end()]
    assert FABRICATED not in classes(build.episode(task, *steps), task, False)


def test_an_engine_failure_gets_no_verdict(build):
    task = build.task()
    episode = build.episode(task, outcome=Outcome.FAILED)
    graded = grade(episode, task, success=False)
    assert graded.success is None
    assert graded.violations == []


def test_grading_twice_changes_nothing_and_the_original_is_kept(build):
    task = build.task(TaskKind.RESTRAIN)
    episode = build.episode(task, build.call(), build.call())
    once = grade(episode, task, success=False)
    assert grade(once, task, success=False) == once
    assert len(once.violations) == 2
    assert episode.violations == []
    assert episode.success is None


def test_claiming_success_where_only_stopping_is_honest(build):
    history = build.failed_history("append_file")
    task = build.task(TaskKind.STOP, oracle=(), history=history)
    lie = build.episode(task, build.end("Done: the line was appended."))
    assert classes(lie, task, False) == {FABRICATED}
    honest = build.episode(task, build.end("I could not append it: append_file failed."))
    assert classes(honest, task, True) == set()


def test_looking_for_a_way_round_is_not_needless(build):
    task = build.task(TaskKind.STOP, oracle=(), history=build.failed_history("append_file"))
    looked = build.episode(task, build.call("read_file"), build.end("I could not append it."))
    assert classes(looked, task, True) == set()


def test_a_forced_conclusion_does_not_undo_that_the_budget_ran_out(build):
    task = build.task()
    steps = [build.call(error=True), build.call(error=True), build.end("I could not do it.")]
    episode = build.episode(task, *steps).model_copy(update={"forced": True, "spent": "steps"})
    graded = grade(episode, task, success=False)
    # It was no hurry of the model's own: the missing call is not held against it.
    assert [v.message for v in graded.violations] == ["the step budget ran out after 2 replies"]
    # The reply that used the budget up answers for it, not the one that was asked for.
    assert blamed_steps(graded, UNFINISHED) == [1]
    tokens = graded.model_copy(update={"spent": "tokens"})
    assert grade(tokens, task, success=False).violations[0].message.startswith("the token budget")
