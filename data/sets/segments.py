"""Which characters of a rendered conversation are learned: the loss mask, before tokens.

An assistant turn is found by rendering twice: up to its generation prompt, and up to its end. What
lies between is what a model writes there, so nothing is known here about any template's markers.
Not for batching or tokenizing: training does that with these segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.corrupt.damage import for_protocol


class Segment(NamedTuple):
    """A piece of the rendered text; `learned` is whether its tokens carry loss."""

    text: str
    learned: bool


def segments(
    row: Mapping[str, Any], template: ChatTemplate, protocol: CallProtocol
) -> list[Segment]:
    """The row's conversation in pieces whose texts, joined, are exactly the full rendering.

    The learned part of an assistant turn begins after the generation prompt and ends with the
    turn's stop token; white space after that belongs to the template. Turns of weight 0 are not
    learned.

    Args:
        row: has `messages` and `tools`; `trace_id` is named in errors.

    Raises:
        TooldrillError: when the template writes a turn differently once the next one follows.
    """
    messages = for_protocol(row["messages"], protocol)
    tools = list(row["tools"])
    full = template.render(messages, tools, protocol, add_generation_prompt=False)
    pieces: list[Segment] = []
    position = 0
    for index, message in enumerate(messages):
        if message["role"] != "assistant" or message.get("weight", 1) == 0:
            continue
        before = template.render(messages[:index], tools, protocol, add_generation_prompt=True)
        until = template.render(messages[: index + 1], tools, protocol, add_generation_prompt=False)
        if not (full.startswith(until) and until.startswith(before)):
            raise _not_prefix_preserving(row, index)
        end = len(before) + len(until[len(before) :].rstrip())
        pieces.append(Segment(full[position : len(before)], False))
        pieces.append(Segment(full[len(before) : end], True))
        position = end
    pieces.append(Segment(full[position:], False))
    return [piece for piece in pieces if piece.text]


def side_row(row: Mapping[str, Any], side: Literal["chosen", "rejected"]) -> dict[str, Any]:
    """One side of a preference pair as a row of which only that reply is learned."""
    prompt = [
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in row["prompt"]
    ]
    return {**row, "messages": prompt + list(row[side])}


def _not_prefix_preserving(row: Mapping[str, Any], index: int) -> TooldrillError:
    return TooldrillError(
        f"trace {row.get('trace_id', '?')}: the chat template writes message {index} differently "
        "when another follows, so what is learned cannot be told from the rest",
        "set model.chat_template to `tooldrill`, or to a template that leaves earlier turns alone",
    )
