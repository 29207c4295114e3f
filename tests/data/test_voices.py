"""The same request in other voices: values survive, nothing else changes, every voice occurs."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
import spoken_forms as read

from tooldrill.data.tasks.solve import says
from tooldrill.data.tasks.task import Split
from tooldrill.data.voices.frames import frames_of
from tooldrill.data.voices.pastes import LONGEST, SHORTEST
from tooldrill.data.voices.revoice import DEFAULT, Voicing, revoice
from tooldrill.data.worlds.book import Draft
from tooldrill.data.worlds.catalog import WORLDS, get_world

ALWAYS = Voicing(values=1.0, register=1.0, asides=1.0, pastes=1.0, typos=1.0)
NEVER = Voicing(0.0, 0.0, 0.0, 0.0, 0.0)
ONLY_VALUES = replace(NEVER, values=1.0)


def some_drafts(count: int) -> list[Draft]:
    templates = [t for world in WORLDS for t in get_world(world).book.templates]
    return [
        templates[number % len(templates)].draft(random.Random(f"voices:{number}"))
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def drafts() -> list[Draft]:
    return some_drafts(2000)


@pytest.fixture(scope="module")
def voiced(drafts: list[Draft]) -> list[Draft]:
    return [revoice(draft, random.Random(number)) for number, draft in enumerate(drafts)]


@pytest.fixture(scope="module")
def loud(drafts: list[Draft]) -> list[Draft]:
    return [revoice(draft, random.Random(number), ALWAYS) for number, draft in enumerate(drafts)]


def act(prompt: str, said: dict[str, str], **arguments: object) -> Draft:
    return Draft(prompt, {}, [("do_it", dict(arguments))], "Done.", said=tuple(said.items()))


def test_the_same_seed_gives_the_same_prompt(drafts: list[Draft], voiced: list[Draft]) -> None:
    for number, draft in enumerate(drafts[:300]):
        assert revoice(draft, random.Random(number)) == voiced[number]
    code = (
        "import random\nfrom test_voices import some_drafts, revoice\n"
        "print('|'.join(revoice(d, random.Random(n)).prompt"
        " for n, d in enumerate(some_drafts(120))))"
    )
    folder = os.fspath(os.path.dirname(__file__))  # noqa: PTH120
    paths = os.pathsep.join((folder, os.path.dirname(folder)))  # noqa: PTH120
    environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "|".join(draft.prompt for draft in voiced[:120]) + "\n"


def test_only_the_prompt_changes(drafts: list[Draft], voiced: list[Draft]) -> None:
    for draft, other in zip(drafts, voiced, strict=True):
        same = replace(other, prompt=draft.prompt, said=draft.said, voices=draft.voices)
        assert same == draft
        if not other.voices:
            assert other.prompt == draft.prompt


def test_without_shares_nothing_changes(drafts: list[Draft]) -> None:
    for draft in drafts[:500]:
        assert revoice(draft, random.Random(1), NEVER).prompt == draft.prompt


def test_said_values_survive(drafts: list[Draft], loud: list[Draft]) -> None:
    """Verbatim, or in a form that means the same; the prompt holds what `said` tells."""
    reworded = Counter()
    for draft, other in zip(drafts, loud, strict=True):
        for (name, old), (same, new) in zip(draft.said, other.said, strict=True):
            assert name == same
            assert new in other.prompt
            if new != old:
                reworded[means_the_same(old, new)] += 1
    assert set(reworded) == {"integer", "decimal", "date", "time", "span"}
    assert sum(reworded.values()) > 200


def means_the_same(old: str, new: str) -> str:
    """Which kind of value the two are, once both have been read."""
    if re.fullmatch(r"-?\d+", old):
        # `30` of `30 minutes` may have become `half an hour`, which takes in the unit.
        spans = [
            read_or_none(read.span, f"{old} {unit}") for unit in ("minute", "hour", "day", "week")
        ]
        if read_or_none(read.integer, new) == int(old):
            return "integer"
        assert read.span(new) in spans, (old, new)
        return "span"
    if re.fullmatch(r"-?\d+\.\d+", old):
        assert read.decimal(new) == pytest.approx(float(old))
        return "decimal"
    if re.fullmatch(r"\d\d?:\d\d", old):
        assert read.clock(new) == read.clock(old)
        return "time"
    if re.search(r"(minute|min|hour|day|week)s?$", old):
        assert read.span(new) == read.span(old)
        return "span"
    assert read.day(new) == read.day(old), (old, new)
    return "date"


def read_or_none(reader, text: str):
    try:
        return reader(text)
    except (AttributeError, KeyError, ValueError):
        return None


def test_copied_strings_are_never_touched(drafts: list[Draft], loud: list[Draft]) -> None:
    """Text that a tool takes and the prompt holds is held afterwards, to the letter."""
    kept = 0
    for draft, other in zip(drafts, loud, strict=True):
        for _, arguments in draft.oracle:
            for value in arguments.values():
                if not isinstance(value, str) or re.fullmatch(
                    r"\d{4}-\d\d-\d\d.{0,9}|\d\d:\d\d", value
                ):
                    continue
                if len(value) > 1 and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", draft.prompt):
                    assert value in other.prompt
                    kept += 1
        for quoted in re.findall(r"(?<!\w)\"[^\"\n]+\"(?!\w)", draft.prompt):
            assert quoted in other.prompt
    assert kept > 1000


def test_no_voice_gives_the_answer_away(drafts: list[Draft], loud: list[Draft]) -> None:
    for draft, other in zip(drafts, loud, strict=True):
        if draft.answer_contains and not says(draft.prompt, draft.answer_contains):
            assert not says(other.prompt, draft.answer_contains)


def test_every_voice_occurs_and_many_stay_plain(voiced: list[Draft]) -> None:
    counts = Counter(voice for draft in voiced for voice in (draft.voices or ("plain",)))
    registers = ("terse", "polite", "indirect", "hurried", "formal", "spoken", "chatty")
    pastes = ("mail", "chat", "notes", "log", "todo", "forward")
    for voice in (
        *(f"register:{name}" for name in registers),
        *(f"paste:{name}" for name in pastes),
        *(f"value:{kind}" for kind in ("integer", "date", "time", "span", "decimal", "code")),
        "aside",
        "typos",
    ):
        assert counts[voice] >= 5, (voice, counts)
    assert counts["plain"] > len(voiced) * 0.1
    assert len({draft.prompt for draft in voiced}) > len(voiced) * 0.97


def test_long_messages_have_the_length_and_hold_the_request(drafts: list[Draft]) -> None:
    long = replace(NEVER, pastes=1.0)
    inside = above = below = 0
    for number, draft in enumerate(drafts[:1500]):
        other = revoice(draft, random.Random(number), long)
        if not other.voices:
            continue
        assert other.prompt.count(draft.prompt) == 1
        assert SHORTEST <= len(other.prompt) <= LONGEST + 100
        at = other.prompt.index(draft.prompt)
        end = at + len(draft.prompt)
        above += at < 60
        below += end == len(other.prompt)
        inside += at >= 60 and end != len(other.prompt)
    assert min(inside, above, below) > 20


def test_small_talk_is_not_framed_as_a_wish() -> None:
    draft = Draft("Thanks, all is well.", {}, [], "Fine.")
    for seed in range(200):
        other = revoice(draft, random.Random(seed), replace(NEVER, register=1.0, pastes=0.5))
        assert set(other.voices) <= {"register:terse", *(v for v in other.voices if "paste" in v)}
        for lead in frames_of(Split.TRAIN)[0].leads:
            assert f"{lead}thanks" not in other.prompt.casefold()


def test_no_remark_supplies_a_number_that_is_missing() -> None:
    draft = Draft("The bill is 33.82. What does each of us pay?", {}, [], "How many are you?")
    for seed in range(300):
        other = revoice(draft, random.Random(seed), replace(NEVER, asides=1.0))
        assert re.findall(r"\d+", other.prompt) == ["33", "82"], other.prompt
        assert draft.prompt in other.prompt


@pytest.mark.parametrize(
    ("draft", "forms"),
    [
        (act("Send 12 pieces.", {"n": "12"}, count=12), {"twelve", "a dozen"}),
        (act("Send up to 1200 of it.", {"n": "1200"}, count=1200), {"1.2k", "1,200"}),
        (act("Show line 3.", {"n": "3"}, line=3), {"the third line"}),
        (act("Close ticket 512.", {"n": "512"}, ticket_id=512), {"#512", "no. 512"}),
        (act("Drop sensor 33731.", {"n": "33731"}, SensorNumber=33731), {"#33731"}),
        (
            act("Warn me 30 minutes ahead.", {"n": "30"}, minutes_before=30),
            {"half an hour", "30 min"},
        ),
        (act("It lasts 90 minutes.", {"s": "90 minutes"}, minutes=90), {"1.5 hours", "1h30"}),
        (act("Go on 2026-06-25.", {"d": "2026-06-25"}, day="2026-06-25"), {"25 June 2026"}),
        (
            act("Go on 2026-06-25 at 14:30.", {"d": "2026-06-25", "t": "14:30"},
                start="2026-06-25 14:30"),
            {"half past two in the afternoon", "25.6.2026"},
        ),
        (act("Set it to 0.25.", {"x": "0.25"}, threshold=0.25), {"25%", "25 percent"}),
        (act("Sell it at 24.5 now.", {"x": "24.5"}, price=24.5), {"24.50", "24 and a half"}),
    ],
)  # fmt: skip
def test_forms_that_values_take(draft: Draft, forms: set[str]) -> None:
    prompts = [revoice(draft, random.Random(seed), ONLY_VALUES).prompt for seed in range(300)]
    for form in forms:
        assert any(form in prompt for prompt in prompts), (form, set(prompts))


@pytest.mark.parametrize(
    "draft",
    [
        act("Write 12 into it.", {"text": "12"}, content="12"),
        act("Write '12' into it.", {"n": "12"}, count=12),
        act("Note 2026-06-25 there.", {"d": "2026-06-25"}, content="2026-06-25"),
        act("Note 2026-06-25 there.", {"d": "2026-06-25"}, day="2026-06-25", text="on 2026-06-25"),
        act("Open port 8080 there.", {"n": "8080"}, port=8080),
        act("Use 12 here.", {"n": "12"}, count=13),
        act("Use 12% here.", {"n": "12"}, count=12),
        act("Take calibration no. 12 away.", {"n": "12"}, calibrationNumber=12),
        act("Sell it at USD 12 now.", {"n": "12"}, price=12),
        act("Use $12 here.", {"n": "12"}, count=12),
        act("Take 12x of it.", {"n": "12x"}, count=12),
        act("Move 12 and 12.", {"a": "12", "b": "12"}, count=12),
        act("At 14:30 sharp.", {"t": "14:30"}, title="14:30"),
        act("Call it 3.5 now.", {"v": "3.5"}, name="3.5"),
    ],
)
def test_values_that_stay_verbatim(draft: Draft) -> None:
    for seed in range(100):
        assert revoice(draft, random.Random(seed), ONLY_VALUES).prompt == draft.prompt


def test_numbers_not_said_by_a_template_may_be_worded_too() -> None:
    draft = Draft("Show me the newest 4 mails.", {}, [("list_mails", {"limit": 4})], "Done.")
    prompts = {revoice(draft, random.Random(seed), ONLY_VALUES).prompt for seed in range(50)}
    assert "Show me the newest four mails." in prompts


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Make a note that says: call Ann", "call Ann"),
        ("mail for Bo / call Ann", "call Ann"),
        ("Would these lines do? Do not import them.\nsize = 5\nowner = ann@lee.org",
         "size = 5\nowner = ann@lee.org"),
    ],
)  # fmt: skip
def test_nothing_follows_a_bare_value_on_its_line(prompt: str, text: str) -> None:
    draft = act(prompt, {"line": text}, content=text)
    for seed in range(400):
        voiced = revoice(draft, random.Random(seed), replace(ALWAYS, values=0.0)).prompt
        assert re.search(rf"{re.escape(text)}(\n|$)", voiced), voiced


def test_it_is_cheap(drafts: list[Draft]) -> None:
    """A millisecond is the aim; the bound leaves room for a busy machine."""
    begun = time.process_time()
    for number, draft in enumerate(drafts[:1000]):
        revoice(draft, random.Random(number), DEFAULT)
    assert (time.process_time() - begun) / 1000 < 0.003


def test_scaled_shares_stay_shares() -> None:
    assert DEFAULT.scaled(0.0) == NEVER
    assert DEFAULT.scaled(100.0) == ALWAYS
    assert DEFAULT.scaled(0.5).register == DEFAULT.register / 2
