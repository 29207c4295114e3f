"""Hermes function calling and other ShareGPT rows."""

from __future__ import annotations

import json

import pytest
from ingest_rows import (
    MAIL,
    WEATHER,
    Row,
    dropped,
    hermes,
    row_of,
    spoken,
)

from tooldrill.data.ingest.formats import detect


def test_hermes_a_dialogue_with_an_observation() -> None:
    row = row_of(
        hermes(
            ("human", "Rain in Ulm?"),
            ("gpt", 'I look.\n<tool_call>\n{"name": "get_forecast", "arguments": {"town": "Ulm"}}\n'
             "</tool_call>"),
            ("tool", '<tool_response>\n{"rain": true}\n</tool_response>'),
            ("gpt", "Yes."),
        )
    )  # fmt: skip
    assert spoken(row) == [
        ("user", "Rain in Ulm?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]),
        ("tool", '{"rain": true}'),
        ("assistant", "Yes."),
    ]
    assert row["messages"][1]["content"] == "I look."
    assert row["messages"][2]["name"] == "get_forecast"
    assert row["kind"] == "act"
    assert [t["function"]["name"] for t in row["tools"]] == ["get_forecast", "send_letter"]


def test_hermes_python_spelling_and_tools_one_per_line() -> None:
    body = "{'arguments': {'town': 'Ulm', 'days': 2}, 'name': 'get_forecast'}"
    call = f"<tool_call>\n{body}\n</tool_call>"
    lines = json.dumps(WEATHER) + "\n" + json.dumps(MAIL)
    row = row_of(hermes(("human", "Ulm?"), ("gpt", call), tools=lines))
    assert spoken(row)[-1] == ("assistant", [("get_forecast", {"town": "Ulm", "days": 2})])
    assert len(row["tools"]) == 2


def two_calls() -> str:
    calls = [{"name": "get_forecast", "arguments": {"town": t}} for t in ("Ulm", "Bonn")]
    return "\n".join(f"<tool_call>\n{json.dumps(c)}\n</tool_call>" for c in calls)


def test_hermes_parallel_calls_are_taken_apart_when_each_has_its_observation() -> None:
    seen = "<tool_response>\nsun\n</tool_response><tool_response>\nfog\n</tool_response>"
    row = row_of(hermes(("human", "?"), ("gpt", two_calls()), ("tool", seen), ("gpt", "So.")))
    assert spoken(row) == [
        ("user", "?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", [("get_forecast", {"town": "Bonn"})]), ("tool", "fog"),
        ("assistant", "So."),
    ]  # fmt: skip
    one = ("tool", "<tool_response>sun</tool_response>")
    assert dropped(hermes(("human", "?"), ("gpt", two_calls()), one, ("gpt", "So."))) == (
        "parallel_calls"
    )
    # Where nothing follows, the first call is what a loop would make.
    assert spoken(row_of(hermes(("human", "?"), ("gpt", two_calls())))) == [
        ("user", "?"), ("assistant", [("get_forecast", {"town": "Ulm"})]),
    ]  # fmt: skip


def test_hermes_roles_of_their_own_for_calls() -> None:
    value = {
        "conversations": [
            {"from": "human", "value": "Ulm?"},
            {"from": "function_call",
             "value": '{"name": "get_forecast", "arguments": {"town": "Ulm"}}'},
            {"from": "observation", "value": '{"sun": 1}'},
            {"from": "gpt", "value": "Sun."},
        ],
        "tools": json.dumps([WEATHER["function"]]),
    }  # fmt: skip
    assert spoken(row_of(value))[1] == ("assistant", [("get_forecast", {"town": "Ulm"})])


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("<tool_call>{broken</tool_call>", "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U"}}', "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U"}}</tool_call> ok?',
         "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"city": "U"}}</tool_call>',
         "violation:invented_argument"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U", "body": "x"}}</tool_call>',
         "violation:borrowed_argument"),
        ("", "empty_reply"),
    ],
)  # fmt: skip
def test_hermes_broken_replies(reply: str, reason: str) -> None:
    assert dropped(hermes(("human", "?"), ("gpt", reply))) == reason


def test_hermes_without_tools() -> None:
    value = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    assert dropped(value) == "no_tools"
    assert dropped({"conversations": [{"from": "human"}]}) == "bad_turn"


def test_hermes_tools_and_calls_as_python_writes_them() -> None:
    """As the single-turn rows are: dictionaries in single quotes, blanks instead of lines."""
    calls = (
        "<tool_call> {'arguments': {'town': \"L'Aquila\"}, 'name': 'get_forecast'} </tool_call> "
    )
    row = row_of(hermes(("human", "Rain?"), ("gpt", calls), tools=str([WEATHER, MAIL])))
    assert spoken(row)[1] == ("assistant", [("get_forecast", {"town": "L'Aquila"})])
    assert row["tools"][0]["function"]["parameters"]["properties"]["days"]["default"] == 1


def test_hermes_line_breaks_that_were_escaped_twice() -> None:
    body = '\\n{"name": "get_forecast", "arguments": {"town": "Ulm"}}\\n'
    row = row_of(hermes(("human", "?"), ("gpt", f"<tool_call>{body}</tool_call>\\n")))
    assert spoken(row)[1] == ("assistant", [("get_forecast", {"town": "Ulm"})])
    # So is this one written, in the agentic part; its name is an argument, and the call has none.
    lost = '{"arguments": {"town": "Ulm", "name": "get_forecast"}}'
    assert dropped(hermes(("human", "?"), ("gpt", f"<tool_call>{lost}</tool_call>"))) == (
        "bad_call_syntax"
    )


def test_hermes_thinking_is_left_out() -> None:
    call = '<tool_call>{"name": "get_forecast", "arguments": {"town": "Ulm"}}</tool_call>'
    turns = [
        {"role": "human", "content": "Ulm?"},
        {"role": "model", "content": f"<think>\nI might <tool_call> it.\n</think>\n{call}"},
        {"role": "tool", "content": "<tool_response>sun</tool_response>"},
        {"role": "model", "content": "<think>Easy.</think>Sun.<|im_end|>"},
    ]
    value = {"tools": json.dumps([WEATHER]), "conversations": turns}
    row = row_of(value)
    assert [m["content"] for m in row["messages"]] == ["Ulm?", "", "sun", "Sun."]
    assert spoken(row)[1] == ("assistant", [("get_forecast", {"town": "Ulm"})])
    turns[3]["content"] = "<think>Is it"
    assert dropped(value) == "endless_thinking"


def converted(*turns: tuple[str, str], **columns: str) -> Row:
    said = [{"from": who, "value": text} for who, text in turns]
    return {"conversations": said, "tools": json.dumps([WEATHER["function"]]), **columns}


CALL = json.dumps({"name": "get_forecast", "arguments": {"town": "Ulm"}})


def test_hermes_apigen_rows_keep_the_policy_that_stands_before_them() -> None:
    policy = "# Policy\nForecasts are for towns only. Never promise sun."
    row = row_of(
        converted(("human", "Ulm?"), ("function_call", CALL), ("observation", "sun"),
                  ("gpt", "Sun."), system=policy)
    )  # fmt: skip
    assert spoken(row)[:3] == [
        ("system", policy), ("user", "Ulm?"), ("assistant", [("get_forecast", {"town": "Ulm"})]),
    ]  # fmt: skip
    # What explains a notation is not kept: it would teach to write calls that way.
    for notation in ("Put it as [func1(a=b), func2(c=d)].", '{"name": "f"}', "Use <tool_call>."):
        turns = (("human", "Ulm?"), ("function_call", CALL))
        assert spoken(row_of(converted(*turns, system=notation)))[0] == ("user", "Ulm?")


def test_hermes_converted_toolace_has_its_tools_in_the_system_text() -> None:
    """With a `system` column as ToolACE has it, and calls as JSON in turns of their own."""
    system = f"Here is a list of functions:\n{json.dumps([WEATHER['function']])}. \nCall them."
    value = converted(("human", "Ulm?"), ("function_call", CALL), system=system)
    value["tools"] = "[]"
    assert detect(value) == "hermes"
    assert spoken(row_of(value))[1] == ("assistant", [("get_forecast", {"town": "Ulm"})])
    value["system"] = ""
    assert dropped(value) == "no_tools"


def test_hermes_several_calls_and_results_as_lists() -> None:
    calls = [{"name": "get_forecast", "arguments": {"town": t}} for t in ("Ulm", "Bonn")]
    turns = (("human", "?"), ("function_call", json.dumps(calls)),
             ("observation", '["sun", {"fog": 1}]'), ("gpt", "So."))  # fmt: skip
    assert spoken(row_of(converted(*turns)))[1:] == [
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", [("get_forecast", {"town": "Bonn"})]), ("tool", '{"fog": 1}'),
        ("assistant", "So."),
    ]  # fmt: skip


def test_hermes_json_mode_has_no_tools() -> None:
    system = "You answer in JSON. <schema>{'title': 'Film', 'type': 'object'}</schema>"
    said = [("system", system), ("human", "A film?"), ("gpt", '{"title": "M"}')]
    value = {"conversations": [{"from": f, "value": v} for f, v in said]}
    assert dropped(value) == "no_tools"
