"""ReAct step logs: `[{step, thought, action, args, observation}, ..., {step, conclusion}]`.

A log names neither its tools nor its request: the tools are given, the request lies in a field or
file beside it, or is given too.
"""

from __future__ import annotations

import json
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message, observation_message, user
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.literals import arguments_of
from tooldrill.data.ingest.tool_lists import Tools, read_tools

LOG_KEYS = ("log", "steps", "trace", "trajectory")
PROMPT_KEYS = ("prompt", "task", "query", "question", "goal", "instruction")


def steps_of(value: Any) -> list[dict[str, Any]] | None:
    """The log's steps, or None when the value is no log."""
    found = value
    if isinstance(value, dict):
        found = next((value[key] for key in LOG_KEYS if isinstance(value.get(key), list)), None)
    if not isinstance(found, list) or not found or not all(isinstance(s, dict) for s in found):
        return None
    return found if {"action", "conclusion"} & found[0].keys() and "step" in found[0] else None


def import_react(record: Record, given: Given) -> Conversation:
    """The log as a conversation; raises `DroppedError`."""
    steps = steps_of(record.value)
    if steps is None:
        raise DroppedError("bad_step", "not a list of steps")
    own = record.value.get("tools") if isinstance(record.value, dict) else None
    tools = read_tools(own, given)
    messages: list[Message] = [user(_prompt(record, given))]
    for step in steps[:-1]:
        messages += _called(step, tools)
    return Conversation([*messages, _concluded(steps[-1])], tools.registry)


def _prompt(record: Record, given: Given) -> str:
    fields = record.value if isinstance(record.value, dict) else {}
    found = [fields[key] for key in PROMPT_KEYS if isinstance(fields.get(key), str)]
    prompt = next(iter(found), record.prompt or given.prompt or "")
    if not prompt.strip():
        raise DroppedError("no_prompt", "give --prompt, or NAME.prompt.txt beside NAME.json")
    return prompt


def _called(step: dict[str, Any], tools: Tools) -> list[Message]:
    name = step.get("action")
    if not isinstance(name, str) or not name:
        raise DroppedError("bad_step", f"step {step.get('step')} has no action")
    call = tools.call(Call(name, arguments_of(step.get("args"))))
    seen = step.get("observation")
    if seen is None:
        raise DroppedError("missing_observation", f"step {step.get('step')}: {name}")
    text = seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False)
    thought = str(step.get("thought") or "")
    return [call_message(call, thought), observation_message(call.name, text)]


def _concluded(step: dict[str, Any]) -> Message:
    text = step.get("conclusion")
    if text is None:
        raise DroppedError("no_conclusion", "the log ends with a call")
    if step.get("forced"):
        raise DroppedError("forced_conclusion", "the steps ran out and an end was demanded")
    return conclusion_message(text if isinstance(text, str) else json.dumps(text))
