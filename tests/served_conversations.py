"""Conversations with all that can stand in them, and tools with all that a schema can hold."""

from __future__ import annotations

from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import (
    call_message,
    calls_message,
    conclusion_message,
    malformed_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.base import Tools
from tooldrill.export.serving.scenes import AWKWARD, READ_LIST, TEN

_PARAMETERS: dict[str, Any] = {
    # Names that mappings of Jinja have too.
    "items": {"type": "array", "items": {"type": "number"}, "default": [1.5, 2.0, -0.0, 1e-06]},
    "get": {"type": "object", "properties": {"keys": {"type": "string"}}, "default": {}},
    "values": {"enum": ["größe", 'say "x"', 2, 0.5, 3.0, None, True]},
    "amount": {"type": "number", "minimum": 0.0, "maximum": 1234567.5},
    "share": {"type": "number", "exclusiveMinimum": -0.25, "default": 100.0},
    "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
    "when": {"type": "string", "format": "date-time"},
    "either": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    "kind": {"const": 7.0},
    "node": {"$ref": "#/$defs/Node"},
    "table": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
    "pair": {"prefixItems": [{"type": "string"}, {"type": "boolean"}], "type": "array"},
    "text": {"type": "string", "default": 'a "b"\n\tc \\ é ☃ 🙂'},
    "flag": {"type": "boolean", "default": False},
    "anything": {},
}
_NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}
EVERYTHING: Tools = [
    {
        "type": "function",
        "function": {
            "name": "everything",
            "description": 'Does "everything" — größer & <b>.\n\nNot shown.',
            "parameters": {
                "type": "object",
                "properties": _PARAMETERS,
                "required": ["values", "amount", "node"],
                "$defs": {"Node": _NODE},
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "nothing", "description": "", "parameters": {"type": "object"}},
    },
]
_FULL = Call(
    "everything",
    {
        "values": "größe", "amount": 37.0, "share": 1234567.25, "count": -3, "kind": 0.5,
        "items": [0.0, 1.0, -2.5, 1e-07, 1e16, 12345.678, 99], "either": None, "flag": True,
        "get": {"keys": 'it\'s "x"', "items": {"a": [], "b": {}}}, "text": "", "ü": "\u007f\u2028",
    },
)  # fmt: skip

ALL_TURNS: list[Message] = [
    system("Be brief.\n\nAnd say “no” to <b>."),
    user("Do it, {{ please }} é ☃\n"),
    call_message(_FULL, "I try: größer."),
    observation_message("everything", "ERROR: no\n\n  Line two\n"),
    malformed_message("<tool_call>{broken"),
    user("ERROR: cut off"),
    call_message(AWKWARD),
    observation_message("write_note", ""),
    call_message(Call("nothing")),
    observation_message("nothing", '{"a": [1, 2.0]}'),
    conclusion_message('Done: "☃"'),
    user("  And now?"),
]
CONVERSATIONS: dict[str, tuple[list[Message], Tools]] = {
    "no system": ([user("Hello")], EVERYTHING),
    "system": ([system("Be brief."), user("Hello\nthere")], TEN),
    "system only": ([system("Be brief.")], TEN),
    "all turns": (ALL_TURNS, [*EVERYTHING, *TEN]),
    "all turns without a system": (ALL_TURNS[1:], TEN),
    "without tools": (ALL_TURNS, []),
    "several calls": (
        [
            user("Both."),
            calls_message([READ_LIST, Call("get_time")], "I look twice."),
            observation_message("read_note", "1. milk"),
            observation_message("get_time", "12:00"),
        ],
        TEN,
    ),
    "two users": ([user("One."), user("Two.")], TEN),
}
