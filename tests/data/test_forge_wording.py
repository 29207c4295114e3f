"""Prompts, answers and observations of forged worlds: what they say, and in which words."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from forged_tasks import SPLITS, WORLDS, tasks_of

from tooldrill.agent.introspect import EMPTY
from tooldrill.data.forge.speech import is_or_are
from tooldrill.data.forge.world import forge_world
from tooldrill.data.tasks.solve import concludes, run_oracle
from tooldrill.data.tasks.task import Ending, Split, TaskKind
from tooldrill.data.worlds.catalog import get_world


def test_texts_of_calls_stand_in_the_prompt_or_an_observation() -> None:
    """Every string is to be copied: it was seen before, unless it is an option, date or time."""
    for task in tasks_of(Split.TRAIN):
        known = task.prompt
        for call, observation in run_oracle(task):
            properties = get_world(task.world).registry[call.name].schema["properties"]
            for name, value in call.arguments.items():
                for text in texts(value):
                    assert "enum" in json.dumps(properties[name]) or is_moment(text) or (
                        text in known.casefold() + known
                        or text.replace("_", " ") in known
                    ), (task.id, name, text, known)  # fmt: skip
                assert value != properties[name].get("default", EMPTY), task.id
            known += f"\n{observation.text}"


def texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in texts(item)]
        case dict():
            return [text for item in value.values() for text in texts(item)]
    return []


def is_moment(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text))


def test_parameters_are_mostly_not_called_by_name() -> None:
    named = total = 0
    for task in tasks_of(Split.TRAIN):
        for call in task.calls[:1]:
            registry = get_world(task.world).registry
            for name in call.arguments:
                if "_id" not in name and not registry[call.name].schema["properties"][name].get(
                    "enum"
                ):
                    total += 1
                    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).casefold()
                    named += bool(re.search(rf"\b{re.escape(words)}\b", task.prompt.casefold()))
    assert total > 500
    assert named / total < 1 / 3


@pytest.mark.parametrize("split", SPLITS)
def test_restraint_says_what_its_conclusion_must_be(split: Split) -> None:
    """A claim of success is no answer to a wish that no tool meets, nor to a missing value."""
    wanted = {
        "beyond_the_tools": Ending.ADMIT, "foreign_things": Ending.ADMIT,
        "tool_missing": Ending.ADMIT, "value_missing": Ending.ASK, "which_one": Ending.ASK,
        "nothing_yet": Ending.REPORT, "quoted": Ending.REPORT,
    }  # fmt: skip
    seen = set()
    for task in tasks_of(split):
        if task.kind is TaskKind.RESTRAIN:
            name = task.template.split(".")[1]
            seen.add(name)
            # What cannot be drawn in a small world falls back to talk.
            assert task.ending in (wanted[name], Ending.REPORT), task.id
            assert concludes(task, task.answer)
            if task.ending is not Ending.REPORT:
                assert not concludes(task, "Done: it is taken care of.")
    assert seen == set(wanted)


def test_admissions_are_not_always_worded_the_same() -> None:
    for name in ("beyond_the_tools", "foreign_things", "tool_missing"):
        answers = [t.answer for t in tasks_of(Split.TRAIN) if t.template.endswith(f".{name}")]
        openings = Counter(" ".join(answer.split()[:3]) for answer in answers)
        assert openings.most_common(1)[0][1] < 0.6 * len(answers)


def test_answers_and_questions_agree_in_number() -> None:
    for task in (t for split in SPLITS for t in tasks_of(split)):
        for text in (task.answer, task.prompt):
            wrong = r"\b(?:seats|pages|floors|boxes|rows|days|skills|points) (?:of \S+ )+is\b"
            assert not re.search(wrong, text), text
    assert [is_or_are(n) for n in ("seats", "price", "box count", "access")] == [
        "are", "is", "is", "is",
    ]  # fmt: skip


def test_values_stand_beside_a_name_in_plain_words() -> None:
    """`the level is beginner`, not `the level is for beginners`."""
    for task in (t for split in SPLITS for t in tasks_of(split)):
        assert not re.search(
            r"\bto (?:for|in|with|by|without) [a-z]+ (?:people|beginners)", task.prompt
        )
        assert not re.search(r"\bthe \w+ of it (?:to|should|is|are)\b", task.prompt), task.prompt


def test_several_at_once_are_spoken_of_as_several() -> None:
    spoken = 0
    for number in range(WORLDS):
        world = forge_world(number)
        bulk = [op.name for op in world.blueprint.ops if op.action == "bulk"]
        for task in (t for t in tasks_of(Split.TRAIN) if bulk and t.world == world.name):
            for call in task.calls:
                ids = [v for v in call.arguments.values() if isinstance(v, list)]
                if call.name in bulk and len(ids[0]) > 1 and str(ids[0][0]) in task.prompt:
                    before = task.prompt.split(str(ids[0][0]))[0].split()[-1]
                    plurals = {t.entity.plural.split()[-1] for t in world.blueprint.types}
                    spoken += 1
                    assert before in plurals or before in ("id", "and"), task.prompt
    assert spoken > 5


def test_records_in_json_have_keys_as_programs_write_them() -> None:
    keys = set()
    for number in range(WORLDS):
        world = forge_world(number)
        if world.blueprint.style.output != "json":
            continue
        for task in (t for t in tasks_of(Split.TRAIN) if t.world == world.name):
            for _, observation in run_oracle(task):
                if observation.text.startswith("{"):
                    keys |= set(json.loads(observation.text.split("\n")[0]))
    assert len(keys) > 50 and not any(" " in key for key in keys)
