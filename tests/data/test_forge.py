"""Forged worlds: the same everywhere, many, solvable, executed for real."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter

import pytest
from forged_tasks import SPLITS, WORLDS, tasks_of

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import Offered, tool_from_parameters
from tooldrill.data.forge.blueprint import ABSENT
from tooldrill.data.forge.world import ForgeWorld, forge_name, forge_world
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.worlds.catalog import get_world

SCRIPT = """
import json, sys
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.worlds.catalog import get_world
names = ["forge-000007", "forge-h-000007", "forge-123456"]
tools = [get_world(name).registry.to_openai() for name in names]
tasks = make_tasks(names, 24, 3, (3, 6), recovery=0.2, restraint=0.2, masking=0.2)
print(json.dumps([tools, [task.model_dump(mode="json") for task in tasks]]))
"""


def test_the_same_number_gives_the_same_world_and_tasks_in_another_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(next(iter(outputs))) > 20_000


def test_a_world_does_not_depend_on_what_was_made_before() -> None:
    fresh = ForgeWorld(5, Split.TRAIN)
    for number in range(5, 30):
        ForgeWorld(number, Split.HELDOUT).templates(TaskKind.ACT)[0].draft(random.Random(1))
    again = ForgeWorld(5, Split.TRAIN)
    assert again.registry == fresh.registry
    drafts = [w.templates(TaskKind.ACT)[0].draft(random.Random(2)) for w in (fresh, again)]
    assert drafts[0] == drafts[1]


def test_worlds_are_found_by_name() -> None:
    assert get_world("forge-000123") is forge_world(123)
    assert get_world("forge-h-000123") is forge_world(123, Split.HELDOUT)
    assert get_world(forge_name(9, Split.HELDOUT)).split is Split.HELDOUT
    for name in ("forge-12", "forge-x", "forge-h-1234567", "forge_000123"):
        with pytest.raises(TooldrillError, match="no world named"):
            get_world(name)
    with pytest.raises(TooldrillError, match="no forged world 1000000"):
        forge_world(1_000_000)


@pytest.mark.parametrize("split", SPLITS)
def test_every_template_of_many_worlds_is_solved_by_its_oracle(split: Split) -> None:
    tasks = tasks_of(split)
    assert len(tasks) > WORLDS * 12
    for task in tasks[::3]:
        with open_task(task) as opened:
            idle = task.answer if task.kind is TaskKind.RESTRAIN else task.prompt
            assert judge(task, opened.session, idle) is (task.kind is TaskKind.RESTRAIN)
    # Seven calls are rare: they take four requests of which one has no look-up.
    assert {0, 1, 2, 3, 4, 5, 6, 8} <= {len(task.oracle) for task in tasks}
    shapes = Counter(task.template.rsplit(".", 1)[1] for task in tasks)
    assert min(shapes.values()) > 10
    assert len(shapes) >= 19


@pytest.mark.parametrize("split", SPLITS)
def test_no_call_that_changes_something_can_be_left_out(split: Split) -> None:
    for task in tasks_of(split, 40)[::2]:
        for left_out in range(len(task.calls)):
            with open_task(task) as opened:
                for index, call in enumerate(task.calls):
                    start = opened.session.snapshot()
                    if index != left_out:
                        opened.session.call(call.name, call.arguments)
                        continue
                    with open_task(task) as other:
                        for past in task.calls[: index + 1]:
                            other.session.call(past.name, past.arguments)
                        changes = other.session.snapshot() != start
                assert judge(task, opened.session, task.answer) is not changes


def test_there_are_thousands_of_tools() -> None:
    tools = [tool for number in range(700) for tool in ForgeWorld(number, Split.TRAIN).registry]
    assert len({tool.name for tool in tools}) > 5_000
    assert len({tool.parameter_names for tool in tools}) > 3_000
    assert len({json.dumps(tool.schema) for tool in tools}) > 5_000
    sizes = [len(forge_world(number).registry) for number in range(200)]
    assert min(sizes) >= 4 and max(sizes) > 24
    assert len({sizes.count(size) for size in set(sizes)}) > 3


def test_siblings_share_some_parameters_and_not_others() -> None:
    sharing = 0
    for number in range(100):
        registry = forge_world(number).registry
        owners = [len(registry.owners(p)) for tool in registry for p in tool.parameter_names]
        sharing += max(owners) > 1 and min(owners) == 1
    assert sharing >= 97


def test_schemas_are_those_of_introspection() -> None:
    for number in range(60):
        for op in forge_world(number).blueprint.ops:
            offered = []
            for p in op.params:
                hint = p.kind.hint()
                default = object() if p.default is ABSENT else p.default
                offered.append(Offered(p.name, hint | None if default is None else hint, default))
            told = [f"    {p.name}: {p.description}" for p in op.params if p.description]
            doc = "\n".join([op.description, "", "Args:", *told]) if told else op.description
            made = tool_from_parameters(op.name, doc, offered)
            assert json.dumps(op.tool().to_openai()) == json.dumps(made.to_openai())


def test_make_tasks_of_forged_worlds_with_recovery_and_masks() -> None:
    names = [forge_name(number) for number in range(40)]
    tasks = make_tasks(names, 200, 4, (3, 6), recovery=0.3, restraint=0.2, masking=0.4)
    assert len({task.prompt for task in tasks}) > 190
    assert {task.world for task in tasks} == set(names)
    assert Task.model_validate_json(tasks[0].model_dump_json()) == tasks[0]


def test_a_world_and_a_task_take_few_milliseconds() -> None:
    for number in range(100):
        _ = ForgeWorld(number, Split.TRAIN).registry
    start = time.process_time()
    for number in range(1000, 1100):
        world = ForgeWorld(number, Split.TRAIN)
        template = world.templates(TaskKind.ACT)[number % 3]
        draft = template.draft(random.Random(number))
        session = world.open(draft.state)
        for name, arguments in draft.oracle:
            session.call(name, arguments)
        _ = world.registry
    # About 5 ms are meant; the bound leaves room for a slow and busy machine.
    assert (time.process_time() - start) / 100 < 0.02


def test_nothing_is_looked_up_twice() -> None:
    for task in (t for split in SPLITS for t in tasks_of(split)):
        world = get_world(task.world)
        assert isinstance(world, ForgeWorld)
        looks = {op.name for op in world.blueprint.ops if op.action in ("find", "list")}
        calls = [json.dumps([c.name, c.arguments]) for c in task.calls if c.name in looks]
        assert len(calls) == len(set(calls)), task.id


def test_chains_of_many_calls_exist() -> None:
    lengths = Counter(len(t.calls) for t in tasks_of(Split.TRAIN) if t.kind is TaskKind.ACT)
    assert max(lengths) == 8
    assert sum(n for length, n in lengths.items() if length >= 4) > 0.1 * lengths.total()
