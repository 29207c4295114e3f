"""The thinking of reasoning models: the block before the reply proper.

Nothing in it is a call, whatever it says. Where a template has already opened the block in the
prompt, the reply begins inside it and only the closing tag is seen.
"""

from __future__ import annotations

import re
from typing import NamedTuple

THINK, END_THINK = "<think>", "</think>"
NEVER_ENDED = (
    f"The thinking never ended: close it with {END_THINK}, then call a tool or give the final "
    "answer."
)
_BEGIN = re.compile(r"\s*" + re.escape(THINK))
# A closing tag that ends its line, or after which the reply proper begins at once.
_END = re.compile(
    re.escape(END_THINK) + r"(?=[ \t]*(?:[\n\r{]|<tool_call>|<\|tool_call|\[TOOL_CALLS\]|\Z))"
)
_END_OF_TURN = (
    *(f"<|{word}|>" for word in ("im_end", "eot_id", "eom_id", "end", "endoftext", "return")),
    *("<|end_of_text|>", "<|END_OF_TURN_TOKEN|>", "<end_of_turn>", "</s>", "<eos>"),
)
_CALL_MARKS = ("<tool_call>", "</tool_call>")


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


def split_thinking(text: str, marks: tuple[str, str] = _CALL_MARKS) -> Thinking | None:
    """Divides a reply; None when its thinking was opened and never ended.

    Tokens that end a turn are no part of the reply, though some records keep them.

    Args:
        marks: what stands before and after a call; what stands between them is data.
    """
    text = _without_end_of_turn(text)
    at, inside = 0, []
    while True:
        begin = _BEGIN.match(text, at)
        if begin is None:
            break
        end = text.find(END_THINK, begin.end())
        if end < 0:
            return None
        inside.append(text[begin.end() : end].strip())
        at = end + len(END_THINK)
    if at == 0:
        at = _end_of_thinking_opened_before(text, marks)
        if at:
            inside.append(text[: at - len(END_THINK)].strip())
    return Thinking(text[:at], "\n".join(part for part in inside if part), text[at:])


def _end_of_thinking_opened_before(text: str, marks: tuple[str, str]) -> int:
    """Where thinking ends that the prompt had opened; 0 when there is none.

    A closing tag inside a call's arguments is data: then the reply begins with an object, or a
    call is open where the tag stands.
    """
    end = _END.search(text)
    if end is None or text.lstrip()[:1] in ("{", "["):
        return 0
    before = text[: end.start()]
    opened, closed = (before.count(mark) if mark else 0 for mark in marks)
    return end.end() if opened == closed and THINK not in before else 0


def _without_end_of_turn(text: str) -> str:
    left = text.rstrip()
    while left.endswith(_END_OF_TURN):
        left = left[: left.rindex("<")].rstrip()
        text = left
    return text
