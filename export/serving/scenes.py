"""The conversations that are played, and the tools they offer.

Messages are neutral (`tooldrill.agent.messages`): each protocol lays them out in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    observation_message,
    system,
    user,
)
from tooldrill.agent.protocols.base import Tools, calls_of
from tooldrill.agent.protocols.json_text import dump

_TEXT: dict[str, Any] = {"type": "string"}
_SWITCH: dict[str, Any] = {"type": "boolean"}


def _tool(
    name: str, description: str, required: Sequence[str] = (), /, **properties: Any
) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


READ_NOTE = _tool("read_note", "Read a note.", ["path"], path=_TEXT)
WRITE_NOTE = _tool(
    "write_note",
    "Write a note.",
    ["path", "text"],
    path=_TEXT,
    text=_TEXT,
    overwrite={**_SWITCH, "default": False},
)
LIST_NOTES = _tool(
    "list_notes",
    "List the notes in a folder.",
    folder={**_TEXT, "default": "."},
    limit={"type": "integer", "default": 20},
)
SET_LIGHT = _tool(
    "set_light",
    "Turn a light on or off.",
    ["room", "on"],
    room={"type": "string", "enum": ["kitchen", "hall"]},
    on=_SWITCH,
)
GET_TIME = _tool("get_time", "Tell the time.")
ADD_EVENT = _tool(
    "add_event",
    "Put an event into the calendar.",
    ["title", "guests"],
    title=_TEXT,
    guests={"type": "array", "items": _TEXT},
    place={"type": "object", "properties": {"name": _TEXT, "floor": {"type": "integer"}}},
)
NOTES: Tools = [READ_NOTE, WRITE_NOTE, LIST_NOTES]
TEN: Tools = [
    *NOTES,
    SET_LIGHT,
    GET_TIME,
    ADD_EVENT,
    _tool("start_timer", "Start a timer.", ["minutes"], minutes={"type": "integer", "minimum": 1}),
    _tool("send_message", "Send a message.", ["to", "text"], to=_TEXT, text=_TEXT),
    _tool("find_contact", "Look up a contact.", ["name"], name=_TEXT),
    _tool(
        "convert",
        "Convert a value to another unit.",
        ["value", "unit"],
        value={"type": "number"},
        unit=_TEXT,
    ),
]
# Exactly one call is possible, whoever writes it.
CONFIRM: Tools = [
    _tool("confirm", "Confirm.", ["answer"], answer={"type": "string", "enum": ["yes"]})
]
CONFIRMED = Call("confirm", {"answer": "yes"})

_AWKWARD_PATH = "naïve ☃ 'list'.txt"
_AWKWARD_TEXT = 'She said "it\'s 5\\" wide"\n\t<b> & 日本語 🙂 {"a": [1]}'
AWKWARD = Call("write_note", {"path": _AWKWARD_PATH, "text": _AWKWARD_TEXT, "overwrite": True})
READ_LIST = Call("read_note", {"path": "todo.txt"})
WRITTEN: dict[str, tuple[str, Call]] = {
    "a call": ("", READ_LIST),
    "a call after a thought": ("The list stands in the note.", READ_LIST),
    "unicode and quotes": ("", AWKWARD),
    "no arguments": ("", Call("get_time")),
    "nested arguments": (
        "",
        Call(
            "add_event",
            {"title": "Lunch", "guests": ["Ana", 'Bo "B"'], "place": {"name": "Café", "floor": -1}},
        ),
    ),
}
"""Calls as training writes them, by what is awkward about them: the thought and the call."""


@dataclass(frozen=True)
class Scene:
    """One conversation up to the reply that is asked for.

    Attributes:
        reply: what a disciplined model writes now.
        told: what stands in its arguments when the request was understood.
    """

    name: str
    messages: tuple[Message, ...]
    tools: Tools
    reply: Message
    told: str = ""

    @property
    def hoped(self) -> Call | None:
        """The call of a disciplined model; None when it finishes without one."""
        return next(iter(calls_of(self.reply)), None)


_SYSTEM = system("You keep the user's notes.")
_ASKED = user("What stands in the note todo.txt?")
_SHOPPING = "1. milk\n2. Ärger mit “IT”"
_READ = (call_message(READ_LIST), observation_message("read_note", _SHOPPING))
_COPIED = Call("write_note", {"path": "list.txt", "text": _SHOPPING})
_FAILED = Call("write_note", {"path": "todo.txt", "text": "bread"})
_REPAIRED = Call("write_note", {**_FAILED.arguments, "overwrite": True})
_LIT = Call("set_light", {"room": "kitchen", "on": True})
_QUOTED = 'größe "neu" ☃.txt'

SCENES = (
    Scene("one call", (_SYSTEM, _ASKED), NOTES, call_message(READ_LIST), "todo.txt"),
    Scene(
        "a call after a tool result",
        (_SYSTEM, user("Copy the note todo.txt to list.txt."), *_READ),
        NOTES,
        call_message(_COPIED),
        "list.txt",
    ),
    Scene(
        "an error and its repair",
        (
            user("Replace the text of the note todo.txt by: bread"),
            call_message(_FAILED, "I write the note."),
            observation_message(
                "write_note", "ERROR: todo.txt exists. Give overwrite=true to replace it."
            ),
        ),
        NOTES,
        call_message(_REPAIRED),
        "true",
    ),
    Scene(
        "a conclusion without a call",
        (_SYSTEM, _ASKED, *_READ),
        NOTES,
        conclusion_message('The note says: milk, and trouble with "IT".'),
    ),
    Scene(
        "after a conclusion",
        (_ASKED, *_READ, conclusion_message("Milk, and trouble with IT."), user("Thank you!")),
        NOTES,
        conclusion_message("You are welcome."),
    ),
    Scene(
        "ten tools",
        (user("Turn on the light in the kitchen."),),
        TEN,
        call_message(_LIT),
        "kitchen",
    ),
    Scene(
        "unicode and quotes",
        (
            user("Write a note."),
            call_message(AWKWARD),
            observation_message("write_note", f"Wrote {_AWKWARD_PATH}"),
            conclusion_message("It is written."),
            user(f"Now read the note {_QUOTED}"),
        ),
        NOTES,
        call_message(Call("read_note", {"path": _QUOTED})),
        dump(_QUOTED),
    ),
    Scene(
        "a forced verdict without tools",
        (
            _ASKED,
            *_READ,
            user('No more tools. Answer with a JSON object: {"conclusion": "..."}'),
        ),
        [],
        conclusion_message('{"conclusion": "Milk, and trouble with \\"IT\\"."}'),
    ),
)

_MEASURE = {"type": "number", "minimum": 0.0, "maximum": 99.5, "default": 20.0}
NUMBERS = Scene(
    "numbers with a point",
    (
        user("Turn up the heating."),
        call_message(Call("heat", {"degrees": 21.0, "hours": 0.25, "meter": 1234567.5})),
        observation_message("heat", "Done."),
    ),
    [_tool("heat", "Heat a room.", ["hours"], degrees=_MEASURE, hours=_MEASURE, meter=_MEASURE)],
    conclusion_message("The heating is on."),
)
"""Apart from the others: llama-server writes such numbers otherwise than Python (see `prompt`)."""
