"""Forged worlds of the two splits share no noun, no tool name, no parameter set and no frame."""

from __future__ import annotations

from functools import cache

from tooldrill.data.forge.lexicon import domains, fields, flows
from tooldrill.data.forge.naming import side, side_of_set
from tooldrill.data.forge.nouns import HELDOUT_DOMAINS
from tooldrill.data.forge.voices import reserved
from tooldrill.data.forge.world import forge_world
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

COUNT = 300


@cache
def tools(split: Split) -> list[tuple[str, frozenset[str]]]:
    return [
        (tool.name, tool.parameter_names)
        for number in range(COUNT)
        for tool in forge_world(number, split).registry
    ]


def test_there_are_many_nouns_and_about_half_are_held_out() -> None:
    nouns = {split: {e.noun for d in domains(split) for e in d.entities} for split in Split}
    assert not nouns[Split.TRAIN] & nouns[Split.HELDOUT]
    assert sum(map(len, nouns.values())) >= 150
    assert len(nouns[Split.HELDOUT]) >= 70
    assert {d.name for d in domains(Split.HELDOUT)} == HELDOUT_DOMAINS
    assert sum(len(domains(split)) for split in Split) >= 25


def test_worlds_use_the_nouns_of_their_split() -> None:
    for split in Split:
        own = {e.noun for d in domains(split) for e in d.entities}
        used = {t.noun for n in range(COUNT) for t in forge_world(n, split).blueprint.types}
        assert used <= own
        assert len(used) > 0.9 * len(own)


def test_no_tool_name_is_shared() -> None:
    names = {split: {name for name, _ in tools(split)} for split in Split}
    assert not names[Split.TRAIN] & names[Split.HELDOUT]
    assert all(side(name) is split for split in Split for name in names[split])


def test_no_set_of_parameter_names_is_shared() -> None:
    sets = {split: {names for _, names in tools(split)} for split in Split}
    assert not sets[Split.TRAIN] & sets[Split.HELDOUT]
    assert all(side_of_set(names) is split for split in Split for names in sets[split])
    assert frozenset() not in sets[Split.HELDOUT]


def test_nothing_of_the_written_worlds_of_the_other_split_comes_out() -> None:
    for split, other in ((Split.TRAIN, Split.HELDOUT), (Split.HELDOUT, Split.TRAIN)):
        written = [tool for name in world_names(other) for tool in get_world(name).registry]
        assert not {name for name, _ in tools(split)} & {tool.name for tool in written}
        assert not {names for _, names in tools(split)} & {t.parameter_names for t in written}


def test_every_frame_belongs_to_one_split() -> None:
    frames = tuple(range(20))
    train, heldout = (set(reserved(split, frames)) for split in (Split.TRAIN, Split.HELDOUT))
    assert train | heldout == set(frames)
    assert not train & heldout
    assert len(heldout) == 5


def test_the_vocabulary_is_whole() -> None:
    """Every field is used, can be said and changed; every step leads from and to a state."""
    used = set()
    for split in Split:
        for domain in domains(split):
            nouns = {entity.noun for entity in domain.entities}
            for entity in domain.entities:
                used |= {field.key for field in entity.fields}
                assert len({field.key for field in entity.fields}) == len(entity.fields)
                assert set(entity.references) <= nouns - {entity.noun}
    assert used == set(fields())
    for field in fields().values():
        assert all("{it}" in change for change in (*field.changes, *field.no_changes))
        flag = field.kind.base == "flag"
        assert all(("{v}" in text) is not flag for text in (*field.clauses, *field.changes))
        assert bool(field.no_clauses) is flag
    for flow in flows().values():
        for step in flow.steps:
            assert {step.before, step.after} <= set(flow.states)
            assert all("{it}" in wording for wording in step.wordings)
