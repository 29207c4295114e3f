"""Every template of every world: its oracle solves it, and nothing less does."""

from __future__ import annotations

import copy
import random
import re
from datetime import date
from typing import Any

import pytest

from tooldrill.agent.signature import SignatureLevel, signatures
from tooldrill.data.tasks.making import Plan, make_task
from tooldrill.data.tasks.offering import Wish, offer_tools
from tooldrill.data.tasks.solve import concludes, judge, open_task, run_oracle
from tooldrill.data.tasks.task import Ending, Task, TaskKind
from tooldrill.data.values.names import number_word
from tooldrill.data.values.spoken import (
    date_forms,
    number_forms,
    offset_forms,
    ordinal_forms,
    span_forms,
    time_forms,
)
from tooldrill.data.voices.revoice import Voicing, revoice
from tooldrill.data.worlds.book import Template
from tooldrill.data.worlds.catalog import WORLDS, get_world

DRAWS = 30
TEMPLATES = [(name, t) for name in WORLDS for t in get_world(name).book.templates]


def draws(world: str, template: Template, kind: TaskKind, count: int = DRAWS) -> list[Task]:
    tasks = []
    for number in range(count):
        rng = random.Random(f"{template.name}{number}")
        wish = Wish(number, get_world(world), template.draft(rng), masked=False)
        offer = offer_tools([wish], (3, 6), 1, number, frozenset())[number]
        tasks.append(make_task(rng, Plan(template, kind), wish, offer))
    return tasks


def kind_of(template: Template) -> TaskKind:
    return TaskKind.RESTRAIN if template.restrain else TaskKind.ACT


@pytest.mark.parametrize(
    ("world", "template"), TEMPLATES, ids=[f"{w}.{t.name}" for w, t in TEMPLATES]
)
def test_template(world: str, template: Template) -> None:
    tasks = draws(world, template, kind_of(template))
    assert len({task.prompt for task in tasks}) > DRAWS // 4
    for task in tasks:
        with open_task(task) as opened:
            idle = task.answer if template.restrain else task.prompt
            assert judge(task, opened.session, idle) is template.restrain
            for call in task.calls:
                observation = opened.session.call(call.name, call.arguments)
                assert not observation.error
                assert observation.text
            assert judge(task, opened.session, task.answer)
            silent = task.ending is Ending.REPORT and not task.answer_contains
            assert judge(task, opened.session, None) is silent
        assert not re.search(rf"\b({'|'.join(get_world(world).tool_names)})\b", task.prompt)
        assert "{" not in task.prompt
        assert_derivable(task)


# What dishes and people are called is no sentence of which a full stop could be a part.
NAMES = frozenset({"dish", "food", "containing", "sender"})


@pytest.mark.parametrize("world", WORLDS)
def test_where_a_text_to_be_copied_ends_is_plain(world: str) -> None:
    """It is quoted, or nothing that could be a part of it stands behind it."""
    split, loud = get_world(world).split, Voicing(1.0, 1.0, 1.0, 0.3, 1.0)
    for template in get_world(world).templates(TaskKind.ACT):
        for seed in range(12):
            draft = template.draft(random.Random(f"{template.name}{seed}"))
            prompts = [draft.prompt, revoice(draft, random.Random(seed), loud, split).prompt]
            for name, value in ((k, v) for _, given in draft.oracle for k, v in given.items()):
                if isinstance(value, str) and len(value.split()) >= 4 and name not in NAMES:
                    for prompt in prompts:
                        bare = rf"(?<!['\"]){re.escape(value)}[.!?]"
                        assert not re.search(bare, prompt), (template.name, name, prompt)


@pytest.mark.parametrize("world", WORLDS)
def test_articles_fit_what_is_drawn_behind_them(world: str) -> None:
    for template in get_world(world).book.templates:
        for seed in range(25):
            prompt = template.draft(random.Random(f"{template.name}{seed}")).prompt
            # Codes may end in a letter of their own.
            assert not re.search(r"(?<![\w.'/-])[Aa] (?!one)[aeioAEIO]", prompt), prompt


@pytest.mark.parametrize("world", WORLDS)
def test_recovery_of_every_template(world: str) -> None:
    for template in get_world(world).templates(TaskKind.RECOVER):
        for task in draws(world, template, TaskKind.RECOVER, 4):
            bad, error = task.history[-2:]
            assert bad["weight"] == 0
            assert error["role"] == "tool"
            assert error["content"].startswith("ERROR: ")
            with open_task(task) as opened:
                for call in task.calls:
                    opened.session.call(call.name, call.arguments)
                assert judge(task, opened.session, task.answer)


@pytest.mark.parametrize("world", WORLDS)
def test_no_call_that_changes_something_can_be_left_out(world: str) -> None:
    for template in get_world(world).templates(TaskKind.ACT):
        (task,) = draws(world, template, TaskKind.ACT, 1)
        for left_out in range(len(task.calls)):
            with open_task(task) as opened:
                for call in task.calls[:left_out]:
                    opened.session.call(call.name, call.arguments)
                before = opened.session.snapshot()
                with open_task(task) as other:
                    for call in task.calls[: left_out + 1]:
                        other.session.call(call.name, call.arguments)
                    changes = other.session.snapshot() != before
                for call in task.calls[left_out + 1 :]:
                    opened.session.call(call.name, call.arguments)
                assert judge(task, opened.session, task.answer) is not changes


@pytest.mark.parametrize("world", WORLDS)
def test_templates_are_many_and_worded_variously(world: str) -> None:
    book = get_world(world).book
    acting = [t for t in book.templates if not t.restrain]
    assert len(acting) >= 12
    assert len(book.templates) - len(acting) >= 4
    assert all(len(t.wordings) >= 2 for t in book.templates)
    assert len(set(book.wordings)) == len(book.wordings)
    assert all(t.asides == book.asides for t in acting)
    lengths = {len(t.draft(random.Random(0)).oracle) for t in acting}
    assert {1, 2} <= lengths
    assert max(lengths) <= 8


@pytest.mark.parametrize("world", WORLDS)
def test_tools_are_described_and_share_some_parameters(world: str) -> None:
    registry = get_world(world).registry
    assert 6 <= len(registry) <= 15
    for tool in registry:
        assert tool.description.endswith(".")
        assert all(p.description and "type" in p.schema for p in tool.parameters)
    shared = [p for t in registry for p in t.parameter_names if len(registry.owners(p)) > 1]
    lonely = [p for t in registry for p in t.parameter_names if len(registry.owners(p)) == 1]
    assert shared
    assert lonely
    lines = signatures(registry, SignatureLevel.TYPED).splitlines()
    assert sum(map(len, lines)) / len(lines) < 150, "a line of the system prompt is short"


@pytest.mark.parametrize("world", WORLDS)
def test_every_tool_is_needed_by_some_template(world: str) -> None:
    used = {
        call.name
        for template in get_world(world).templates(TaskKind.ACT)
        for task in draws(world, template, TaskKind.ACT, 1)
        for call in task.calls
    }
    assert used == set(get_world(world).tool_names)


@pytest.mark.parametrize("world", WORLDS)
def test_an_unknown_tool_is_an_error_and_not_an_attribute(world: str) -> None:
    template = get_world(world).templates(TaskKind.ACT)[0]
    session = get_world(world).open(template.draft(random.Random(0)).state)
    for name in ("snapshot", "close", "__init__", "nothing"):
        assert session.call(name, {}).text == f"ERROR: no such tool: {name}"
    session.close()


@pytest.mark.parametrize("world", WORLDS)
def test_what_was_not_done_must_not_be_reported_as_done(world: str) -> None:
    """A question is answered by asking, and a request that cannot be met by saying so."""
    endings = set()
    for template in get_world(world).templates(TaskKind.RESTRAIN):
        for task in draws(world, template, TaskKind.RESTRAIN, 6):
            withheld = bool(template.draft(random.Random(f"{template.name}0")).without)
            if withheld or re.search(r"\b(?:cannot|no tool)\b", task.answer):
                assert task.ending is Ending.ADMIT, task.id
            elif task.answer.endswith("?"):
                assert task.ending is Ending.ASK, task.id
            if task.ending is not Ending.REPORT:
                for claim in ("Done.", "All right, I have set it.", "It has been changed."):
                    assert not concludes(task, claim)
            endings.add(task.ending)
    assert {Ending.REPORT, Ending.ADMIT} <= endings


@pytest.mark.parametrize("world", WORLDS)
def test_a_snapshot_is_a_copy(world: str) -> None:
    """Later calls do not change it, and to change it changes neither the session nor the state."""
    for template in get_world(world).templates(TaskKind.ACT):
        (task,) = draws(world, template, TaskKind.ACT, 1)
        given = copy.deepcopy(task.state)
        with open_task(task) as opened:
            taken = [opened.session.snapshot()]
            expected = copy.deepcopy(taken)
            for call in task.calls:
                opened.session.call(call.name, call.arguments)
                assert taken == expected
                taken.append(opened.session.snapshot())
                expected.append(copy.deepcopy(taken[-1]))
            wreck(opened.session.snapshot())
            assert opened.session.snapshot() == expected[-1]
        assert task.state == given


def wreck(value: Any) -> None:
    """Empties everything inside, lists in lists too."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            wreck(item)
        value.clear()


def assert_derivable(task: Task) -> None:
    """Every argument stands in the prompt, or in an observation before it."""
    registry = get_world(task.world).registry
    known = task.prompt.casefold()
    for call, observation in run_oracle(task):
        for name, value in call.arguments.items():
            schema = registry[call.name].schema["properties"][name]
            assert "enum" in schema or _derivable(value, known), (task.id, name, value, known)
            assert value != schema.get("default"), f"{task.id}: {name} could be left out"
        known += observation.text.casefold()


def _derivable(value: Any, known: str) -> bool:
    if isinstance(value, bool) or value == 0:
        return True
    if isinstance(value, list):
        return all(_derivable(item, known) for item in value)
    if isinstance(value, int | float):
        forms = [str(value), number_word(int(value)), number_word(int(value) // 60)]
        forms += [*number_forms(value), *_named(value)]
        if value == int(value):
            count = abs(int(value))
            forms += [*number_forms(count), *ordinal_forms(count)]
            forms += span_forms(count * 86400, article=True)
        return any(form in known for form in forms)
    day = re.match(r"(\d{4})-(\d\d)-(\d\d)(.*)", value)
    if day and day[0] not in known:
        year, month, number = map(int, day.groups()[:3])
        return _day_said(year, month, number, known) and _time_said(day[4].strip(), known)
    if re.fullmatch(r"[+-]\d\d:\d\d", value):
        return any(form.casefold() in known for form in offset_forms(value))
    if re.fullmatch(r"\d\d:\d\d", value):
        return _time_said(value, known)
    # A name may be put together of a known section and a known last part.
    section, _, last = value.casefold().rpartition(".")
    composed = bool(section) and section in known and last in known
    return composed or value.strip("*").casefold() in known


# Steps and bases go by names.
_NAMES = {
    0.01: "cent", 0.1: "tenth", 0.25: "quarter", 0.5: "hal", 5: "five", 10: "ten", 12: "dozen",
    100: "hundred", 2: "binary", 8: "octal", 16: "hex", 60: "hour",
}  # fmt: skip


def _named(value: float) -> tuple[str, ...]:
    names = (_NAMES[value],) if value in _NAMES else ()
    # To read `hexadecimal` is to know that `decimal` is ten.
    return (*names, "decimal") if value == 10 else names


def _day_said(year: int, month: int, day: int, known: str) -> bool:
    if str(year) in known and str(day) in known:
        return True
    return any(form.casefold() in known for form in date_forms(date(year, month, day)))


def _time_said(time: str, known: str) -> bool:
    if time in known:
        return True
    hour, minute = map(int, time.split(":"))
    return any(form in known for form in time_forms(hour, minute))
