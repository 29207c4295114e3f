"""The `library` world: searching and reading exactly, refusals, and texts that never act."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from world_calls import assert_answers_all, calls_of

from tooldrill.agent.call import Call
from tooldrill.data.worlds.catalog import get_world
from tooldrill.data.worlds.corpus.session import LibrarySession

WORLD = get_world("library")


def row(code: str, title: str, author: str, date: str, *sentences: str) -> dict[str, Any]:
    return {
        "id": code,
        "title": title,
        "author": author,
        "date": date,
        "tags": ["law"],
        "sections": [{"heading": "Results", "sentences": list(sentences)}],
        "references": [],
    }


STATE: dict[str, Any] = {
    "documents": [
        row(
            "A1", "On salt pans", "Jo Day", "1999-02-03", "Salt is dry.", "Old salt pans lie idle."
        ),
        {**row("B2", "Salt and wit", "Al Ray", "2011-05-06", "Quote me."), "references": ["A1"]},
        *(row(f"C{n}", f"Pans {n}", "Bo Lee", "2001-01-01", "Salt again.") for n in range(3, 7)),
    ],
    "lists": {"tea": ["B2", "A1"], "void": []},
}
LINE_A1 = "A1 | On salt pans | Jo Day | 1999-02-03"
LINE_B2 = "B2 | Salt and wit | Al Ray | 2011-05-06"


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        (
            "search_documents",
            {"words": "SALT  pans"},
            f"{LINE_A1}\npage 1 of 1, 1 found",
        ),
        ("search_documents", {"words": "pans salt"}, "nothing found"),
        (
            "search_documents",
            {"words": "salt", "author": "ray"},
            f"{LINE_B2}\npage 1 of 1, 1 found",
        ),
        (
            "search_documents",
            {"words": "salt", "since_year": 2011},
            f"{LINE_B2}\npage 1 of 1, 1 found",
        ),
        (
            "search_documents",
            {"words": "salt", "page": 2},
            "C5 | Pans 5 | Bo Lee | 2001-01-01\nC6 | Pans 6 | Bo Lee | 2001-01-01\n"
            "page 2 of 2, 6 found",
        ),
        ("search_documents", {"words": "salt", "tag": "energy"}, "nothing found"),
        (
            "document_record",
            {"document_id": "B2"},
            "Salt and wit, by Al Ray, 2011-05-06; tags: law\nsections: 1 Results\n"
            "references: [1] A1",
        ),
        (
            "open_section",
            {"document_id": "A1", "section": 1},
            "1 Results\nSalt is dry. Old salt pans lie idle.",
        ),
        (
            "find_passage",
            {"document_id": "A1", "words": "idle salt"},
            "section 1, sentence 2: Old salt pans lie idle.",
        ),
        ("follow_reference", {"document_id": "B2", "reference": 1}, LINE_A1),
        ("list_citing", {"document_id": "A1"}, LINE_B2),
        ("list_citing", {"document_id": "B2"}, "nobody cites it"),
        ("show_reading_list", {"list_name": "tea"}, f"{LINE_B2}\n{LINE_A1}"),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    session = LibrarySession(STATE)
    assert session.call(tool, arguments) == (text, False)
    assert session.snapshot() == LibrarySession(STATE).snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("search_documents", {"words": "salt", "page": 3}, "`page` 3 is beyond the last (2)"),
        ("document_record", {"document_id": "Z9"}, "no document Z9"),
        ("open_section", {"document_id": "A1", "section": 2}, "A1 has 1 sections, no number 2"),
        (
            "follow_reference",
            {"document_id": "A1", "reference": 1},
            "A1 has 0 references, no number 1",
        ),
        (
            "quote_passage",
            {"document_id": "B2", "section": 1, "sentence": 2},
            "section 1 has 1 sentences, not 2",
        ),
        ("write_note", {"document_id": "A1", "text": " "}, "`text` must not be empty"),
        ("put_on_list", {"list_name": "tea", "document_id": "A1"}, "A1 is on tea already"),
        ("put_on_list", {"list_name": "", "document_id": "A1"}, "`list_name` must not be empty"),
        ("take_off_list", {"list_name": "tea", "document_id": "C3"}, "C3 is not on tea"),
        ("show_reading_list", {"list_name": "te"}, "no list te; there is tea, void"),
        ("export_list", {"list_name": "void"}, "void is empty"),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    session = LibrarySession(STATE)
    assert session.call(tool, arguments) == (f"ERROR: {error}", True)
    assert session.snapshot() == LibrarySession(STATE).snapshot()


def after(*made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    session = LibrarySession(STATE)
    for name, arguments in made:
        assert not session.call(name, arguments).error
    return session.snapshot()


def test_a_section_is_bookmarked_once() -> None:
    session = LibrarySession(STATE)
    assert not session.call("add_bookmark", {"document_id": "A1", "label": "x"}).error
    again = session.call("add_bookmark", {"document_id": "A1"})
    assert again.text == "ERROR: section 1 of A1 has a bookmark already"


def test_snapshots_are_equal_iff_the_same_was_achieved() -> None:
    mark = ("add_bookmark", {"document_id": "A1"})
    quote = ("quote_passage", {"document_id": "A1", "section": 1, "sentence": 2})
    assert after(mark, quote) == after(quote, mark, quote)
    assert after(mark) != after()
    assert after(mark) != after(("add_bookmark", {"document_id": "A1", "label": "x"}))
    start, end = (
        ("put_on_list", {"list_name": "tea", "document_id": "C3", "position": place})
        for place in ("start", "end")
    )
    assert after(start) != after(end)
    export = ("export_list", {"list_name": "tea"})
    assert after(export, end) != after(end, export)


def test_a_session_leaves_the_state_it_was_given_alone() -> None:
    state = copy.deepcopy(STATE)
    session = LibrarySession(state)
    session.call("take_off_list", {"list_name": "tea", "document_id": "A1"})
    session.call("put_on_list", {"list_name": "new", "document_id": "A1"})
    assert state == STATE


@settings(max_examples=300, deadline=None)
@given(calls=calls_of(WORLD, ["A1", "B2", "tea", "void", "salt"]))
def test_any_valid_call_gets_an_answer(calls: list[Call]) -> None:
    assert_answers_all(WORLD, STATE, calls)


def test_some_texts_give_orders_and_some_sections_are_long() -> None:
    template = next(t for t in WORLD.book.templates if t.name == "section_fact")
    sections = [
        " ".join(section["sentences"])
        for seed in range(40)
        for document in template.draft(random.Random(seed)).state["documents"]
        for section in document["sections"]
    ]
    assert sum("NOTE TO THE ASSISTANT" in text for text in sections) >= 5
    assert max(map(len, sections)) > 900


def test_a_search_by_the_wording_finds_what_the_oracle_takes() -> None:
    """The document that the oracle goes on with is the only one that its search shows."""
    for name in ("titled_fact", "quote_the_fact", "by_author", "by_tag_and_year"):
        template = next(t for t in WORLD.book.templates if t.name == name)
        for seed in range(60):
            draft = template.draft(random.Random(seed))
            session = LibrarySession(draft.state)
            text = session.call(*draft.oracle[0]).text
            assert text.endswith("page 1 of 1, 1 found"), (name, seed, text)
            if len(draft.oracle) > 1:
                assert text.startswith(f"{draft.oracle[1][1]['document_id']} | ")
