"""OpenAI chats: parallel calls, the older functions, parts, rows of our own sets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ingest_rows import (
    ASK,
    MAIL,
    WEATHER,
    called,
    chat,
    dropped,
    openai_call,
    row_of,
    seen,
    spoken,
)


def test_openai_arguments_as_text_or_object_and_ids_out_of_order() -> None:
    value = chat(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Ulm?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                openai_call("a", "get_forecast", '{"town": "Ulm"}'),
                openai_call("b", "get_forecast", {"town": "Bonn", "days": 2}),
            ],
        },
        {"role": "tool", "tool_call_id": "b", "content": "fog"},
        {"role": "tool", "tool_call_id": "a", "content": "sun"},
        {"role": "assistant", "content": "Sun, fog."},
        {"role": "user", "content": "Thanks"},
    )
    row = row_of(value)
    assert spoken(row) == [
        ("system", "Be brief."), ("user", "Ulm?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", [("get_forecast", {"town": "Bonn", "days": 2})]), ("tool", "fog"),
        ("assistant", "Sun, fog."),
    ]  # fmt: skip
    assert all(set(m) <= {"role", "content", "name", "tool_calls"} for m in row["messages"])


def test_openai_legacy_functions() -> None:
    value = {
        "functions": [WEATHER["function"]],
        "messages": [
            ASK,
            {"role": "assistant", "content": None,
             "function_call": {"name": "get_forecast", "arguments": '{"town": "Ulm"}'}},
            {"role": "function", "name": "get_forecast", "content": "sun"},
            {"role": "assistant", "content": "Sun."},
        ],
    }  # fmt: skip
    assert spoken(row_of(value))[1:3] == [
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([ASK, called("{")], "bad_arguments"),
        ([ASK, called("[1]")], "bad_arguments"),
        ([ASK, called({"town": "U"}), {"role": "user", "content": "well?"},
          {"role": "assistant", "content": "no"}], "missing_observation"),
        ([ASK, called({"town": "U"}), seen("x", "zz"), called({"town": "U"})], "stray_observation"),
        ([ASK, called({"town": "U"}), seen("x"), seen("y")], "stray_observation"),
        ([ASK, seen("x")], "stray_observation"),
        ([ASK], "no_reply"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "not_text"),
        ([{"role": "critic", "content": ""}], "unknown_role"),
        ([ASK, {"role": "assistant", "content": "a"}, {"role": "system", "content": "s"},
          {"role": "assistant", "content": "a"}], "broken_order"),
        ([ASK, called({"town": "U", "days": 2**63})], "number_too_large"),
        ([ASK, called('{"town": "U", "days": NaN}')], "violation:wrong_type"),
        ([ASK, called({"town": "\ud800"})], "bad_text"),
        (["hello"], "bad_turn"),
    ],
)  # fmt: skip
def test_openai_what_cannot_be_used_is_named(messages: list[Any], reason: str) -> None:
    assert dropped(chat(*messages)) == reason


def test_openai_own_rows_come_back_unchanged_and_heldout_ones_do_not() -> None:
    damage = {"kind": "truncated", "name": "get_forecast", "arguments": {}, "cut": 0.5}
    wrong = {"role": "assistant", "content": "oops {", "malformed": True, "weight": 0,
             "damage": damage}  # fmt: skip
    refused = {"role": "user", "content": "ERROR: unreadable", "refuses_damage": True}
    reply = {"role": "assistant", "content": "Sun."}
    value = chat(ASK, wrong, refused, reply, kind="recover", world="tickets", template="tickets.x")
    row = row_of(value)
    assert row["messages"] == [ASK, wrong, refused, reply]
    assert (row["kind"], row["world"], row["template"]) == ("recover", "tickets", "tickets.x")
    assert row["violation"] == "malformed_call"
    assert dropped({**value, "split": "heldout"}) == "heldout_world"


def test_openai_calls_in_text_are_read_only_when_a_protocol_is_given() -> None:
    step = {"thought": "t", "action": "get_forecast", "args": {"town": "Ulm"}}
    end = {"thought": "", "conclusion": "Sun."}
    value = chat(
        ASK,
        {"role": "assistant", "content": json.dumps(step)},
        {"role": "user", "content": "sunny"},
        {"role": "assistant", "content": json.dumps(end)},
    )
    # Without, it is no conclusion either, and must not be learned as one.
    assert dropped(value) == "call_in_text"
    assert spoken(row_of(value, protocol="react_json")) == [
        ("user", "Ulm?"), ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sunny"),
        ("assistant", "Sun."),
    ]  # fmt: skip
    native = '<tool_call>{"name": "get_forecast", "arguments": {"town": "Ulm"}}</tool_call>'
    value["messages"][1]["content"] = native
    value["messages"][2]["content"] = "<tool_response>\nsunny\n</tool_response>"
    value["messages"][3]["content"] = "Sun."
    assert spoken(row_of(value, protocol="native"))[2] == ("tool", "sunny")


def test_openai_spellings_that_data_sets_have() -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "Ulm?"},
                                     {"type": "text", "text": "Please."}]},
        {"role": "assistant", "content": "<think>Hm.</think>\n",
         "tool_calls": [{"name": "get_forecast", "arguments": '{"town": "Ulm"}'}]},
        {"role": "tool", "content": "sun"},
        {"role": "assistant", "content": "Sun."},
    ]  # fmt: skip
    told = [
        ("system", "Be brief."), ("user", "Ulm?\nPlease."),
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"), ("assistant", "Sun."),
    ]  # fmt: skip
    row = row_of(chat(*messages))
    assert spoken(row) == told
    assert row["messages"][2]["content"] == ""
    text = {"messages": json.dumps(messages), "tools": json.dumps([WEATHER, MAIL])}
    assert spoken(row_of(text)) == told
    assert dropped({**text, "messages": "[{"}) == "unknown_format"


def test_openai_several_calls_at_the_end_leave_the_first() -> None:
    both = [openai_call(t, "get_forecast", {"town": t}) for t in ("Ulm", "Bonn")]
    value = chat(ASK, {"role": "assistant", "content": None, "tool_calls": both})
    assert spoken(row_of(value))[1:] == [("assistant", [("get_forecast", {"town": "Ulm"})])]
    value["messages"].append(seen("sun", "Ulm"))
    value["messages"].append({"role": "assistant", "content": "Sun."})
    assert dropped(value) == "parallel_calls"
