"""What of a tool's answer a model gets to read: all of it, its two ends, or that it was a flood.

A long answer is cut and stays an answer: who reads a long file sees how it begins and ends, and how
much is between. One of megabytes was not meant for any reader: it is an error, which says how much
it was and to ask for less, so that a model does not go on as if it had read it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tooldrill.agent.environment import Observation
from tooldrill.agent.limits.clip import clip
from tooldrill.agent.limits.settings import ToolLimits


def readable(name: str, seen: Observation, limits: ToolLimits) -> Observation:
    """The observation of a call of `name`, no longer than `output_chars` and a line.

    An error stays the error that it is, however long.
    """
    if not seen.error and is_flood(len(seen.text), limits):
        show = partial(clip, seen.text)
        return Observation.failure(flood(name, "answer", len(seen.text), show, limits))
    return Observation(clip(seen.text, limits.output_chars), seen.error)


def is_flood(characters: int, limits: ToolLimits) -> bool:
    """Whether so much is an error; what is not cut never is."""
    return characters > max(limits.flood_chars, limits.output_chars)


def flood(
    name: str, what: str, characters: int, show: Callable[[int], str], limits: ToolLimits
) -> str:
    """The reason of an error that says so, and how the text begins and ends.

    Args:
        what: `answer`, or what else was that long.
        show: the text, cut to so many characters.
    """
    # It has run: said, because the same call would do all of it again.
    reason = (
        f"{name}: done, but its {what} of {characters:,} characters is too long to be read. "
        "Ask for less: fewer lines, a narrower search."
    )
    room = limits.output_chars - len(Observation.failure(reason).text)
    return f"{reason}\n{show(max(room, 0))}"
