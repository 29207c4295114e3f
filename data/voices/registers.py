"""Putting a sealed request the way one kind of speaker would: the frames of a `Register`."""

from __future__ import annotations

import re
from typing import NamedTuple

from tooldrill.data.values.names import Draw
from tooldrill.data.voices.frames import HOLE, Register, Stage
from tooldrill.data.voices.grammar import Grammar
from tooldrill.data.voices.sealed import MARK
from tooldrill.data.voices.sentences import Kind, Reading, as_clause, capitalised

_ARTICLE = re.compile(
    r" (?:the|The) (?!one|same|very|other|lower|first|last|only|smaller|old|new|next)(?=[a-z])"
)
_LOWER = frozenset({"hurried", "spoken"})
_FULL_STOP = re.compile(r"[.!]+$")


class Framed(NamedTuple):
    """A request in a register, apart from its greeting and farewell.

    Attributes:
        opener: what comes before everything, or nothing.
        closer: what comes after everything, or nothing.
    """

    opener: str
    body: str
    closer: str
    open_end: bool


def frame(name: str, text: str, reading: Reading, stage: Stage) -> Framed:
    """The request as the speaker called `name` puts it; `text` was read as `reading`."""
    grammar, draw, register = stage.grammar, stage.draw, stage.frames.registers[name]
    opener = grammar.expand(draw, draw.pick(register.openers))
    closer = grammar.expand(draw, draw.pick(register.closers))
    if opener[-1:].isalnum() and name != "spoken":
        opener += "!"
    body = _body(register, reading, text, grammar, draw) or text
    if name in _LOWER:
        # Text of several lines is pasted or a list: its capitals are not the speaker's.
        low = "\n" not in body and (name == "spoken" or draw.chance(0.5))
        body = body.lower() if low else _lower_first(body)
        body = _FULL_STOP.sub("", body)
    elif not opener.rstrip(" ").endswith(","):
        body = capitalised(body)
    else:
        body = _lower_first(body)
    if name == "spoken":
        # A frame of this register may greet already.
        opener = "" if body != text.lower().rstrip(".!") else opener
        body = body.removesuffix("?")
    return Framed(opener, body, closer, reading.open_end)


def terse(reading: Reading, text: str, draw: Draw) -> str:
    """The request without politeness, capitals and full stop, perhaps without articles."""
    bare = reading.core if reading.kind in (Kind.IMPERATIVE, Kind.REQUEST) else text
    if reading.kind is Kind.QUESTION and draw.chance(0.5):
        bare = reading.core
    bare = re.sub(r",? please(?=[.!?]?$)|^[Pp]lease,? ", "", bare)
    if draw.chance(0.4) and reading.kind is not Kind.SEVERAL:
        bare = _ARTICLE.sub(" ", bare)
    low = "\n" not in bare and draw.chance(0.7)
    bare = bare.lower() if low else _lower_first(bare)
    return _FULL_STOP.sub("", bare)


def join(framed: Framed, draw: Draw) -> str:
    """Greeting, request and farewell as one text."""
    text = framed.body
    if framed.opener:
        # Spoken words have no stops: `hey by the way`.
        text = _lower_first(text) if framed.opener[-1].isalnum() else text
        text = framed.opener + ("" if framed.opener[-1] == "\n" else " ") + text
    if framed.closer:
        seam = _seam(text, framed, draw)
        text += seam + (_lower_first(framed.closer) if seam == ", " else framed.closer)
    return text


def ended(text: str) -> str:
    """The text with a full stop, if it ends without any."""
    return text if text[-1:] in ".!?:\n" else f"{text}."


def _seam(text: str, framed: Framed, draw: Draw) -> str:
    if framed.closer.startswith("\n"):
        return ""
    if framed.open_end or MARK.fullmatch(text[-1]):
        return draw.pick(("\n", "\n\n"))
    return " " if text[-1] in ".!?" else draw.pick((", ", " - ", "\n"))


def _body(
    register: Register, reading: Reading, text: str, grammar: Grammar, draw: Draw
) -> str | None:
    """The request inside a frame, or None where it stays as it is."""
    if draw.chance(0.15):
        return None
    if reading.kind in (Kind.IMPERATIVE, Kind.REQUEST):
        options = register.commands
        if reading.open_end:
            options = tuple(f for f in options if not re.search(r"\w|\{", f.split(HOLE)[1]))
        return _filled(options, reading.core, reading.open_end, grammar, draw)
    if reading.kind is Kind.QUESTION:
        clause = as_clause(reading.core)
        if clause and draw.chance(0.7):
            return _filled(register.clauses, clause, False, grammar, draw)
        return _filled(register.questions, reading.core, False, grammar, draw)
    return text


def _filled(
    frames: tuple[str, ...], core: str, open_end: bool, grammar: Grammar, draw: Draw
) -> str | None:
    if not frames:
        return None
    before, after = draw.pick(frames).split(HOLE)
    head = grammar.expand(draw, before)
    return head + core + ("" if open_end else grammar.expand(draw, after))


def _lower_first(text: str) -> str:
    return text if re.match(r"I\b|[A-Z][A-Z]", text) else text[:1].lower() + text[1:]
