"""Schemas that others wrote: unions, references, combinations; and the files they lie in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls, rejected_arguments
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.json_schema import inline_references
from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.sources.catalog import load_source
from tooldrill.agent.tool import Registry, Tool

TAGGED = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": kind}, size: {"type": "number"}},
            "required": ["kind", size],
            "additionalProperties": False,
        }
        for kind, size in (("circle", "radius"), ("square", "side"))
    ]
}
NESTED = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "odd key": {"type": "integer"}},
        "required": ["name"],
        "additionalProperties": False,
    },
}


def verdicts(schema: dict[str, Any], value: Any) -> list[tuple[str, str | None, str]]:
    tool = Tool("t", "", {"type": "object", "properties": {"a": schema, "unused": {}}})
    found = check_calls([Call("t", {"a": value})], Registry([tool]))
    return [(str(v.kind), v.path, v.message) for v in found]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (TAGGED, {"kind": "circle", "radius": 1}, []),
        (
            TAGGED,
            {"kind": "circle", "radius": "1"},
            [("wrong_type", "$.a.radius", 't: "a.radius" must be a number, not "1".')],
        ),
        (
            TAGGED,
            {"kind": "square", "radius": 1},
            [
                ("invented_argument", "$.a.radius", 't: "a" has no "radius".'),
                ("missing_argument", "$.a.side", 't: "a" needs "side".'),
            ],
        ),
        (TAGGED, 3, [("wrong_type", "$.a", 't: "a" must be an object, not 3.')]),
        (
            NESTED,
            [{"name": "x", "nam": 1}, {"odd key": "3"}],
            [
                (
                    "invented_argument",
                    "$.a[0].nam",
                    't: "a[0]" has no "nam". Did you mean "name"?',
                ),
                (
                    "wrong_type",
                    "$.a[1]['odd key']",
                    't: "a[1][\'odd key\']" must be an integer, not "3".',
                ),
                ("missing_argument", "$.a[1].name", 't: "a[1]" needs "name".'),
            ],
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "3",
            [("wrong_type", "$.a", 't: "a" must be an integer or null, not "3".')],
        ),
        (
            {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
            2,
            [("invalid_value", "$.a", 't: "a" must be at least 3, not 2.')],
        ),
        ({"enum": [1, 2]}, "1", [("wrong_type", "$.a", 't: "a" must be one of 1, 2, not "1".')]),
        ({"enum": [1, 2]}, 3, [("invalid_value", "$.a", 't: "a" must be one of 1, 2, not 3.')]),
        ({"enum": ["x", None]}, None, []),
        (
            {"type": "string", "enum": ["x", "y"]},
            7,
            [("wrong_type", "$.a", 't: "a" must be one of "x", "y", not 7.')],
        ),
        ({"type": ["string", "null"]}, None, []),
        ({"type": "integer"}, 1.0, []),
        ({"type": "integer"}, 10**40, []),
        (
            {"type": "integer"},
            True,
            [("wrong_type", "$.a", 't: "a" must be an integer, not true.')],
        ),
        ({"type": "number"}, True, [("wrong_type", "$.a", 't: "a" must be a number, not true.')]),
        ({"type": "string"}, "\ud800", []),
        (
            {"type": "string", "format": "date"},
            "2026-02-30",
            [
                (
                    "invalid_value",
                    "$.a",
                    't: "a" must be a date like 2026-01-31, not "2026-02-30".',
                )
            ],
        ),
        ({"type": "string", "format": "date-time"}, "2026-01-31T09:00:00", []),
        ({"type": "string", "format": "int32"}, "anything", []),
        (
            {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
            [1, 2],
            [("invalid_value", "$.a", 't: "a" must have at most 1 items, not 2.')],
        ),
        (True, {"x": [1]}, []),
    ],
)
def test_values_are_checked_to_the_leaf(schema: Any, value: Any, expected: Any) -> None:
    assert verdicts(schema, value) == expected


def test_a_field_that_does_not_exist_inside_does_not_refuse_the_argument() -> None:
    tool = Tool("t", "", {"type": "object", "properties": {"a": NESTED}})
    found = check_calls([Call("t", {"a": [{"name": "x", "b": 1}]})], Registry([tool]))
    assert [v.argument for v in found] == ["a"]
    assert rejected_arguments(found) == ()


COMBINED = {
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "allOf": [{"properties": {"note": {"type": "string"}}, "required": ["note"]}],
    "anyOf": [
        {"required": ["id"]},
        {"properties": {"name": {"type": "string"}}, "required": ["name"]},
    ],
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"id": 1, "note": "x"}, []),
        ({"name": "n", "note": "x"}, []),
        ({"id": 1}, [("missing_argument", "note")]),
        ({"id": 1, "note": 3}, [("wrong_type", "note")]),
        ({"id": 1, "note": "x", "zzz": 1}, [("invented_argument", "zzz")]),
        ({"note": "x"}, [("missing_argument", "id")]),
    ],
)
def test_combined_schemas(arguments: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    tool = Tool("t", "", COMBINED)
    assert [p.name for p in tool.parameters] == ["id", "note", "name"]
    assert [p.name for p in tool.parameters if p.required] == ["note"]
    found = check_calls([Call("t", arguments)], Registry([tool]))
    assert [(str(v.kind), v.argument) for v in found] == expected


def test_what_is_required_but_not_described_is_a_parameter() -> None:
    tool = Tool("t", "", {"type": "object", "required": ["x"]})
    assert check_calls([Call("t", {"x": [1]})], Registry([tool])) == []
    (missing,) = check_calls([Call("t", {})], Registry([tool]))
    assert (missing.kind, missing.argument) == ("missing_argument", "x")


def test_a_tool_that_says_so_takes_other_arguments() -> None:
    tool = Tool("t", "", {"type": "object", "additionalProperties": {"type": "integer"}})
    assert check_calls([Call("t", {"x": 1})], Registry([tool])) == []
    (wrong,) = check_calls([Call("t", {"x": "1"})], Registry([tool]))
    assert (wrong.kind, wrong.path) == ("wrong_type", "$.x")


RECURSIVE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "label": {"$ref": "#/$defs/Label"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["label"],
        },
        "Label": {"type": "string", "maxLength": 2},
    },
    "type": "object",
    "properties": {
        "root": {"$ref": "#/$defs/Node"},
        "tag": {"$ref": "#/$defs/Label", "description": "short"},
    },
}


def test_references_are_resolved_and_recursion_is_kept() -> None:
    tool = Tool.from_openai({"name": "t", "parameters": RECURSIVE})
    assert tool.schema["properties"]["tag"] == {
        "type": "string",
        "maxLength": 2,
        "description": "short",
    }
    deep = {"label": "a", "children": [{"label": "b", "children": [{"label": "long"}]}]}
    (found,) = check_calls([Call("t", {"root": deep})], Registry([tool]))
    assert (found.kind, found.path) == ("invalid_value", "$.root.children[0].children[0].label")
    assert signature(tool, SignatureLevel.TYPED) == (
        "t(root?: {label: string, children?: array[object]}, tag?: string)"
    )
    again = Tool.from_openai(json.loads(json.dumps(tool.to_openai())))
    assert again == tool


def test_sharing_that_would_explode_keeps_its_references() -> None:
    definitions = {
        f"d{i}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/d{i + 1}"} for k in "abc"}}
        for i in range(30)
    }
    definitions["d30"] = {"type": "integer"}
    schema = {"$defs": definitions, "properties": {"x": {"$ref": "#/$defs/d0"}}}
    assert inline_references(schema) == schema
    tool = Tool("t", "", schema)
    assert check_calls([Call("t", {"x": {"a": {"b": {}}}})], Registry([tool])) == []
    (found,) = check_calls([Call("t", {"x": {"a": {"b": 3}}})], Registry([tool]))
    assert found.path == "$.x.a.b"


SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}


@pytest.mark.parametrize(
    "content",
    [
        [
            {
                "type": "function",
                "function": {"name": "f", "description": "D.", "parameters": SCHEMA},
            }
        ],
        [{"type": "function", "name": "f", "description": "D.", "parameters": SCHEMA}],
        [{"name": "f", "description": "D.", "input_schema": SCHEMA}],
        {"tools": [{"name": "f", "description": "D.", "inputSchema": SCHEMA}]},
        {"model": "m", "functions": [{"name": "f", "description": "D.", "parameters": SCHEMA}]},
        [{"title": "f", "description": "D.", **SCHEMA}],
        {"title": "f", "description": "D.", **SCHEMA},
        {"f": {"description": "D.", **SCHEMA}},
        {"f": {"description": "D.", "parameters": SCHEMA}},
    ],
)
def test_every_shape_in_use_is_the_same_tool(content: Any, tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(content))
    assert load_source(f"openai:{file}") == Registry([Tool("f", "D.", SCHEMA)])


def test_one_tool_per_line(tmp_path: Path) -> None:
    file = tmp_path / "tools.jsonl"
    lines = [json.dumps({"name": name, "input_schema": SCHEMA}) for name in "fg"]
    file.write_text("\n".join(lines) + "\n")
    assert load_source(f"openai:{file}").names == ("f", "g")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "not JSON"),
        ("3", "not a list of tools"),
        ('{"a": 1}', "not a list of tools"),
        ("[]", "holds no tools"),
        ("[3]", "item 1: not a tool"),
        ('[{"type": "object", "properties": {}}]', "item 1: a tool without a name"),
        ('[{"name": "f", "parameters": {"type": "array"}}]', "item 1"),
        ('[{"name": "f", "parameters": {"properties": {"x": {"type": "int"}}}}]', "'f'"),
        ('[{"name": "f", "parameters": {"properties": {"x": {"pattern": "["}}}}]', "'f'"),
        ('[{"name": "f", "parameters": {"properties": {"x": {"$ref": "#/no"}}}}]', "'f'"),
        (
            '[{"name": "f", "parameters": {"properties": {"x": {"$ref": "http://a.invalid/x"}}}}]',
            "not part of the schema",
        ),
        ('[{"name": "f"}, {"name": "f"}]', "two tools"),
    ],
)
def test_bad_files_are_one_line_and_a_next_step(content: str, part: str, tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    file.write_text(content)
    with pytest.raises(TooldrillError) as caught:
        load_source(f"openai:{file}")
    assert part in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.next_step
