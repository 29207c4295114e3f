"""What holds for every situation: it applies, is sound, and only the right ending solves it."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest
from staged_tasks import Staged, solved

from tooldrill.agent import messages
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.errors import TooldrillError
from tooldrill.data.situations.catalog import SITUATIONS, put_into
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import open_task, past_calls
from tooldrill.data.tasks.task import Task
from tooldrill.data.tasks.verify import verify
from tooldrill.data.traces import record
from tooldrill.data.worlds.catalog import WORLDS

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
