"""Files to be imported, chats about one tool, and what an import says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tooldrill.data.ingest.report import Report

TOOL = {
    "type": "function",
    "function": {
        "name": "tune_piano",
        "description": "Tune it.",
        "parameters": {
            "type": "object",
            "properties": {
                "room": {"type": "string"},
                "pitch": {"type": "number", "default": 440.3},
                "keys": {"type": "array", "items": {"type": "integer"}},
                "notes": {"type": "object", "additionalProperties": True},
            },
            "required": ["room"],
        },
    },
}


def chat(room: str, **more: Any) -> dict[str, Any]:
    function = {"name": "tune_piano", "arguments": json.dumps({"room": room, **more})}
    messages = [
        {"role": "user", "content": f"Tune the one in {room}"},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": function}]},
        {"role": "tool", "tool_call_id": "1", "content": "tuned"},
        {"role": "assistant", "content": "Tuned."},
    ]
    return {"messages": messages, "tools": [TOOL]}


def write_lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{v if isinstance(v, str) else json.dumps(v)}\n" for v in values))
    return path


def counts(report: Report) -> dict[str, int]:
    return {reason: entry.count for reason, entry in report.dropped.items()}
