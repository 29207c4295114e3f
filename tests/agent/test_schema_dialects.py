"""Schemas in older dialects and odd shapes mean what their authors meant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import Offered, tool_from_parameters
from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.tool import Registry, Tool

DRAFT7 = "http://json-schema.org/draft-07/schema#"
DRAFT4 = "http://json-schema.org/draft-04/schema#"


def registry(parameters: Any) -> Registry:
    return Registry([Tool.from_openai({"name": "t", "parameters": parameters})]).compiled()


def found(parameters: Any, arguments: dict[str, Any]) -> list[tuple[str, str | None]]:
    violations = check_calls([Call("t", arguments)], registry(parameters))
    return [(str(v.kind), v.path) for v in violations]


def of(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": schema}, **more}


POINT = {
    "type": "array",
    "items": [{"type": "integer"}, {"type": "string"}],
    "additionalItems": False,
}
TREE = {
    "$ref": "#/$defs/N",
    "$defs": {
        "N": {
            "type": "object",
            "properties": {"v": {"type": "integer"}, "n": {"$ref": "#/$defs/N"}},
            "required": ["v"],
        },
        "Unused": {"type": "string"},
    },
}
EITHER = {
    "type": "object",
    "oneOf": [
        {"properties": {"op": {"const": op}, name: {}}, "required": ["op", name],
         "additionalProperties": False}
        for op, name in (("add", "x"), ("del", "id"))
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "arguments", "expected"),
    [
        (
            {"$schema": DRAFT7, **of({}), "anyOf": [{"required": ["a"]}]},
            {"a": 1, "zzz": 1},
            [("invented_argument", "$.zzz")],
        ),
        ({"$schema": DRAFT4, **of({"type": "integer"})}, {"a": 1.0}, []),
        (
            of({"minimum": 3, "exclusiveMinimum": True}, **{"$schema": DRAFT4}),
            {"a": 3},
            [("invalid_value", "$.a")],
        ),
        (of({"minimum": 3, "exclusiveMinimum": False}), {"a": 3}, []),
        (of(POINT), {"a": [1, "x"]}, []),
        (of(POINT), {"a": [1, "x", 3]}, [("invalid_value", "$.a[2]")]),
        (of({"type": "string", "nullable": True}), {"a": None}, []),
        (of({"type": "string", "enum": ["x"], "nullable": True}), {"a": None}, []),
        (of({"type": "string"}), {"a": None}, [("wrong_type", "$.a")]),
        ({"a": {"type": "string"}}, {"a": "x"}, []),
        ({"a": {"type": "string"}}, {}, [("missing_argument", "$.a")]),
        ({"a": {"type": "string", "default": "x"}}, {}, []),
        ({"type": "dict", "properties": {"a": {"type": "string"}}}, {"a": "x"}, []),
        ({"type": ["object"], "properties": None, "required": None, "$schema": None}, {}, []),
        (
            of({}, dependencies={"a": ["b"]}, additionalProperties=True),
            {"a": 1},
            [("missing_argument", "$.b")],
        ),
        (TREE, {"v": 1, "n": {"v": 2, "n": {"v": 3}}}, []),
        (TREE, {"v": 1, "n": {"v": 2, "n": {"v": "3"}}}, [("wrong_type", "$.n.n.v")]),
        (TREE, {"v": 1, "w": 2}, [("invented_argument", "$.w")]),
        (EITHER, {"op": "add", "x": 1}, []),
        (EITHER, {"op": "mul", "x": 1}, [("invalid_value", "$.op")]),
        (EITHER, {"op": "add", "x": 1, "zz": 1}, [("invented_argument", "$.zz")]),
        (
            EITHER,
            {"op": "add", "id": 1},
            [("invalid_value", "$.id"), ("missing_argument", "$.x")],
        ),
        (
            of({"type": "object", "additionalProperties": {"type": "string"}}),
            {"a": {"1": 2, "": 3, "x-y": 4}},
            [
                ("wrong_type", "$.a['1']"),
                ("wrong_type", "$.a['']"),
                ("wrong_type", "$.a['x-y']"),
            ],
        ),
    ],
)
def test_verdicts(parameters: Any, arguments: dict[str, Any], expected: Any) -> None:
    assert found(parameters, arguments) == expected


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        (TREE, "t(v: integer, n?: {v: integer, n?: object})"),
        (EITHER, 't(op: "add"|"del", x?: any, id?: any)'),
        (of(POINT), "t(a?: array[integer, string])"),
        (of({"type": "string", "nullable": True}), "t(a?: string|null)"),
        (of({"type": "number", "exclusiveMinimum": 0}), "t(a?: number(>0))"),
    ],
)
def test_signatures(parameters: Any, line: str) -> None:
    (tool,) = registry(parameters)
    assert signature(tool, SignatureLevel.TYPED) == line
    assert "Unused" not in str(tool.schema)


def messages(parameters: Any, arguments: dict[str, Any]) -> list[str]:
    return [v.message for v in check_calls([Call("t", arguments)], registry(parameters))]


def test_messages_speak_of_all_alternatives() -> None:
    assert messages(EITHER, {"op": "mul", "x": 1}) == [
        't: "op" must be one of "add", "del", not "mul".'
    ]
    assert messages(EITHER, {"op": "add", "id": 1})[0] == (
        't: "id" does not go with the other arguments.'
    )
    either = {"type": "object", "properties": {"id": {}, "name": {}},
              "anyOf": [{"required": ["id"]}, {"required": ["name"]}]}  # fmt: skip
    assert messages(either, {}) == ['t needs "id" or "name".']
    by_enum = of(
        {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"type": {"enum": [tag]}, key: {"type": "integer"}},
                    "required": ["type", key],
                }
                for tag, key in (("sql", "q"), ("vec", "k"))
            ]
        }
    )  # fmt: skip
    assert messages(by_enum, {"a": {"type": "vec", "k": "3"}}) == [
        't: "a.k" must be an integer, not "3".'
    ]


@pytest.mark.parametrize("value", ["PT1.5S", "-P1D", "P1DT2H", "P3W"])
def test_durations_as_python_writes_them(value: str) -> None:
    tool = tool_from_parameters("t", "", [Offered("w", timedelta, timedelta(seconds=1.5))])
    assert signature(tool) == 't(w="PT1.5S")'
    assert check_calls([Call("t", {"w": value})], Registry([tool])) == []
    (wrong,) = check_calls([Call("t", {"w": "90 minutes"})], Registry([tool]))
    assert wrong.kind == "invalid_value"


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {"properties": 3}}},
        {"type": "object", "required": "a"},
        {"type": "object", "allOf": {}},
        {"type": "array"},
        [],
        3,
    ],
)
def test_what_is_no_schema_is_one_line(parameters: Any) -> None:
    with pytest.raises(TooldrillError) as caught:
        registry(parameters)
    assert "'t'" in caught.value.message and "\n" not in caught.value.message


def test_a_call_that_has_worked_since_is_no_repeated_failure() -> None:
    call = Call("t", {"a": 1})
    tools = registry(of({}))
    assert [v.kind for v in check_calls([call], tools, [PastCall(call, True)])] == [
        "repeated_failure"
    ]
    assert check_calls([call], tools, [PastCall(call, True), PastCall(call, False)]) == []
    same = Call("t", {"a": 1.0})
    assert [v.kind for v in check_calls([same], tools, [PastCall(call, True)])] == [
        "repeated_failure"
    ]
