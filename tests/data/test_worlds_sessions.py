"""Sessions and drafts of every world alike: any call is answered, the same seed draws the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world_calls import assert_answers_all, calls_of

from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import TaskKind
from tooldrill.data.worlds.catalog import WORLDS, get_world


def known_values(arguments: list[Any]) -> list[Any]:
    """Texts and numbers, each once, those inside of lists too."""
    flat = [item for one in arguments for item in (one if isinstance(one, list) else [one])]
    return list(dict.fromkeys(item for item in flat if not isinstance(item, bool)))


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_valid_call_gets_an_answer_and_an_error_changes_nothing(
    world: str, data: st.DataObject
) -> None:
    templates = get_world(world).templates(TaskKind.ACT)
    template = templates[data.draw(st.integers(0, len(templates) - 1))]
    draft = template.draft(random.Random(template.name))
    known = known_values([v for _, given in draft.oracle for v in given.values()])
    calls = data.draw(calls_of(get_world(world), known or ["none"]))
    assert_answers_all(get_world(world), draft.state, calls)


@pytest.mark.parametrize("world", WORLDS)
def test_the_same_seed_gives_the_same_drafts_whatever_was_drawn_before(world: str) -> None:
    for template in get_world(world).book.templates:
        first = template.draft(random.Random(template.name))
        template.draft(random.Random(1))
        assert template.draft(random.Random(template.name)) == first


@pytest.mark.parametrize("world", WORLDS)
def test_many_tasks_of_every_kind_are_verified(world: str) -> None:
    shares = {"recovery": 0.25, "restraint": 0.25, "masking": 0.3}
    tasks = make_tasks([world], 240, 11, (3, 8), **shares)
    assert len({task.template for task in tasks}) == len(get_world(world).book.templates)
    assert {1, 2, 3} <= {len(task.oracle) for task in tasks}
