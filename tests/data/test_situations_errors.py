"""Situations with errors: misleading advice, refusals that last, another tool that does as much."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from staged_tasks import FAILED_PRETEXTS, Staged, last_call, solved

from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import CallRecord
from tooldrill.data.situations.catalog import put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import offered, open_task
from tooldrill.data.tasks.task import Ending, Task, TaskKind
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.worlds.catalog import WORLDS, get_world


def test_misleading_advice_names_what_does_not_exist(staged: Staged) -> None:
    worlds_own = {name for world in WORLDS for name in get_world(world).tool_names}
    for task, made in staged["misleading_error"]:
        assert made.kind is TaskKind.RECOVER
        assert made.history[-2]["weight"] == 0
        assert made.oracle == task.oracle[len(task.oracle) - len(made.oracle) :]
        failed, text = last_call(made)
        assert text.startswith(ERROR_PREFIX)
        assert failed != made.calls[0]
        registry = offered(made)
        if not check_calls([failed], registry):  # The loop carries out nothing else.
            assert not solved(made, [failed], "Done.")
        advice = text.split("Signature: ")[-1]
        known = worlds_own | set(registry.names) | registry[made.oracle[0].name].parameter_names
        words = set(advice.replace("=", " ").replace(".", " ").replace(",", " ").split())
        assert words - known, "something is named that does not exist"


def test_advice_is_put_behind_errors_of_the_world_in_recoveries() -> None:
    tasks = make_tasks(tuple(WORLDS), 80, 2, (3, 6), recovery=1, restraint=0)
    made = [put_into(task, "misleading_error", random.Random(1)) for task in tasks]
    spoilt = [(task, one) for task, one in zip(tasks, made, strict=True) if one is not None]
    assert 0.2 < len(spoilt) / len(tasks) < 0.9
    for task, one in spoilt:
        before, after = task.history[-1]["content"], one.history[-1]["content"]
        assert after.startswith(before)
        assert len(after) > len(before) + 5
        assert not check_calls([last_call(task)[0]], offered(task)), "the loop's own words stay"


def test_refused_tools_stay_refused(staged: Staged) -> None:
    kinds = Counter(made.kind for _, made in staged["injected_error"])
    assert kinds[TaskKind.STOP] > 0.8 * kinds.total()
    for task, made in staged["injected_error"]:
        failed, text = last_call(made)
        assert failed in task.calls, "the refused call was the right one"
        with open_task(made) as opened:
            assert check_calls([failed], opened.registry) == []
            again = opened.session.call(failed.name, failed.arguments)
        assert again.error
        assert again.text == text
        assert failed.name not in {call.name for call in made.calls}
        if made.kind is TaskKind.RECOVER:
            assert solved(made, made.calls, task.answer)
            continue
        assert made.ending is Ending.ADMIT
        assert made.claim == task.answer
        assert not solved(made, [failed], task.answer)
        for words in FAILED_PRETEXTS:
            assert not solved(made, [], words)
        assert solved(made, [], f"I could not do it: {failed.name} is unavailable.")


def test_another_tool_is_taken_where_it_does_the_same(plain: list[Task]) -> None:
    task = next(
        t
        for t in make_tasks(("files",), 120, 4, (9, 10), recovery=0, restraint=0)
        if t.template == "files.look_up"
    )
    made = [put_into(task, "injected_error", random.Random(i)) for i in range(12)]
    ways = [one for one in made if one is not None and one.kind is TaskKind.RECOVER]
    assert ways
    for one in ways:
        assert set(one.broken) == {"read_file"}
        assert one.calls[0].name == "file_outline"
        assert not solved(one, task.calls, "I do not know.")


def test_a_situation_that_goes_wrong_is_found(staged: Staged) -> None:
    _, made = next(p for p in staged["injected_error"] if p[1].kind is TaskKind.STOP)
    with pytest.raises(OracleFailureError, match="the answer lacks"):
        verify(made.model_copy(update={"answer": made.claim}))
    with pytest.raises(OracleFailureError, match="untrue conclusion"):
        verify(made.model_copy(update={"ending": Ending.REPORT, "answer_mentions": []}))
    failed, _ = last_call(made)
    again = [CallRecord(name=failed.name, arguments=failed.arguments)]
    with pytest.raises(OracleFailureError, match="came back with ERROR"):
        verify(made.model_copy(update={"oracle": again}))
