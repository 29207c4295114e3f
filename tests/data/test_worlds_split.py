"""Nothing of the held-out worlds can be seen in training: tools, parameter sets, prompts."""

from __future__ import annotations

import re
from itertools import product

from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split, TaskKind
from tooldrill.data.worlds.catalog import get_world, world_names

TRAIN = world_names(Split.TRAIN)
HELDOUT = world_names(Split.HELDOUT)


def test_the_worlds_of_each_split() -> None:
    assert set(TRAIN) == {
        "config",
        "convert",
        "files",
        "inventory",
        "jobs",
        "library",
        "mail",
        "tickets",
    }
    assert set(HELDOUT) == {"calendar", "contacts", "kitchen"}


def test_no_tool_name_is_shared() -> None:
    names = {
        split: {n for w in worlds for n in get_world(w).tool_names} for split, worlds in both()
    }
    assert not names["train"] & names["heldout"]


def test_no_set_of_parameter_names_is_shared() -> None:
    sets = {
        split: {tool.parameter_names for w in worlds for tool in get_world(w).registry}
        for split, worlds in both()
    }
    assert frozenset() not in sets["heldout"]
    assert not sets["train"] & sets["heldout"]


def test_no_template_is_shared() -> None:
    """Neither by name nor by wording, whatever stands in the gaps."""
    names = {s: {t.name for w in ws for t in get_world(w).book.templates} for s, ws in both()}
    assert not names["train"] & names["heldout"]
    shapes = {s: {shape(x) for w in ws for x in get_world(w).book.wordings} for s, ws in both()}
    assert not shapes["train"] & shapes["heldout"]


def test_no_wording_is_nearly_shared() -> None:
    """No two wordings with three words or more have the same words between their gaps."""
    words = {s: [content(x) for w in ws for x in get_world(w).book.wordings] for s, ws in both()}
    for train, heldout in product(words["train"], words["heldout"]):
        if len(heldout) >= 3:
            assert train != heldout


def test_tasks_carry_the_split_of_their_world() -> None:
    shares = {"recovery": 0.2, "restraint": 0.2}
    for split, worlds in both():
        tasks = make_tasks(worlds, 20, 1, (2, 4), **shares)
        assert {task.split.value for task in tasks} == {split}
        assert {task.world for task in tasks} == set(worlds)


def test_no_drawn_prompt_is_shared() -> None:
    shares = {"recovery": 0.0, "restraint": 0.3}
    drawn = [{t.prompt for t in make_tasks(w, 120, 5, (2, 4), **shares)} for _, w in both()]
    assert not drawn[0] & drawn[1]
    assert TaskKind.RESTRAIN in {t.kind for t in make_tasks(HELDOUT, 20, 5, (2, 4), **shares)}


def both() -> tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]:
    return ("train", TRAIN), ("heldout", HELDOUT)


def shape(wording: str) -> str:
    return re.sub(r"\{\w+\}", "{}", wording).casefold()


def content(wording: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", re.sub(r"\{\w+\}", "", wording).casefold()))
