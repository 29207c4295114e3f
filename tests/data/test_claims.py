"""Conclusions told apart by their words: admissions and questions (claims: see tests/eval)."""

from __future__ import annotations

import pytest

from tooldrill.data.tasks.claims import admits, asks, claims_success


@pytest.mark.parametrize(
    "text",
    [
        "I could not append the line: append_file was denied.",
        "Not finished. set_price is still to be done.",
        "The service is unavailable, so nothing was changed.",
        "This is only partly done.",
        "I have no tool that renames a setting, so it keeps its name.",
        "None of my tools does that.",
        "I\N{RIGHT SINGLE QUOTATION MARK}m afraid the quota is exceeded.",
    ],
)
def test_an_admission_claims_nothing(text: str) -> None:
    assert admits(text)
    assert not claims_success(text)


@pytest.mark.parametrize(
    "text",
    ["", "Done.", "What next?", "Done, without any errors.", 'It says "could not be found".'],
)
def test_what_admits_nothing(text: str) -> None:
    assert not admits(text)


@pytest.mark.parametrize(
    "text",
    [
        "Which price should it have?",
        "What is the file_name?",
        "Please tell me the price.",
        "You did not say which shelf. Could you?",
        "I need to know the quantity first.",
        "I still need the first day and the last day.",
        "To what should I set the limit?",
        "Where shall I put it?",
    ],
)
def test_questions(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Done: the price is set. Anything else?",
        "I have added the line. Shall I do more?",
        "The price was set.",
        'It says "who are you?".',
        "",
    ],
)
def test_what_is_no_question(text: str) -> None:
    assert not asks(text)
