"""How the parts of a conversation are written as OpenAI-shaped messages.

One place makes these dictionaries, so that traces, the loop and training agree on their keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message


def user(text: str) -> Message:
    """What the user, or the loop on a user's behalf, says."""
    return {"role": "user", "content": text}


def system(text: str) -> Message:
    """Instructions that stand before everything."""
    return {"role": "system", "content": text}


def call_message(call: Call, thought: str = "", *, learn: bool = True) -> Message:
    """An assistant turn that makes one call; `learn=False` gives it weight 0."""
    return calls_message([call], thought, learn=learn)


def calls_message(calls: Sequence[Call], thought: str = "", *, learn: bool = True) -> Message:
    """An assistant turn that makes the given calls."""
    message: Message = {
        "role": "assistant",
        "content": thought,
        "tool_calls": [
            {"type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in calls
        ],
    }
    return message if learn else {**message, "weight": 0}


def conclusion_message(text: str, *, learn: bool = True) -> Message:
    """An assistant turn that ends the episode."""
    message: Message = {"role": "assistant", "content": text}
    return message if learn else {**message, "weight": 0}


def malformed_message(text: str, *, learn: bool = True) -> Message:
    """An assistant turn kept as its raw text because it could not be read."""
    return {**conclusion_message(text, learn=learn), "malformed": True}


def observation_message(name: str, text: str) -> Message:
    """The answer to a call."""
    return {"role": "tool", "name": name, "content": text}
