"""xLAM and APIGen rows: a request, its tools and its calls, without observations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_rows import (
    Row,
    dropped,
    row_of,
    spoken,
    xlam,
)

from tooldrill.data.ingest.run import ingest
from tooldrill.data.ingest.tool_lists import read_tools
from tooldrill.data.sets.reading import read_rows


def test_xlam_a_single_call_becomes_a_row() -> None:
    call = {"name": "route.plan", "arguments": {"origin": "Ulm", "stops": ["Bonn"]}}
    row = row_of(xlam([call]))
    assert row["source"] == "xlam"
    assert spoken(row) == [
        ("user", "From Ulm via Bonn, please"),
        ("assistant", [("route.plan", {"origin": "Ulm", "stops": ["Bonn"]})]),
    ]
    schema = row["tools"][0]["function"]["parameters"]
    assert schema["required"] == ["origin"]
    assert schema["properties"]["stops"]["type"] == "array"
    assert schema["properties"]["stops"]["items"] == {"type": "string"}
    assert schema["properties"]["speed"] == {
        "type": "number", "description": "In km/h.", "default": 50.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "no_reply"),
        ([{"name": "route.plan", "arguments": {"origin": 3}}], "violation:wrong_type"),
        ([{"name": "route.plan", "arguments": {}}], "violation:missing_argument"),
        ([{"name": "fly", "arguments": {}}], "violation:unknown_tool"),
        ([{"arguments": {}}], "bad_call_syntax"),
        ([{"name": "route.plan", "arguments": "{'origin': open('x')}"}], "bad_arguments"),
    ],
)
def test_xlam_what_cannot_be_used_is_named(answers: Any, reason: str) -> None:
    assert dropped(xlam(answers)) == reason


def test_xlam_broken_texts() -> None:
    assert dropped({**xlam([]), "answers": "[{"}) == "bad_call_syntax"
    assert dropped({**xlam([]), "tools": "[{"}) == "bad_tools"
    assert dropped({**xlam([]), "tools": "[]"}) == "no_tools"
    call = {"name": "route.plan", "arguments": {"origin": "U"}}
    assert dropped({**xlam([call]), "query": " "}) == "no_prompt"


def test_xlam_of_several_calls_the_first_is_kept_and_counted(tmp_path: Path) -> None:
    calls = [{"name": "route.plan", "arguments": {"origin": town}} for town in ("Ulm", "Bonn")]
    single = {**xlam(calls[:1]), "query": "From Ulm only"}
    path = tmp_path / "x.json"
    path.write_text(json.dumps([xlam(calls), single]))
    report = ingest([str(path)], tmp_path / "out")
    assert (report.kept, report.cut) == (2, 1)
    assert "  1 of them end with the first of several calls" in list(report.lines())[1]
    first, _ = read_rows(tmp_path / "out/sft.jsonl")
    assert spoken(first)[1:] == [("assistant", [("route.plan", {"origin": "Ulm"})])]
    wrong = [{"name": "route.plan", "arguments": {}}, calls[0]]
    assert dropped(xlam(wrong)) == "violation:missing_argument"


def test_xlam_parameters_that_are_called_like_keywords() -> None:
    """As many are: a map of parameters is no schema because one of them is named `properties`."""
    names = ("type", "properties", "items", "format", "required")
    parameters = {name: {"description": f"The {name}.", "type": "str"} for name in names}
    arguments = dict.fromkeys(names, "x")
    listed = [{"name": "f", "description": "F.", "parameters": parameters}]
    row = row_of(xlam([{"name": "f", "arguments": arguments}], listed))
    assert spoken(row)[1] == ("assistant", [("f", arguments)])
    schema = row["tools"][0]["function"]["parameters"]
    assert schema["required"] == list(names)
    assert schema["properties"]["properties"] == {"type": "string",
                                                  "description": "The properties."}  # fmt: skip


@pytest.mark.parametrize(
    ("described", "schema", "required"),
    [
        ({"type": "str", "default": ""}, {"type": "string", "default": ""}, False),
        ({"type": "int, optional", "default": ""}, {"type": "integer"}, False),
        ({"type": "int", "default": ""}, {"type": "integer"}, False),
        ({"type": "int, optional", "default": 5}, {"type": "integer", "default": 5}, False),
        ({"type": "float, default 0.5"}, {"type": "number"}, False),
        ({"type": "Optional[str]"}, {"type": "string"}, False),
        ({"type": "List[List[int]]"},
         {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, True),
        ({"type": "Tuple[float, str]"}, {"type": "array"}, True),
        ({"type": "Callable[[float], float]"}, {}, True),
        ({"type": "set"}, {"type": "array"}, True),
        ({"type": "bool", "required": False}, {"type": "boolean"}, False),
    ],
)  # fmt: skip
def test_xlam_types_defaults_and_what_is_optional(
    described: Row, schema: Row, required: bool
) -> None:
    listed = [{"name": "f", "description": "F.", "parameters": {"x": described}}]
    (made,) = read_tools(json.dumps(listed)).registry
    assert made.schema["properties"]["x"] == schema
    assert made.parameters[0].required is required


def test_xlam_the_same_tool_twice_is_one_and_two_of_a_name_are_none() -> None:
    call = {"name": "f", "arguments": {}}
    one = {"name": "f", "description": "F.", "parameters": {}}
    assert len(row_of(xlam([call], [one, one]))["tools"]) == 1
    assert dropped(xlam([call], [one, {**one, "description": "G."}])) == "bad_tools"
