"""Which characters of a rendered conversation are learned: the loss mask, before tokens.

An assistant turn is found by rendering twice: up to its generation prompt, and up to its end. What
lies between is what a model writes there, so nothing is known here about any template's markers.
Not for batching or tokenizing: training does that with these segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import malformed_message
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.corrupt.damage import for_protocol

_PLACEHOLDER = "\u2756"  # begins like no reply


class Segment(NamedTuple):
    """A piece of the rendered text; its tokens' loss counts `weight` times, 0 for context."""

    text: str
    weight: float = 0.0

    @property
    def learned(self) -> bool:
        """Whether its tokens carry loss."""
        return self.weight > 0


class NotPrefixPreservingError(TooldrillError):
    """The chat template writes a turn differently once the next one follows."""


def renderings(
    row: Mapping[str, Any], template: ChatTemplate, protocol: CallProtocol
) -> list[list[Segment]]:
    """What of the row is learned, in as few texts as the chat template allows.

    One text, where earlier turns stay as they were written. Some templates rewrite them (they drop
    old thoughts, say): then one text for each learned turn, cut off at its end, which is what the
    loop shows the model at that turn. The texts begin alike, so training computes little twice.
    """
    try:
        return [segments(row, template, protocol)]
    except NotPrefixPreservingError:
        messages = row["messages"]
        learned = [index for index, message in enumerate(messages) if _weight(message) > 0]
        return [segments(_until(row, index), template, protocol) for index in learned]


def segments(
    row: Mapping[str, Any], template: ChatTemplate, protocol: CallProtocol
) -> list[Segment]:
    """The row's conversation in pieces whose texts, joined, are exactly the full rendering.

    The learned part of an assistant turn begins after the generation prompt and ends with the
    turn's stop token; white space after that belongs to the template. Turns of weight 0 are not
    learned. Where the last turn changes what stands before it and nothing else is learned, the
    texts are what the loop shows the model and what it has to write.

    Args:
        row: has `messages` and `tools`; `trace_id` is named in errors.

    Raises:
        NotPrefixPreservingError: see there.
    """
    messages = for_protocol(row["messages"], protocol, row["tools"])
    tools = list(row["tools"])
    if messages and _weight(messages[-1]):
        messages[-1] = _said(messages[:-1], messages[-1], tools, template, protocol)
    full = template.render(messages, tools, protocol, add_generation_prompt=False)
    pieces: list[Segment] = []
    position = 0
    for index, message in enumerate(messages):
        weight = _weight(message)
        if not weight:
            continue
        before = template.render(messages[:index], tools, protocol, add_generation_prompt=True)
        said = _said(messages[:index], message, tools, template, protocol)
        turns = [*messages[:index], said]
        until = template.render(turns, tools, protocol, add_generation_prompt=False)
        until = until.rstrip().removesuffix(template.closing) if template.closing else until
        if not (full.startswith(until) and until.startswith(before)):
            reply = _reply_alone(messages, tools, template, protocol) if not pieces else None
            if reply is None or index + 1 < len(messages):
                raise _not_prefix_preserving(row, index)
            return [Segment(before), Segment(reply.rstrip(), weight)]
        end = len(before) + len(until[len(before) :].rstrip())
        pieces.append(Segment(full[position : len(before)]))
        pieces.append(Segment(full[len(before) : end], weight))
        position = end
    pieces.append(Segment(full[position:]))
    return [piece for piece in pieces if piece.text]


def _reply_alone(
    messages: Sequence[Message], tools: Tools, template: ChatTemplate, protocol: CallProtocol
) -> str | None:
    """What a template writes for the last turn, where that turn changes what stands before it.

    Some show the system message, or the tools, only while the user's message is the last one. None
    where the turn does not begin where the generation prompt ends.
    """
    asked = list(messages[:-1])
    texts = [
        template.render(chat, tools, protocol, add_generation_prompt=False)
        for chat in (asked, list(messages), [*asked, malformed_message(_PLACEHOLDER)])
    ]
    prompt = template.render(asked, tools, protocol, add_generation_prompt=True)
    shared = _common_start(*texts[1:])
    if not prompt.startswith(texts[0]) or not shared.endswith(prompt[len(texts[0]) :]):
        return None
    return texts[1][len(shared) :] or None


def _said(
    before: Sequence[Message],
    message: Message,
    tools: Tools,
    template: ChatTemplate,
    protocol: CallProtocol,
) -> Message:
    """The turn as the model has to write it; as it is where the template would change the text."""
    said = protocol.said(message)
    if said is message:
        return message
    text = template.render([*before, said], tools, protocol, add_generation_prompt=False)
    return said if str(said["content"]) in text else message


def _common_start(left: str, right: str) -> str:
    pairs = enumerate(zip(left, right, strict=False))
    return left[: next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))]


def _weight(message: Mapping[str, Any]) -> float:
    weight = float(message.get("weight", 1)) if message["role"] == "assistant" else 0.0
    if not 0 <= weight < float("inf"):
        raise TooldrillError(
            f"a message has the weight {message['weight']}", "give 0 (context), 1, or a number > 0"
        )
    return weight


def _until(row: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The row up to the message at `index`, of which only that one is learned."""
    before = [
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in row["messages"][:index]
    ]
    return {**row, "messages": [*before, row["messages"][index]]}


def side_row(row: Mapping[str, Any], side: Literal["chosen", "rejected"]) -> dict[str, Any]:
    """One side of a preference pair as a row of which only that reply is learned."""
    prompt = [
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in row["prompt"]
    ]
    return {**row, "messages": prompt + list(row[side])}


def _not_prefix_preserving(row: Mapping[str, Any], index: int) -> NotPrefixPreservingError:
    return NotPrefixPreservingError(
        f"trace {row.get('trace_id', '?')}: the chat template writes message {index} differently "
        "when another follows, so what is learned cannot be told from the rest",
        "set model.chat_template to `tooldrill`, or to a template that leaves earlier turns alone",
    )
