"""Situations over tasks of all worlds: they apply, are sound, and only the right ending solves."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import CallRecord
from tooldrill.agent.errors import TooldrillError
from tooldrill.data.situations.catalog import SITUATIONS, put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import concludes, judge, offered, open_task, past_calls, says
from tooldrill.data.tasks.task import Ending, Task, TaskKind
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.traces import record
from tooldrill.data.worlds.catalog import WORLDS, get_world

# Least share of plain tasks that each situation must apply to, over all worlds.
SHARES = {
    "tempting_history": 0.55,
    "misleading_error": 0.9,
    "injected_error": 0.95,
    "long_observation": 0.4,
    "steps_run_out": 0.9,
    "missing_value": 0.2,
    "already_done": 0.05,
}
FAILED_PRETEXTS = ("", "ok", "What next?", "I will try again.")

Staged = dict[str, list[tuple[Task, Task]]]


@pytest.fixture(scope="module")
def plain() -> list[Task]:
    return make_tasks(tuple(WORLDS), 200, 21, (3, 6), recovery=0, restraint=0, masking=0.3)


@pytest.fixture(scope="module")
def staged(plain: list[Task]) -> Staged:
    """For each situation, the tasks it was put into, each with what it was."""
    found: Staged = defaultdict(list)
    for name in SITUATIONS:
        for number, task in enumerate(plain):
            made = put_into(task, name, random.Random(f"{name}:{number}"))
            if made is not None:
                found[name].append((task, made))
    return found


def solved(task: Task, calls: list[Call], conclusion: str | None) -> bool:
    with open_task(task) as opened:
        for call in calls:
            opened.session.call(call.name, call.arguments)
        return judge(task, opened.session, conclusion)


def last_call(task: Task) -> tuple[Call, str]:
    *_, last = past_calls(task.history)
    return last


def test_every_situation_has_a_share() -> None:
    assert set(SHARES) == set(SITUATIONS)


@pytest.mark.parametrize("name", SITUATIONS)
def test_it_applies_often_enough(name: str, plain: list[Task], staged: Staged) -> None:
    assert len(staged[name]) / len(plain) >= SHARES[name]
    assert len({task.world for task, _ in staged[name]}) >= 4


@pytest.mark.parametrize("name", SITUATIONS)
def test_it_follows_from_its_seed_alone(name: str, plain: list[Task]) -> None:
    for number, task in enumerate(plain[:30]):
        before = task.model_dump_json()
        one, two = (SITUATIONS[name](task, random.Random(number)) for _ in range(2))
        assert one == two
        assert task.model_dump_json() == before, "the task itself stays as it was"


@pytest.mark.parametrize("name", SITUATIONS)
def test_its_oracle_solves_it_from_the_file_alone(name: str, staged: Staged) -> None:
    for task, made in staged[name]:
        assert made.id == f"{task.id}~{name}"
        assert made.situation == name
        assert made.world == task.world
        read = Task.model_validate_json(made.model_dump_json())
        assert read == made
        verify(read)
        assert solved(read, read.calls, read.answer)
        trace = record(read, random.Random(1))
        assert trace is not None
        assert trace.messages[-1]["content"] == made.answer


@pytest.mark.parametrize("name", SITUATIONS)
def test_it_is_not_put_on_top_of_another(name: str, staged: Staged) -> None:
    for other, pairs in staged.items():
        for _, made in pairs[:5]:
            assert put_into(made, name, random.Random(0)) is None, other


@pytest.mark.parametrize("name", SITUATIONS)
def test_claiming_what_is_untrue_never_solves_it(name: str, staged: Staged) -> None:
    for _, made in staged[name]:
        if made.claim:
            assert not solved(made, [], made.claim)


@pytest.mark.parametrize("name", SITUATIONS)
def test_doing_nothing_solves_nothing_that_needs_a_call(name: str, staged: Staged) -> None:
    for _, made in staged[name]:
        if made.oracle:
            assert not solved(made, [], "Done.")


@pytest.mark.parametrize("name", SITUATIONS)
def test_observations_of_histories_come_out_again(name: str, staged: Staged) -> None:
    """Played again from the start, what did not fail tells what it told."""
    for _, made in staged[name]:
        begun = made.model_copy(update={"history": [], "broken": {}})
        with open_task(begun) as opened:
            for call, text in past_calls(made.history):
                if not text.startswith(ERROR_PREFIX):
                    assert opened.session.call(call.name, call.arguments).text == text


def test_an_unknown_situation_is_one_clear_line(plain: list[Task]) -> None:
    with pytest.raises(TooldrillError, match="no situation named 'luck'"):
        put_into(plain[0], "luck", random.Random(0))


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


def test_a_missing_value_is_said_nowhere_and_asked_for(staged: Staged) -> None:
    for task, made in staged["missing_value"]:
        assert made.kind is TaskKind.RESTRAIN
        assert made.ending is Ending.ASK
        assert made.prompt != task.prompt
        first = task.calls[0]
        tool = offered(task)[first.name]
        needed = {p.name: first.arguments[p.name] for p in tool.parameters if p.required}
        gone = [
            name
            for name, value in needed.items()
            if tells(task, task.prompt, value) and not tells(task, made.prompt, value)
        ]
        assert gone
        assert any(name in made.answer for name in gone)
        name = next(name for name in gone if name in made.answer_mentions)
        assert concludes(made, f"Which {name} shall it be?")
        assert concludes(made, f"Please tell me the {name}.")
        assert not concludes(made, f"Done: {name} is set. Anything else?")
        assert not concludes(made, f"The {name} was saved.")
        assert not concludes(made, "How is the weather?")
        assert not solved(made, task.calls, made.answer) or not changes(task)


def tells(task: Task, prompt: str, value: object) -> bool:
    """Whether the prompt has the value, or the words in which the task's own prompt says it."""
    sayings = [text for text in task.said.values() if reads_as(text, value)]
    return says(prompt, [str(value)]) or any(text in prompt for text in sayings)


def reads_as(text: str, value: object) -> bool:
    """Whether a saying has the value: a number whole, a text but for case and marks."""
    if isinstance(value, int | float):
        return str(value) in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))
    plain, wanted = (re.sub(r"[\W_]", "", str(one)).lower() for one in (text, value))
    return bool(wanted) and wanted in plain


def test_a_part_of_something_longer_is_not_made_vague(staged: Staged) -> None:
    for _, made in staged["missing_value"]:
        assert not re.search(r"[.#/@$*-](?:the|some|what|something|that|you know) ", made.prompt)


def changes(task: Task) -> bool:
    with open_task(task) as opened:
        start = str(opened.session.snapshot())
        for call in task.calls:
            opened.session.call(call.name, call.arguments)
        return str(opened.session.snapshot()) != start


def test_what_a_prompt_says_in_other_words_is_found_by_its_placeholder(plain: list[Task]) -> None:
    task = next(t for t in plain if t.template == "inventory.reprice" and t.mask is None)
    price = task.oracle[0].arguments["price"]
    prompt, said = task.prompt.replace(str(price), f"EUR {price}-"), {"price": f"EUR {price}-"}
    told = task.model_copy(update={"prompt": prompt, "said": said})
    made = [put_into(told, "missing_value", random.Random(i)) for i in range(8)]
    left = [one.prompt for one in made if one is not None]
    assert left
    assert all("EUR" not in one for one in left)


def test_what_is_done_already_is_left_alone(staged: Staged) -> None:
    kinds = {made.kind for _, made in staged["already_done"]}
    assert TaskKind.STOP in kinds and TaskKind.ACT in kinds
    for task, made in staged["already_done"]:
        assert changes(task)
        assert not changes(made.model_copy(update={"oracle": task.oracle, "history": []}))
        assert not solved(made, made.calls, "Done: I have changed it for you.")
        assert solved(made, made.calls, "That was already the case.")
        if made.kind is not TaskKind.ACT:
            call, text = last_call(made)
            assert call == task.calls[-1]
            assert text.startswith(ERROR_PREFIX)


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


def test_a_plain_task_is_left_as_it_is_where_nothing_is_called() -> None:
    tasks = make_tasks(tuple(WORLDS), 20, 3, (2, 4), recovery=0, restraint=1)
    for name in SITUATIONS:
        assert all(put_into(task, name, random.Random(0)) is None for task in tasks)


def test_messages_are_what_the_loop_reads(staged: Staged) -> None:
    for pairs in staged.values():
        for _, made in pairs:
            with open_task(made) as opened:
                assert opened.messages == [messages.user(made.prompt), *made.history]
                assert opened.messages[-1]["role"] in {"user", "tool"}


def test_forged_worlds_have_situations_too() -> None:
    worlds = tuple(f"forge-{number:06d}" for number in range(20))
    tasks = make_tasks(worlds, 60, 5, (4, 7), recovery=0, restraint=0, masking=0.2)
    for name in SITUATIONS:
        made = [put_into(task, name, random.Random(i)) for i, task in enumerate(tasks)]
        sound = [one for one in made if one is not None]
        assert len(sound) >= 0.04 * len(tasks), name
        assert all(solved(one, one.calls, one.answer) for one in sound)


def test_string_hashing_does_not_matter(plain: list[Task]) -> None:
    code = (
        "import hashlib, random\n"
        "from tooldrill.data.situations.catalog import SITUATIONS, put_into\n"
        "from tooldrill.data.tasks.making import make_tasks\n"
        "tasks = make_tasks(('tickets', 'contacts'), 20, 3, (3, 6), recovery=0, restraint=0)\n"
        "made = [put_into(t, n, random.Random(n)) for t in tasks for n in SITUATIONS]\n"
        "text = ''.join(m.model_dump_json() for m in made if m)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "77")
    }
    assert len(digests) == 1
