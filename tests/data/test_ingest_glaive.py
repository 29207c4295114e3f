"""Glaive rows: a whole dialogue in one text."""

from __future__ import annotations

import json

import pytest
from ingest_rows import (
    dropped,
    glaive,
    row_of,
    spoken,
    tool,
)


def test_glaive_a_dialogue() -> None:
    chat = (
        "USER: Write to Eva: it's late\n\n\nASSISTANT: <functioncall> "
        """{"name": "send_letter", "arguments": '{"to": "Eva", "body": "it\\'s late"}'} """
        '<|endoftext|>\n\n\nFUNCTION RESPONSE: {"status": "sent"}\n\n\n'
        "ASSISTANT: It is on its way. <|endoftext|>\n\n\nUSER: Thanks\n\n\n"
        "ASSISTANT: You are welcome. <|endoftext|>"
    )
    row = row_of(glaive(chat))
    assert spoken(row) == [
        ("user", "Write to Eva: it's late"),
        ("assistant", [("send_letter", {"to": "Eva", "body": "it's late"})]),
        ("tool", '{"status": "sent"}'),
        ("assistant", "It is on its way."),
        ("user", "Thanks"),
        ("assistant", "You are welcome."),
    ]
    assert row["source"] == "glaive"


def test_glaive_other_spellings_and_faults() -> None:
    head = "USER: Ulm?\n\nASSISTANT: <functioncall> "
    plain = row_of(glaive(head + '{"name": "get_forecast", "arguments": {"town": "Ulm"}}'))
    text = row_of(glaive(head + """{"name": "get_forecast", "arguments": '{"town": "Ulm"}'}"""))
    assert plain["messages"] == text["messages"]
    empty = """{"name": "get_forecast", "arguments": '{}'}"""
    assert dropped(glaive(head + empty)) == "violation:missing_argument"
    assert dropped(glaive(head + "{oops")) == "bad_call_syntax"
    assert dropped(glaive(head + "{}", tools="")) == "no_tools"
    assert dropped(glaive("ASSISTANT: hello")) == "no_prompt"
    double = "USER: a\n\nASSISTANT: b\n\nASSISTANT: c"
    assert dropped(glaive(double)) == "broken_order"


HEAD = "USER: Ulm?\n\n\nASSISTANT: <functioncall> "


def test_glaive_values_that_are_json_and_not_python() -> None:
    chat = HEAD + """{"name": "send_letter", "arguments": '{"to": "Eva",\n "body": "a\nb"}'}"""
    assert spoken(row_of(glaive(chat)))[1] == (
        "assistant", [("send_letter", {"to": "Eva", "body": "a\nb"})],
    )  # fmt: skip
    tools = json.dumps(tool("f", on="boolean", off=("null", None))["function"])
    chat = HEAD + """{"name": "f", "arguments": '{"on": true, "off": null}'} <|endoftext|>"""
    assert spoken(row_of(glaive(chat, tools)))[1][1] == [("f", {"on": True, "off": None})]


def test_glaive_turns_without_line_breaks_and_with_a_short_name() -> None:
    call = """<functioncall> {"name": "get_forecast", "arguments": '{"town": "Ulm"}'}"""
    told = [
        ("user", "Ulm?"), ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", "Sun."),
    ]  # fmt: skip
    joined = (f"USER: Ulm?\n\nASSISTANT: {call} <|endoftext|> FUNCTION RESPONSE: sun\n"
              "ASSISTANT: Sun. <|endoftext|>")  # fmt: skip
    assert spoken(row_of(glaive(joined))) == told
    short = f"USER: Ulm?\n\n\nA: {call} <|endoftext|>\n\n\nFUNCTION RESPONSE: sun\n\n\nA: Sun."
    assert spoken(row_of(glaive(short))) == told
    # An answer may well hold a line that begins so.
    quiz = "USER: A quiz!\n\n\nASSISTANT: Q: Two and two?\nA: Four.\n\n\nUSER: Thanks"
    assert spoken(row_of(glaive(quiz)))[1] == ("assistant", "Q: Two and two?\nA: Four.")


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        ("USER: Use <functioncall> {}\n\n\nASSISTANT: No.", "bad_turn"),
        (HEAD + """{"name": "get_forecast", "arguments": '{"town": "Ulm"}'} Wait.""",
         "bad_call_syntax"),
        (HEAD + """{"name": "get_forecast", "arguments": '{"town": }'}""", "bad_arguments"),
        (HEAD + """{"name": "get_forecast", "arguments": '["Ulm"]'}""", "bad_arguments"),
        ('USER: Ulm?\n\n\nASSISTANT: {"name": "get_forecast", "arguments": {"town": "Ulm"}}',
         "call_in_text"),
        ("USER: Ulm?\n\n\nASSISTANT:  <|endoftext|>", "empty_reply"),
    ],
)  # fmt: skip
def test_glaive_what_cannot_be_used_is_named(chat: str, reason: str) -> None:
    assert dropped(glaive(chat)) == reason


def test_glaive_rows_without_functions_are_plain_chat() -> None:
    system = "SYSTEM: You are a helpful assistant, with no access to external functions.\n"
    assert dropped({"system": system, "chat": "USER: a\n\n\nASSISTANT: b"}) == "no_tools"
