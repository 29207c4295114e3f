"""Records in other people's formats, and what an import makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.contract import to_row
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.formats import import_record

Row = dict[str, Any]


def tool(name: str, **parameters: Any) -> Row:
    """An OpenAI tool; a parameter given as (type, default) is optional."""
    properties, required = {}, []
    for key, kind in parameters.items():
        if isinstance(kind, tuple):
            properties[key] = {"type": kind[0], "default": kind[1]}
        else:
            properties[key] = {"type": kind}
            required.append(key)
    schema = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": f"Does {name}.", "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool("get_forecast", town="string", days=("integer", 1))
MAIL = tool("send_letter", to="string", body="string")


def imported(value: Any, name: str = "auto", **given: Any) -> tuple[str, Conversation]:
    return import_record(Record("r", value, given.pop("beside", None)), name, Given(**given))


def row_of(value: Any, name: str = "auto", **given: Any) -> Row:
    found, conversation = imported(value, name, **given)
    return to_row(conversation, "r", found)


def dropped(value: Any, name: str = "auto", **given: Any) -> str:
    with pytest.raises(DroppedError) as caught:
        row_of(value, name, **given)
    return caught.value.reason


def spoken(row: Row) -> list[Any]:
    """The messages in short: (role, calls or content)."""
    short: list[Any] = []
    for message in row["messages"]:
        calls = [(c["function"]["name"], c["function"]["arguments"])
                 for c in message.get("tool_calls", [])]  # fmt: skip
        short.append((message["role"], calls or message["content"]))
    return short


def xlam(answers: Any, tools: Any = None, **extra: Any) -> Row:
    flat = {
        "name": "route.plan",
        "description": "Plan a route.",
        "parameters": {
            "origin": {"description": "From where.", "type": "str"},
            "stops": {"description": "On the way.", "type": "List[str], optional"},
            "speed": {"description": "In km/h.", "type": "float", "default": 50.0},
        },
    }
    listed = json.dumps([flat] if tools is None else tools)
    return {"id": 7, "query": "From Ulm via Bonn, please", "tools": listed,
            "answers": json.dumps(answers), **extra}  # fmt: skip


def hermes(*turns: tuple[str, str], tools: str | None = None) -> Row:
    listed = tools if tools is not None else json.dumps([WEATHER, MAIL])
    system = f"You call functions within <tools></tools> tags. <tools>\n{listed}\n</tools> Go."
    said = [("system", system), *turns]
    return {"id": "h1", "conversations": [{"from": f, "value": v} for f, v in said]}


def toolace(*turns: tuple[str, str]) -> Row:
    quotes = {
        "name": "Stock Quotes API",
        "description": "Quotes.",
        "parameters": {
            "type": "dict",
            "properties": {
                "symbol": {"type": "string", "description": "Which."},
                "limit": {"type": "int"},
                "from": {"type": "string"},
                "filters": {"type": "dict"},
                "live": {"type": "bool"},
            },
            "required": ["symbol"],
        },
        "required": None,
    }
    other = {"name": "ping", "description": "P.", "parameters": {"type": "dict", "properties": {}}}
    system = (
        "You compose functions [see below]. Here is the list:\n"
        f"{json.dumps([quotes, other])}\nAnswer as [f1(a=b), f2(c=d)] only."
    )
    return {"system": system, "conversations": [{"from": f, "value": v} for f, v in turns]}


def glaive(chat: str, tools: str | None = None) -> Row:
    listed = tools if tools is not None else "\n\n".join(
        json.dumps(t["function"], indent=4) for t in (WEATHER, MAIL)
    )  # fmt: skip
    return {"system": f"SYSTEM: You may use these functions. -\n{listed}\n", "chat": chat}


def openai_call(identity: str, name: str, arguments: Any) -> Row:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def chat(*messages: Row, **extra: Any) -> Row:
    return {"messages": list(messages), "tools": [WEATHER, MAIL], **extra}


ASK = {"role": "user", "content": "Ulm?"}


def called(arguments: Any, name: str = "get_forecast") -> Row:
    return {"role": "assistant", "content": "", "tool_calls": [openai_call("a", name, arguments)]}


def seen(text: str, identity: str = "a") -> Row:
    return {"role": "tool", "tool_call_id": identity, "content": text}


LOG: list[Row] = [
    {"step": 1, "thought": "look", "action": "get_forecast", "args": {"town": "Ulm"},
     "observation": "sun"},
    {"step": 2, "conclusion": "Sun in Ulm."},
]  # fmt: skip


REGISTRY = Registry([Tool.from_openai(WEATHER), Tool.from_openai(MAIL)])
