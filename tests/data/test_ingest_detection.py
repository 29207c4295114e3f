"""Telling formats by their keys, and tool lists as data sets write them."""

from __future__ import annotations

from typing import Any

import pytest
from ingest_rows import (
    ASK,
    LOG,
    WEATHER,
    Row,
    chat,
    dropped,
    glaive,
    hermes,
    imported,
    row_of,
    tool,
    toolace,
    xlam,
)

from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.formats import detect
from tooldrill.data.ingest.literals import json_or_literal
from tooldrill.data.ingest.tool_lists import json_type, read_tools


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (xlam([]), "xlam"),
        (hermes(("human", "a")), "hermes"),
        (toolace(("user", "a")), "toolace"),
        (glaive("USER: a"), "glaive"),
        (chat(ASK), "openai"),
        (LOG, "react"),
        ({"steps": LOG, "prompt": "x"}, "react"),
        ({"task": "t", "messages": [], "steps": [], "outcome": "concluded"}, "episodes"),
        ({"text": "hello"}, None),
        ([1, 2], None),
        ("text", None),
        (None, None),
    ],
)
def test_formats_are_told_by_their_keys(value: Any, name: str | None) -> None:
    assert detect(value) == name


def test_an_unknown_record_is_dropped_with_its_keys() -> None:
    with pytest.raises(DroppedError, match="unknown_format: an object with the keys text, url"):
        imported({"text": "", "url": ""})
    assert dropped(xlam([]), "hermes") == "unknown_format"


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("str, optional", {"type": "string"}),
        ("List[Dict[str, int]]", {"type": "array", "items": {"type": "object"}}),
        ("Optional[float]", {"type": "number"}),
        ("Union[int, str]", {"type": ["integer", "string"]}),
        ("Union[int, Any]", {}),
        ("Callable[[int], str]", {}),
        ("dict", {"type": "object"}),
        ("any", {}),
    ],
)
def test_names_of_types(text: str, schema: Row) -> None:
    assert json_type(text) == schema


def test_tool_lists_that_make_no_registry() -> None:
    other = {"name": WEATHER["function"]["name"], "description": "Something else."}
    twice = [WEATHER, other]
    nameless = [{"function": {"description": "x"}}]
    wrong = [tool("f", a="string") | {}]
    wrong[0]["function"]["parameters"]["properties"]["a"] = {"pattern": "("}
    for value in (twice, nameless, wrong, ["x"], 3, [{"name": "a b"}, {"name": "a_b"}]):
        with pytest.raises(DroppedError, match="bad_tools"):
            read_tools(value)


def test_json_or_literal() -> None:
    assert json_or_literal('{"a": null}') == json_or_literal("{'a': None}") == {"a": None}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"task": "t", "messages": [{"a": 1}], "steps": [], "outcome": "concluded",
          "tools": [WEATHER]}, "bad_episode"),
        ({"task": "t", "messages": [{"role": "user"}], "steps": [], "outcome": "concluded",
          "tools": [WEATHER]}, "bad_episode"),
        (chat(ASK, {"role": "assistant", "content": "", "tool_calls": 3}), "bad_call_syntax"),
        (chat(ASK, {"role": "assistant", "content": "Sun."}, tools=[
            {"name": "f", "parameters": {"properties": {"a": {}}, "required": [{"b": 1}]}}]), ""),
        (glaive("USER: a\n\nASSISTANT: <functioncall> {\"name\": \"a\nb\", \"arguments\": '{}'}"),
         "violation:unknown_tool"),
    ],
)  # fmt: skip
def test_what_is_badly_broken_costs_one_record_and_not_the_run(value: Any, reason: str) -> None:
    if reason:
        assert dropped(value) == reason
    else:
        assert row_of(value)["kind"] == "restrain"
