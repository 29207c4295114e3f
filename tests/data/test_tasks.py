"""Making tasks: shares, determinism, offered tools, histories, and what a suite file keeps."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from tooldrill.agent.checker import check_calls, refusal
from tooldrill.agent.errors import TooldrillError
from tooldrill.data.tasks.making import Plan, make_task, make_tasks
from tooldrill.data.tasks.offering import Wish, offer_tools
from tooldrill.data.tasks.solve import judge, open_task, past_calls, run_oracle, says
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.worlds.book import Draft, Template
from tooldrill.data.worlds.catalog import WORLDS, get_world, world_names

ALL = tuple(WORLDS)
TRAIN = ("files", "inventory", "tickets")


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(ALL, 150, 11, (2, 5), recovery=0.3, restraint=0.1, masking=0.3)


def digest(tasks: list[Task]) -> str:
    return hashlib.sha256("".join(t.model_dump_json() for t in tasks).encode()).hexdigest()


def test_same_seed_same_tasks(tasks: list[Task]) -> None:
    again = make_tasks(ALL, 150, 11, (2, 5), recovery=0.3, restraint=0.1, masking=0.3)
    assert again == tasks
    other = make_tasks(ALL, 150, 12, (2, 5), recovery=0.3, restraint=0.1, masking=0.3)
    assert {t.prompt for t in other}.isdisjoint(t.prompt for t in tasks if t.oracle)


def test_string_hashing_does_not_matter(tasks: list[Task]) -> None:
    code = (
        "import hashlib\nfrom tooldrill.data.tasks.making import make_tasks\n"
        f"t = make_tasks({ALL!r}, 150, 11, (2, 5), recovery=0.3, restraint=0.1, masking=0.3)\n"
        "print(hashlib.sha256(''.join(x.model_dump_json() for x in t).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == digest(tasks)


@pytest.mark.parametrize(
    ("count", "recovery", "restraint", "masking"),
    [
        (150, 0.3, 0.1, 0.3),
        (10, 0.25, 0.25, 1.0),
        (7, 0.0, 1.0, 0.0),
        (3, 1.0, 1.0, 0.5),
        (0, 1, 0, 0),
    ],
)
def test_shares_are_exact(count: int, recovery: float, restraint: float, masking: float) -> None:
    made = make_tasks(
        TRAIN, count, 3, (2, 4), recovery=recovery, restraint=restraint, masking=masking
    )
    kinds = Counter(task.kind for task in made)
    recover = round(count * recovery)
    assert len(made) == count
    assert kinds[TaskKind.RECOVER] == recover
    assert kinds[TaskKind.RESTRAIN] == min(round(count * restraint), count - recover)
    assert sum(task.mask is not None for task in made) == round(count * masking)


def test_tasks_take_one_to_eight_calls_and_later_ones_need_what_earlier_ones_showed() -> None:
    train = world_names(Split.TRAIN)
    made = make_tasks(train, 640, 5, (2, 6), recovery=0, restraint=0)
    lengths = Counter(len(task.oracle) for task in made)
    assert set(lengths) == set(range(1, 9))
    assert sum(count for steps, count in lengths.items() if steps > 2) > 0.2 * len(made)
    assert sum(count for steps, count in lengths.items() if steps > 4) > 0.07 * len(made)
    long = [task for task in made if len(task.oracle) > 2]
    fed = [task for task in long if takes_from_observations(task)]
    assert len(fed) > 0.7 * len(long)
    assert {task.world for task in fed} == set(train)
    assert all(task.max_steps >= len(task.oracle) + 2 for task in made)


def takes_from_observations(task: Task) -> bool:
    """Whether some argument is not in the prompt but in what an earlier call brought."""
    seen = ""
    for call, observation in run_oracle(task):
        for value in call.arguments.values():
            text = str(value)
            if not says(task.prompt, [text]) and says(seen, [text]):
                return True
        seen += observation.text + "\n"
    return False


def test_ids_are_unique_and_say_where_from(tasks: list[Task]) -> None:
    assert len({task.id for task in tasks}) == len(tasks)
    for number, task in enumerate(tasks):
        assert task.id == f"{task.template}-{number:04d}"
        assert task.template.startswith(f"{task.world}.")


def test_worlds_and_templates_take_turns() -> None:
    made = make_tasks(TRAIN, 300, 5, (2, 4), recovery=0.2, restraint=0.1)
    by_world = Counter(task.world for task in made)
    assert max(by_world.values()) - min(by_world.values()) <= 3
    for world in TRAIN:
        acting = Counter(t.template for t in made if t.world == world and t.oracle)
        assert len(acting) == len(get_world(world).templates(TaskKind.ACT))
        assert max(acting.values()) - min(acting.values()) <= 1


def test_offered_tools(tasks: list[Task]) -> None:
    sizes = Counter()
    for task in tasks:
        templates = get_world(task.world).book.templates
        assert len(set(task.tools)) == len(task.tools)
        assert {call.name for call in task.calls} <= set(task.tools)
        with open_task(task) as opened:
            assert list(opened.registry.names) == task.tools
        sizes[len(task.tools)] += 1
        # More than was asked for only where the oracle and its tempting siblings are more.
        called = {call.name for call in [*task.calls, *(c for c, _ in past_calls(task.history))]}
        template = next(t for t in templates if f"{task.world}.{t.name}" == task.template)
        needs = template.draft(random.Random(0)).needs
        assert 2 <= len(task.tools) <= max(5, len(called) + len(needs))
    assert {2, 3, 4, 5} <= set(sizes)
    firsts = [t for t in tasks if t.oracle and len(t.tools) > 2 and t.tools[0] == t.calls[0].name]
    assert len(firsts) < len(tasks) / 2, "the right tool is not always first"


def test_never_fewer_tools_than_the_oracle_needs() -> None:
    for task in make_tasks(TRAIN, 60, 8, (1, 1), recovery=0.0, restraint=0.0):
        assert {call.name for call in task.calls} <= set(task.tools)


def one_task(template: Template, kind: TaskKind, number: int, tools: tuple[int, int]) -> Task:
    rng = random.Random(number)
    wish = Wish(number, get_world("files"), template.draft(rng), masked=False)
    offer = offer_tools([wish], tools, 1, number, frozenset())[number]
    return make_task(rng, Plan(template, kind), wish, offer)


def test_tasks_share_registries_but_never_what_one_of_them_must_not_have() -> None:
    tasks = make_tasks(TRAIN, 120, 3, (3, 6), recovery=0.2, restraint=0.2, masking=0.3, sharing=4)
    groups: dict[tuple[str, ...], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.world, *task.tools), []).append(task)
    sizes = [len(group) for group in groups.values()]
    assert max(sizes) == 4
    assert sum(sizes) / len(sizes) > 3
    for group in groups.values():
        assert len({task.mask.model_dump_json() if task.mask else "" for task in group}) == 1
        assert len(group[0].tools) <= 6
    alone = make_tasks(TRAIN, 60, 3, (3, 6), recovery=0.2, restraint=0.2)
    assert len({tuple(task.tools) for task in alone}) > 50


def test_withheld_tools_are_not_offered() -> None:
    template = next(t for t in get_world("files").book.templates if t.name == "read_only")
    for number in range(20):
        task = one_task(template, TaskKind.RESTRAIN, number, (5, 9))
        assert not {"append_file", "write_file", "insert_after"} & set(task.tools)


def test_oracles_keep_the_contract_and_solve(tasks: list[Task]) -> None:
    for task in tasks:
        with open_task(task) as opened:
            assert check_calls(task.calls, opened.registry) == []
            for call, observation in run_oracle(task):
                assert not observation.error
                assert opened.session.call(call.name, call.arguments) == observation
            assert judge(task, opened.session, task.answer)


def test_restrained_tasks_need_nothing(tasks: list[Task]) -> None:
    for task in tasks:
        with open_task(task) as opened:
            idle = judge(
                task, opened.session, task.answer if task.kind == "restrain" else task.prompt
            )
        assert idle is (task.kind is TaskKind.RESTRAIN)


def test_histories_are_real(tasks: list[Task]) -> None:
    """Played again from the prompt, every observation of a history comes out as it stands."""
    contract = world = later = 0
    for task in tasks:
        if task.kind is not TaskKind.RECOVER:
            assert task.history == []
            continue
        *before, (bad, error) = past_calls(task.history)
        with open_task(task.model_copy(update={"history": []})) as opened:
            for call, text in before:
                assert opened.session.call(call.name, call.arguments).text == text
            violations = check_calls([bad], opened.registry)
            if violations:
                contract += 1
                assert error == refusal(violations, opened.registry)
            else:
                world += 1
                assert opened.session.call(bad.name, bad.arguments) == (error, True)
        later += bool(before)
        weights = [m.get("weight", 1) for m in task.history if m["role"] == "assistant"]
        assert weights == [1] * len(before) + [0]
        assert bad.fingerprint != task.calls[0].fingerprint
    assert contract > 5
    assert world > 5
    assert later > 2


def test_a_task_file_is_all_that_is_needed(tasks: list[Task]) -> None:
    for task in tasks:
        read = Task.model_validate_json(task.model_dump_json())
        assert read == task
        with open_task(read) as opened:
            assert opened.messages[0] == {"role": "user", "content": task.prompt}
            assert opened.messages[1:] == task.history
            for call in read.calls:
                assert not opened.session.call(call.name, call.arguments).error
            assert judge(read, opened.session, read.answer)


def test_judging_looks_at_the_answer_too() -> None:
    made = make_tasks(("inventory",), 60, 4, (2, 4), recovery=0, restraint=0)
    task = next(t for t in made if t.template == "inventory.count_all")
    with open_task(task) as opened:
        assert judge(task, opened.session, f"There are {task.answer_contains[0]} of them.")
        assert not judge(task, opened.session, "There are many of them.")
        assert not judge(task, opened.session, f"There are {task.answer_contains[0]}7 of them.")
        assert not judge(task, opened.session, None)


@pytest.mark.parametrize(
    ("conclusion", "wanted", "passes"),
    [
        ("It has 3 lines.", ["3"], True),
        ("It has 13 lines.", ["3"], False),
        ("It costs 3.5 dollars", ["3"], False),
        ("It costs 2.3", ["3"], False),
        ("ada lovelace", ["Ada\nLovelace"], True),
        ("in notes/a.md.", ["notes/a.md"], True),
        ("only one", ["one", "two"], False),
        ("", [], True),
    ],
)
def test_says(conclusion: str, wanted: list[str], passes: bool) -> None:
    assert says(conclusion, wanted) is passes


def bad_template(oracle: list, answer: str = "Done.", contains: tuple[str, ...] = ()) -> Template:
    state = {"files": {"a.txt": "x\n"}}
    return Template("bad", False, ("p",), lambda draw: Draft("p", state, oracle, answer, contains))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (bad_template([("read_file", {"path": "b.txt"})]), "came back with ERROR: no such file"),
        (bad_template([("read_file", {"file": "a.txt"})]), "breaks the contract"),
        (bad_template([("read_file", {"path": "a.txt"})]), "doing nothing would solve it"),
        (
            bad_template([("read_file", {"path": "a.txt"})], "It says x.", ("y",)),
            "the answer lacks",
        ),
    ],
)
def test_a_failing_oracle_is_raised(template: Template, reason: str) -> None:
    with pytest.raises(OracleFailureError, match=reason):
        one_task(template, TaskKind.ACT, 0, (2, 3))


def test_a_restrained_task_that_acts_is_raised() -> None:
    template = next(t for t in get_world("files").book.templates if t.name == "append_line")
    task = one_task(template, TaskKind.ACT, 0, (2, 3))
    with pytest.raises(OracleFailureError, match="nothing was to be done"):
        verify(task.model_copy(update={"kind": TaskKind.RESTRAIN}))


def test_an_unknown_world_is_one_clear_line() -> None:
    with pytest.raises(TooldrillError, match="no world named 'filez'"):
        make_tasks(("filez",), 1, 0, (1, 2), recovery=0, restraint=0)
