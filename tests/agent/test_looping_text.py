"""The rule for text that loops: what it must find, and what it must never take for a loop."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.looping_text import Loop, LoopingText, find_loop

REPEATS, CHARACTERS = 6, 600
SENTENCE = "I will read the file and then tell you what it says about the budget. "
FEW = "the file "  # seven different letters


def fires_at(text: str, repeats: int = REPEATS, characters: int = CHARACTERS) -> int | None:
    """How many characters had come when a watch that saw each one alone fired."""
    watch = LoopingText(repeats, characters)
    return next((at for at, character in enumerate(text, 1) if watch(character)), None)


def slow_rule(text: str, repeats: int, characters: int) -> bool:
    """The documented rule, length by length, with nothing clever about it."""
    for length in range(1, len(text) // repeats + 1):
        letters = {c for c in text[-length:].casefold() if c.isalpha()}
        over = max(repeats * length, characters * (4 if len(letters) < 10 else 1))
        tail = text[-over:]
        if len(text) >= over and all(tail[i] == tail[i + length] for i in range(over - length)):
            return True
    return False


def test_a_sentence_that_goes_on_and_on_is_found_where_the_rule_says() -> None:
    lead = "Let me see:"
    text = lead + SENTENCE * 40
    # Six copies of 70 characters are 420: 600 are asked for.
    assert fires_at(text) == len(lead) + CHARACTERS
    assert find_loop(text[: len(lead) + CHARACTERS], REPEATS, CHARACTERS) == Loop(
        len(lead), SENTENCE
    )
    long = "".join(f"Word {word} stands here once. " for word in "abcdefghijklmno")
    assert fires_at(long * 9) == REPEATS * len(long)


def test_few_letters_must_go_on_four_times_as_long() -> None:
    assert fires_at(FEW * 400) == 4 * CHARACTERS
    assert fires_at("\n" * 3000) == 4 * CHARACTERS
    assert fires_at("-" * 3000) == 4 * CHARACTERS


def test_the_loop_begins_where_its_first_copy_does_not_where_the_rule_was_met() -> None:
    text = "x" + "Call me: " + SENTENCE * 12
    loop = find_loop(text, REPEATS, CHARACTERS)
    assert loop is not None
    # The blank before the first copy is the one that ends every copy.
    assert loop.start == len("xCall me:")
    assert text[loop.start :].startswith(loop.span * 12)


def test_what_repeats_itself_and_then_goes_on_does_not_loop() -> None:
    text = SENTENCE * 12 + "That is all there is to say."
    assert fires_at(text) is not None
    assert find_loop(text, REPEATS, CHARACTERS) is None


BOARD = json.dumps([[0] * 16 for _ in range(16)], indent=1)
REAL_TEXTS = {
    "a table": "| name | department | city | since |\n|---|---|---|---|\n"
    + "".join(f"| Emily Cruz {i} | marketing | Lisbon | 20{i:02} |\n" for i in range(60)),
    "a table with equal rows": "| status | checked by |\n|---|---|\n" + "| ok | Ann |\n" * 40,
    "objects that differ in a number": json.dumps(
        [{"identifier": i, "name": "unknown", "quantity": 0, "location": None} for i in range(80)],
        indent=2,
    ),
    "a list of null": json.dumps([None] * 200),
    "a board of zeros": BOARD,
    "separators": "\n".join(["=" * 120, "Results of the yearly review", "-" * 120] * 3),
    "a long separator": "#" * 500,
    "code with repeated lines": "def forward(self, x):\n"
    + "    x = self.block(x)\n" * 24
    + "    return x\n",
    "cells": "<tr>" + '<td class="cell"></td>' * 64 + "</tr>\n",
    "numbered tests": "".join(
        f"def test_addition_{i}():\n    assert add({i}, 1) == {i + 1}\n\n\n" for i in range(50)
    ),
    "five verses with a refrain": "".join(
        f"Verse {i} is about another thing than verse {i - 1}.\n" + SENTENCE * 2 for i in range(20)
    ),
    "padding": "A" * 900 + "==",
    "a step log": "".join(
        f"Step {i}: read the next page of the document and note what is new.\n" for i in range(60)
    ),
}


@pytest.mark.parametrize("name", REAL_TEXTS)
def test_no_false_alarm_at_any_character(name: str) -> None:
    assert fires_at(REAL_TEXTS[name]) is None


SMALL = st.text(alphabet="ab\n", max_size=60)


@settings(deadline=None, max_examples=300)
@given(SMALL, st.text(alphabet="abc \n", min_size=1, max_size=9), st.integers(1, 30), SMALL)
def test_the_quick_search_finds_what_the_slow_rule_finds(
    lead: str, span: str, copies: int, tail: str
) -> None:
    inner = (span + lead) * copies
    for text in (lead + span * copies, lead + span * copies + tail, inner + span, inner * 4):
        assert (find_loop(text, 3, 8) is not None) == slow_rule(text, 3, 8)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80), st.text(min_size=1, max_size=90), st.integers(0, 89))
def test_every_periodic_text_is_found_in_time(lead: str, span: str, cut: int) -> None:
    letters = {c for c in span.casefold() if c.isalpha()}
    over = max(4 * len(span), 80 * (4 if len(letters) < 10 else 1))
    text = lead + (span * (over // len(span) + 2))[: over + cut % len(span)]
    at = fires_at(text, 4, 80)
    assert at is not None and at <= len(lead) + over
    # As long as it goes on, it is found wherever one looks.
    loop = find_loop(text, 4, 80)
    assert loop is not None and len(loop.span) <= len(span)
    assert loop.start <= len(lead)
    assert text[loop.start :].startswith(loop.span * 4)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=40), max_size=80), st.integers(2, 5))
def test_too_few_copies_never_fire(lines: list[str], copies: int) -> None:
    # Every block has a number of its own, and so no span stands there more than `copies` times.
    text = "".join(f"<{number}>" + f"{line};" * copies for number, line in enumerate(lines))
    assert (find_loop(text, REPEATS, 60) is not None) == slow_rule(text, REPEATS, 60)
    assert find_loop("".join(f"<{n}>{line}" for n, line in enumerate(lines)), 6, 60) is None


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 2000), st.text(max_size=300))
def test_pieces_of_any_size_come_to_the_same(size: int, lead: str) -> None:
    text = lead + SENTENCE * 40
    watch = LoopingText(REPEATS, CHARACTERS)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert any(watch(piece) for piece in pieces)
