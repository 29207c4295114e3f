"""What kind of sentence a request is, what slips do to it, and what stays sealed."""

from __future__ import annotations

import random

import pytest

from tooldrill.data.voices.sealed import seal_prompt
from tooldrill.data.voices.sentences import Kind, as_clause, read_request
from tooldrill.data.voices.typos import mistype, slip


@pytest.mark.parametrize(
    ("text", "kind", "core"),
    [
        ("Add the line to the end of it.", Kind.IMPERATIVE, "add the line to the end of it"),
        ("Please send the two, thank you", Kind.IMPERATIVE, "send the two, thank you"),
        ("Hand the case to them, please.", Kind.IMPERATIVE, "hand the case to them"),
        ("Mark the ticket as open.", Kind.IMPERATIVE, "mark the ticket as open"),
        ("Count of them at the shelf, please.", Kind.STATEMENT, None),
        ("Mail for us goes to the attic.", Kind.STATEMENT, None),
        ("Let us bake a cake.", Kind.STATEMENT, None),
        ("Number of open tickets?", Kind.STATEMENT, None),
        ("Could you put it there?", Kind.REQUEST, "put it there"),
        ("Would you please move the box?", Kind.REQUEST, "move the box"),
        ("Could you perhaps come?", Kind.QUESTION, "could you perhaps come"),
        ("What is on the list?", Kind.QUESTION, "what is on the list"),
        ("Which file is it?", Kind.QUESTION, "which file is it"),
        ("The shelf is too full.", Kind.STATEMENT, None),
        ("It broke. Fix it.", Kind.SEVERAL, None),
        ("I am here.\nWho else?", Kind.SEVERAL, None),
        ("Forget it, all is well.", Kind.STATEMENT, None),
    ],
)
def test_kinds(text: str, kind: Kind, core: str | None) -> None:
    reading = read_request(text)
    assert reading.kind is kind
    assert reading.core == (text if core is None else core)


@pytest.mark.parametrize(
    ("question", "clause"),
    [
        ("what is the price of it", "what the price of it is"),
        ("where are our keys", "where our keys are"),
        ("who works on it", "who works on it"),
        ("what is on Friday", None),
        ("how many do we have", None),
        ("what is the budget according to them", None),
        ("which file is the one that has it", None),
    ],
)
def test_clauses(question: str, clause: str | None) -> None:
    assert as_clause(question) == clause


def test_open_ends_are_seen() -> None:
    def open_end(prompt: str, *said: str) -> bool:
        return read_request(seal_prompt(prompt, said, ()).text).open_end

    assert open_end("Make a file that says: call Ann", "call Ann")
    assert open_end("Open a ticket: Login fails.", "Login fails")
    assert open_end("new file a.txt <- x y", "a.txt", "x y")
    assert not open_end("Put 'call Ann' into notes.md.", "call Ann", "notes.md")
    assert not open_end("What is in notes.md?", "notes.md")


def test_what_is_sealed() -> None:
    prompt = (
        "Ask Ann O'Neill to put 'the old line' and 3.5 kg of SK-12 into my notes/a b.md at 9:30."
    )
    sealed = seal_prompt(prompt, ["notes/a b.md"], ["the old line"])
    prose = "".join(letter for letter in sealed.text if letter < "\ue000")
    for kept in ("Ann", "old", "3.5", "SK", "a b.md", "9:30", "Neill"):
        assert kept not in prose
    assert "Ask" in prose
    assert "into my" in prose
    assert sealed.opened() == prompt
    assert sealed.values[0] == "notes/a b.md"


def test_said_values_are_found_in_order_as_whole_words() -> None:
    sealed = seal_prompt("Move 12 things: 2 here, 2 there, and room 22.", ["12", "2", "2"], ())
    assert sealed.values[:3] == ["12", "2", "2"]
    assert sealed.text.startswith("Move \ue000 things: \ue001 here, \ue002 there")
    assert seal_prompt("nothing here", ["x"], ()).values == [""]


def test_slips_change_one_word_a_little() -> None:
    rng = random.Random(1)
    for word in ("tomatoes", "delivery", "message", "possible", "kitchens"):
        for _ in range(50):
            wrong = slip(word, rng)
            assert wrong[0] == word[0]
            assert abs(len(wrong) - len(word)) <= 1
    for word in ("without", "before", "twenty", "minutes", "below"):
        assert slip(word, rng) == word


def test_typos_leave_everything_but_prose() -> None:
    text = "I don't know, really, whether \ue000 and http://office/mails or Berlin know message-id."
    for seed in range(300):
        typed = mistype(text, random.Random(seed))
        for kept in ("\ue000", "http://office/mails", "Berlin", "message-id"):
            assert kept in typed
    changed = [mistype(text, random.Random(seed)) != text for seed in range(300)]
    assert sum(changed) > 280
