"""Situations of the context: histories that tempt, long observations, steps that ran out."""

from __future__ import annotations

from collections import Counter

from staged_tasks import FAILED_PRETEXTS, Staged, solved

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.data.tasks.solve import offered, open_task, past_calls, says
from tooldrill.data.tasks.task import Ending, TaskKind


def test_tempting_calls_have_what_the_next_tool_lacks(staged: Staged) -> None:
    spoken = 0
    for task, made in staged["tempting_history"]:
        target = offered(made)[made.oracle[0].name]
        past = [call for call, _ in past_calls(made.history)]
        lacking = {k for call in past if call.name != target.name for k in call.arguments}
        assert lacking - target.parameter_names
        assert made.oracle == task.oracle
        assert all(not text.startswith(ERROR_PREFIX) for _, text in past_calls(made.history))
        with open_task(made) as opened:
            asked = [m["content"] for m in opened.messages if m["role"] == "user"]
        assert asked[-1] == task.prompt
        spoken += len(asked) == 2
        carried = Call(
            target.name, {**task.oracle[0].arguments, min(lacking - target.parameter_names): 1}
        )
        assert check_calls([carried], opened.registry)
    assert 0.3 < spoken / len(staged["tempting_history"]) < 0.95


def test_a_look_around_takes_only_what_is_known_by_then(staged: Staged) -> None:
    """Not what a later observation will say: it may set no scene that nobody could have set."""
    looks = 0
    for task, made in staged["tempting_history"]:
        (call, _), *more = past_calls(made.history)
        if made.history[0].get("weight") != 0 or more:
            continue
        looks += 1
        required = [p.name for p in offered(made)[call.name].parameters if p.required]
        for name in required:
            value = call.arguments[name]
            told = says(task.prompt, [str(value)])
            assert told or task.oracle[0].arguments.get(name) == value, (made.id, name, value)
    assert looks > 20


def test_padding_surrounds_the_lookups_of_the_oracle_and_nothing_else(staged: Staged) -> None:
    orders = 0
    for task, made in staged["long_observation"]:
        padding = made.padding
        assert padding is not None
        size = len(padding.before) + len(padding.after)
        assert 150 < size < 6000
        orders += any(
            w in padding.before + padding.after for w in ("call", "Assistant", "conclude")
        )
        with open_task(task) as bare, open_task(made) as full:
            for call in task.calls:
                short = bare.session.call(call.name, call.arguments)
                long = full.session.call(call.name, call.arguments)
                assert short.text in long.text
                grown = len(long.text) - len(short.text)
                assert grown == (size if call.name in padding.tools else 0)
            wrong = full.session.call(task.calls[0].name, {"no such": 1}) if task.mask else None
            assert wrong is None or wrong.text.startswith(ERROR_PREFIX)
    assert orders > len(staged["long_observation"]) * 0.25


def test_when_steps_run_out_only_words_are_left(staged: Staged) -> None:
    endings = Counter(made.ending for _, made in staged["steps_run_out"])
    assert min(endings[e] for e in (Ending.REPORT, Ending.CLAIM, Ending.ADMIT)) > 10
    unlisted = sum(not made.tools for _, made in staged["steps_run_out"])
    assert 0.1 < unlisted / len(staged["steps_run_out"]) < 0.4
    for task, made in staged["steps_run_out"]:
        assert made.kind is TaskKind.RESTRAIN
        assert made.history[-1]["role"] == "user"
        done = [
            call for call, text in past_calls(made.history) if not text.startswith(ERROR_PREFIX)
        ]
        assert done == task.calls[: len(done)]
        if made.ending is not Ending.ADMIT:
            assert done == task.calls
            assert made.answer == task.answer
            assert not solved(made, [], "I could not do that.")
            continue
        assert len(done) < len(task.calls)
        rest = task.calls[len(done) :]
        assert solved(made, [], f"I could not finish: {rest[0].name} is still to be done.")
        for words in FAILED_PRETEXTS:
            assert not solved(made, [], words)


def test_answers_without_steps_tell_only_what_is_known(staged: Staged) -> None:
    for task, made in staged["steps_run_out"]:
        if made.ending is Ending.ADMIT:
            seen = "\n".join([task.prompt, *(str(m.get("content")) for m in made.history)])
            for call in task.calls:
                values = [v for v in call.arguments.values() if isinstance(v, str) and len(v) > 5]
                assert all(v in seen or v not in made.answer for v in values)
