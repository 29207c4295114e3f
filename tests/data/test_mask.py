"""Function masking: new names everywhere, old behaviour behind them."""

from __future__ import annotations

import json
import random
import re

import pytest

from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.making import all_names, make_tasks
from tooldrill.data.tasks.mask import MaskedSession, make_mask, mask_call, mask_registry
from tooldrill.data.tasks.solve import judge, open_task, past_calls, run_oracle
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.worlds.catalog import WORLDS, get_world


@pytest.fixture(scope="module")
def masked() -> list[Task]:
    return make_tasks(tuple(WORLDS), 100, 21, (2, 6), recovery=0.4, restraint=0.1, masking=1.0)


def names_in(registry: Registry) -> set[str]:
    names = set(registry.names)
    for tool in registry:
        names |= tool.parameter_names | set(tool.schema["required"])
    return names


def test_no_original_name_is_left(masked: list[Task]) -> None:
    for task in masked:
        with open_task(task) as opened:
            names = names_in(opened.registry)
            text = json.dumps(opened.registry.to_openai())
        assert not names & all_names()
        assert not names_in_text(text) & set(get_world(task.world).tool_names)
        assert not {n for n in all_names() if "_" in n} & names_in_text(text)
        called = [*task.calls, *(call for call, _ in past_calls(task.history[:-2]))]
        for call in called:
            assert call.name in names
            assert set(call.arguments) <= names


def names_in_text(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_oracles_still_solve(masked: list[Task]) -> None:
    for task in masked:
        with open_task(task) as opened:
            for call, observation in run_oracle(task):
                assert opened.session.call(call.name, call.arguments) == observation
                assert not observation.error
            assert judge(task, opened.session, task.answer)


def test_the_original_names_are_not_answered_to(masked: list[Task]) -> None:
    for task in masked:
        assert task.mask is not None
        original = {new: old for old, new in task.mask.tools.items()}
        with open_task(task) as opened:
            for call in task.calls:
                assert opened.session.call(original[call.name], call.arguments).error


def test_errors_in_the_history_use_the_new_names(masked: list[Task]) -> None:
    recovering = [task for task in masked if task.kind is TaskKind.RECOVER]
    assert len(recovering) == 40
    for task in recovering:
        assert task.mask is not None
        with open_task(task) as opened:
            shown = names_in(opened.registry)
        text = task.history[-1]["content"]
        old = {n for n in (*task.mask.tools, *task.mask.parameters) if "_" in n} - shown
        assert not old & names_in_text(text)


def test_a_world_error_that_names_a_parameter() -> None:
    world = get_world("files")
    mask = make_mask(random.Random(1), world.registry, all_names())
    session = MaskedSession(world.open({"files": {"a.txt": "x"}}), mask)
    name, arguments = mask_call(mask, "write_file", {"path": "a.txt", "content": "y"})
    text = session.call(name, arguments).text
    assert text == f"ERROR: already exists: a.txt (`{mask.parameters['overwrite']}` is false)"
    unknown = session.call(name, {**arguments, "overwrite": True})
    assert unknown.error
    assert session.snapshot() == {"files": {"a.txt": "x"}}
    session.close()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(20))
def test_a_mask_is_one_to_one_and_keeps_everything_else(world: str, seed: int) -> None:
    registry = get_world(world).registry
    mask = make_mask(random.Random(seed), registry, all_names())
    new = [*mask.tools.values(), *mask.parameters.values()]
    assert len(set(new)) == len(new)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", name) for name in new)
    renamed = mask_registry(mask, registry)
    for before, after in zip(registry, renamed, strict=True):
        assert after.description == before.description
        assert [mask.parameters[p.name] for p in before.parameters] == [
            p.name for p in after.parameters
        ]
        for old, shown in zip(before.parameters, after.parameters, strict=True):
            assert (shown.schema, shown.required) == (old.schema, old.required)


def test_names_differ_between_tasks(masked: list[Task]) -> None:
    """A model cannot learn the masked names by heart."""
    names: dict[str, set[str]] = {}
    for task in masked:
        assert task.mask is not None
        for old, new in {**task.mask.tools, **task.mask.parameters}.items():
            names.setdefault(old, set()).add(new)
    often = [new for old, new in names.items() if sum(old in _olds(t) for t in masked) >= 10]
    assert len(often) > 5
    assert all(len(new) >= 5 for new in often)


def _olds(task: Task) -> set[str]:
    assert task.mask is not None
    return {*task.mask.tools, *task.mask.parameters}


def test_a_parameter_is_named_after_what_it_is_on_all_of_its_tools() -> None:
    """`value` is a text here and a number there: neither word may stand for both."""
    registry = get_world("config").registry.select(["set_text", "set_number"])
    for seed in range(60):
        new = make_mask(random.Random(seed), registry, all_names()).parameters["value"]
        assert re.search("val|vl", new, re.IGNORECASE), new
    registry = get_world("files").registry.select(["write_file", "read_file"])
    for seed in range(60):
        new = make_mask(random.Random(seed), registry, all_names()).parameters["path"]
        assert re.search("file", new, re.IGNORECASE), new
        assert not re.search("crt|creat|read", new, re.IGNORECASE), new


def test_opaque_parameters_are_told_apart_by_type() -> None:
    """Two parameters of one type on one tool never both hide behind meaningless letters."""
    opaque = re.compile(r"[a-z]\d?|arg_[a-z]|p[a-z]")
    for seed in range(30):
        for world in WORLDS:
            registry = get_world(world).registry
            mask = make_mask(random.Random(seed), registry, all_names())
            for tool in mask_registry(mask, registry):
                hidden = [p for p in tool.parameters if opaque.fullmatch(p.name)]
                for parameter in hidden:
                    kinds = [json.dumps(_kind(p.schema)) for p in tool.parameters]
                    assert kinds.count(json.dumps(_kind(parameter.schema))) == 1


def _kind(schema: dict) -> list:
    return [schema.get("type"), schema.get("enum")]
