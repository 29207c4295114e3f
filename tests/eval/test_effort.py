"""Wasted steps and calls beside the point, told from the oracle."""

import pytest

from tooldrill.agent.tool import Tool
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.effort import wasted_steps, wrong_calls
from tooldrill.eval.grade import grade
from tooldrill.eval.judged import Judged, judged
from tooldrill.eval.measure import measure


def results(build, *episodes, tasks=None):
    made = build.results(list(episodes))
    return made if tasks is None else made.model_copy(update={"tasks": tasks})


def one(build, *steps, success=True, kind=TaskKind.ACT, oracle=("append_file",)):
    task = build.task(kind, oracle=oracle)
    episode = grade(build.episode(task, *steps), task, success)
    return judged(results(build, episode, tasks=[task]))[0]


@pytest.mark.parametrize(
    ("calls", "oracle", "wasted"),
    [(1, 1, 0), (3, 1, 2), (3, 3, 0), (1, 3, 0)],
)
def test_wasted_are_the_replies_beyond_the_oracle_and_the_conclusion(build, calls, oracle, wasted):
    steps = [build.call() for _ in range(calls)]
    solved = one(build, *steps, build.end(), oracle=("append_file",) * oracle)
    assert wasted_steps(solved) == wasted
    failed = one(build, *steps, build.end(), success=False)
    assert wasted_steps(failed) is None


def test_wrong_calls_are_those_beside_the_oracle(build):
    """The right call, another path, another tool; an error and a breach are not counted."""
    steps = [
        build.call(),
        build.call(path="b.txt"),
        build.call("read_file"),
        build.call(path="c.txt", error=True),
        build.unreadable(),
    ]
    assert wrong_calls(one(build, *steps, build.end())) == (2, 3)


def test_a_default_that_is_written_out_changes_nothing(build):
    task = build.task()
    schema = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "newline": {"type": "boolean", "default": True}},
        "required": ["path"],
    }
    tool = Tool("append_file", "It appends.", schema).to_openai()

    def made(value):
        call = build.call()
        call = call.model_copy(
            update={
                "calls": [
                    call.calls[0].model_copy(
                        update={"arguments": {"path": "a.txt", "newline": value}}
                    )
                ]
            }
        )
        episode = build.episode(task, call, build.end()).model_copy(update={"tools": [tool]})
        return judged(results(build, episode, tasks=[task]))[0]

    assert wrong_calls(made(True)) == (0, 1)
    assert wrong_calls(made(False)) == (1, 1)


def test_files_without_tasks_say_nothing(build):
    episode = build.episode(build.task(), build.call(), build.end())
    episode = episode.model_copy(update={"success": True})
    without = judged(results(build, episode))[0]
    assert isinstance(without, Judged)
    assert (wasted_steps(without), wrong_calls(without)) == (None, (0, 0))
    m = measure(results(build, episode))
    assert (m.wasted_steps, m.wrong_calls.value) == (None, None)


def test_measures_are_over_all_tasks(build):
    tasks = [build.task(number=n) for n in range(3)]
    episodes = [
        build.episode(tasks[0], build.call(), build.end()),
        build.episode(tasks[1], build.call(), build.call(path="b"), build.call(), build.end()),
        build.episode(tasks[2], build.call(path="b"), build.end()),
    ]
    solved = [True, True, False]
    graded = [grade(*each) for each in zip(episodes, tasks, solved, strict=True)]
    m = measure(results(build, *graded, tasks=tasks))
    assert m.wasted_steps == 1.0  # none and two
    assert (m.wrong_calls.count, m.wrong_calls.total) == (2, 5)
