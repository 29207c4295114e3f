"""Long observations: what a lookup returns stands in a lot of text, perhaps with orders inside.

The task carries the text in `padding`, so that the loop in evaluation meets the same; the oracle
goes on as if nothing were there.
"""

from __future__ import annotations

import random

from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import Message
from tooldrill.data.situations.padding import make_padding
from tooldrill.data.situations.scene import play, staged
from tooldrill.data.situations.staging import pad
from tooldrill.data.tasks.solve import says
from tooldrill.data.tasks.task import Padding, Task

NAME = "long_observation"

_TRIES = 3


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task with the results of its lookups made long; None when it looks nothing up."""
    if not task.oracle or task.situation:
        return None
    played = play(task)
    changing = {one.call.name for one in played if one.changed}
    tools = list(dict.fromkeys(one.call.name for one in played if not one.changed))
    tools = [name for name in tools if name not in changing]
    if not tools:
        return None
    for _ in range(_TRIES):
        padding = make_padding(rng, tools, task.tools)
        if not _tells(padding, task):
            history = [_padded(message, padding) for message in task.history]
            return staged(task, NAME, padding=padding, history=history)
    return None


def _tells(padding: Padding, task: Task) -> bool:
    """Whether the padding happens to say what the task is after."""
    values = [str(v) for call in task.calls for v in call.arguments.values()]
    text = pad(padding, "\n")
    words = [word.strip() for word in [*values, *task.answer_contains]]
    # Shorter ones, such as a quantity, are found in every text.
    return any(says(text, [word]) for word in words if len(word) > 3)


def _padded(message: Message, padding: Padding) -> Message:
    """A past observation as the padded tool would have given it."""
    if message["role"] != "tool" or message["name"] not in padding.tools:
        return message
    if str(message["content"]).startswith(ERROR_PREFIX):
        return message
    return {**message, "content": pad(padding, message["content"])}
