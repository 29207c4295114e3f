"""The thinking of reasoning models, and what else stands around a reply proper.

Nothing in the thinking is a call, whatever it says. Where a template has already opened the block
in the prompt, the reply begins inside it and only the closing tag is seen. Most models write
`<think>`; what others write is a `Frame`, which their dialect names.
"""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

THINK, END_THINK = "<think>", "</think>"
# A closing tag that ends its line, or after which the reply proper begins at once.
_END = re.compile(
    re.escape(END_THINK) + r"(?=[ \t]*(?:[\n\r{]|<tool_call>|<\|tool_call|\[TOOL_CALLS\]|\Z))"
)
_END_OF_TURN = (
    *(f"<|{word}|>" for word in ("im_end", "eot_id", "eom_id", "end", "endoftext", "return")),
    *("<|call|>", "<|end_of_text|>", "<|END_OF_TURN_TOKEN|>", "<end_of_turn>", "</s>", "<eos>"),
    *("<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~["),
    *("<|user|>", "<|observation|>"),  # GLM ends a turn with the beginning of the next
)
_CALL_MARKS = ("<tool_call>", "</tool_call>")


@dataclass(frozen=True)
class Frame:
    """What a model writes around its thinking and around its answer.

    Attributes:
        begin: the pattern of what stands before thinking.
        end: what stands after it.
        opened: whether a prompt may end with what opens thinking.
        thought: what the template writes around the text of a turn that calls; ("", "") where
            that text stands as it is, thinking and its tags included.
        answer: the patterns of what stands before a final answer and after it.
        marks: the pattern of every mark of the frame; such text may not stand in a message.
    """

    begin: str = re.escape(THINK)
    end: str = END_THINK
    opened: bool = False
    thought: tuple[str, str] = ("", "")
    answer: tuple[str, str] = ("", "")
    marks: str = ""

    @cached_property
    def beginning(self) -> re.Pattern[str]:
        """What opens thinking, white space before it included."""
        return re.compile(rf"\s*+(?:{self.begin})")

    def answer_in(self, body: str) -> str:
        """A final answer without what stands around it."""
        opening, closing = self.answer
        text = re.sub(rf"\A\s*(?:{opening})", "", body) if opening else body
        return re.sub(rf"(?:{closing})\s*\Z", "", text) if closing else text

    def plain(self, text: str) -> str:
        """A text as a message may hold it: templates put marks of their own around it."""
        return re.sub(self.marks, "", text) if self.marks else text


PLAIN = Frame()
"""Thinking in `<think>`, nothing around an answer."""


class Thinking(NamedTuple):
    """A reply divided.

    Attributes:
        raw: the block as written, tags and white space included; empty when there is none.
        inside: what was thought, without tags.
        rest: the reply proper.
    """

    raw: str
    inside: str
    rest: str


def never_ended(frame: Frame = PLAIN) -> str:
    """What to say of thinking that was opened and never closed."""
    return (
        f"The thinking never ended: close it with {frame.end}, then call a tool or give the final "
        "answer."
    )


def split_thinking(
    text: str, marks: tuple[str, str] = _CALL_MARKS, frame: Frame = PLAIN
) -> Thinking | None:
    """Divides a reply; None when its thinking was opened and never ended.

    Tokens that end a turn are no part of the reply, though some records keep them.

    Args:
        marks: what stands before and after a call; what stands between them is data.
        frame: how the model writes thinking; `<think>` is read from every model.
    """
    text = _without_end_of_turn(text)
    frames = (frame,) if frame == PLAIN else (frame, PLAIN)
    at, inside = 0, []
    while True:
        found = ((one, one.beginning.match(text, at)) for one in frames)
        opened, begin = next(((one, match) for one, match in found if match), (frame, None))
        if begin is None:
            break
        end = text.find(opened.end, begin.end())
        if end < 0:
            return None
        inside.append(text[begin.end() : end].strip())
        at = end + len(opened.end)
    if at == 0:
        at, length = _end_of_thinking_opened_before(text, marks, frame)
        if at:
            inside.append(text[: at - length].strip())
    return Thinking(text[:at], "\n".join(part for part in inside if part), text[at:])


def _end_of_thinking_opened_before(
    text: str, marks: tuple[str, str], frame: Frame
) -> tuple[int, int]:
    """Where thinking ends that the prompt had opened, and its tag's length; 0 when there is none.

    A closing tag inside a call's arguments is data: then the reply begins with an object, or a
    call is open where the tag stands.
    """
    if frame.opened and marks[0] not in text.partition(frame.end)[0] and frame.end in text:
        return text.index(frame.end) + len(frame.end), len(frame.end)
    end = _END.search(text)
    if end is None or text.lstrip()[:1] in ("{", "["):
        return 0, 0
    before = text[: end.start()]
    opened, closed = (before.count(mark) if mark else 0 for mark in marks)
    inside = opened == closed and THINK not in before
    return (end.end(), len(END_THINK)) if inside else (0, 0)


def _without_end_of_turn(text: str) -> str:
    left = text.rstrip()
    while (mark := next((one for one in _END_OF_TURN if left.endswith(one)), None)) is not None:
        left = left.removesuffix(mark).rstrip()
        text = left
    return text
