"""What a broken list of Python calls was meant to be: brackets and quotes that are missing.

Only what stands around names and values is mended: a value that is no literal, or a name that was
cut off, stays unreadable. Linear in the text's length.
"""

from __future__ import annotations

import re

_CLOSES = {"(": ")", "[": "]", "{": "}"}
_FENCE = re.compile(r"\s*```\w*\s")
_CALL = re.compile(r"\s*(?:\[\s*)?[A-Za-z_][\w.]*\(")


def mended_list(text: str, marks: tuple[str, str]) -> tuple[str, str] | None:
    """The free text before the calls, and the calls between their marks; None without any."""
    opening, closing = marks
    before, mark, body = text.partition(opening)
    if not mark:
        before, body = "", text
    if (fence := _FENCE.match(body)) is not None:
        body = body[fence.end() :].split("```", 1)[0]
    body = body.split(closing, 1)[0]
    if _CALL.match(body) is None:
        return None
    body = body.strip()
    return before, closed(body if body.startswith("[") else f"[{body}")


def closed(text: str) -> str:
    """The text up to the end of its first bracket, with all that it opens closed.

    Commas before a closing bracket are left out; a line break inside a string becomes its escape.
    """
    written: list[str] = []
    open_: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        here = text[at]
        if quote:
            step = 2 if here == "\\" else 1
            if at + step > len(text):
                break  # half an escape
            written.append("\\n" if here == "\n" else text[at : at + step])
            quote = "" if here == quote else quote
            at += step
            continue
        at += 1
        if here in _CLOSES:
            open_.append(_CLOSES[here])
        elif here in ")]}":
            _without_commas(written)
            while open_ and open_[-1] != here:
                written.append(open_.pop())
            if not open_:
                break
            open_.pop()
        elif here in "\"'":
            quote = here
        written.append(here)
        if here in ")]}" and not open_:
            break
    if quote:
        written.append(quote)
    elif open_:
        _without_commas(written)
    return "".join([*written, *reversed(open_)])


def _without_commas(written: list[str]) -> None:
    while written and (written[-1] == "," or written[-1].isspace()):
        written.pop()
