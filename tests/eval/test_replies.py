from tooldrill.agent.call import Call
from tooldrill.agent.messages import malformed_message, user
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.replies import judged_replies, opening, opening_error


def test_the_opening_ends_before_the_first_reply(build):
    task = build.task(TaskKind.RECOVER, history=build.failed_history())
    episode = build.episode(task, build.call(), build.end())
    assert opening(episode) == [user(task.prompt), *task.history]


def test_a_failed_history_puts_the_first_reply_after_an_error(build):
    task = build.task(TaskKind.RECOVER, history=build.failed_history())
    first, second = judged_replies(build.episode(task, build.call(), build.end()))
    assert first.after_error
    assert first.failed_call == Call("append_file", {"path": "a.txt"})
    assert first.repeats_failure
    assert not second.after_error


def test_an_unreadable_history_is_an_error_without_a_call(build):
    history = [malformed_message("<tool_call>{"), user("ERROR: not JSON")]
    task = build.task(TaskKind.RECOVER, history=history)
    assert opening_error(build.episode(task, build.end())) == (True, None)


def test_a_prompt_that_talks_of_an_error_is_no_observation(build):
    task = build.task().model_copy(update={"prompt": "ERROR 12 in the log: append it."})
    assert opening_error(build.episode(task, build.end())) == (False, None)


def test_the_reply_after_a_failed_step_knows_what_failed(build):
    episode = build.episode(
        build.task(), build.call(error=True), build.call(path="b.txt"), build.end()
    )
    replies = judged_replies(episode)
    assert [reply.after_error for reply in replies] == [False, True, False]
    assert not replies[1].repeats_failure
