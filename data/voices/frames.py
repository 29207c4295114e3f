"""The wordings of one split: everything that a voice may put around a request.

Frames are data, so that a test can prove that the held-out ones are no rewording of the others.
A request's own place in a frame is written `@` (`Could you @?`), since it is no drawn value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw
from tooldrill.data.voices.grammar import Grammar, Rules

HOLE = "@"


@dataclass(frozen=True)
class Register:
    """How one kind of speaker frames a request.

    Attributes:
        commands: frames for a verb phrase (`Could you @?`).
        questions: frames for a question without its mark (`Quick question: @?`).
        clauses: frames for a question turned into a clause (`Tell me @.`).
        openers: greetings or whole sentences before a request of any kind.
        closers: the same behind it.
    """

    commands: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    openers: tuple[str, ...] = ("",)
    closers: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Paste:
    """A kind of text that a long message quotes.

    Attributes:
        head: how it begins; slots are drawn.
        lines: what it goes on with, as often as the message is to be long.
        tail: how it ends.
        below: says, above a paste, that the request stands under it.
        above: says, between request and paste, what the paste is.
        inside: lines that hold the request among the others; none where that would hide it.
    """

    name: str
    head: tuple[str, ...]
    lines: tuple[str, ...]
    tail: tuple[str, ...]
    below: tuple[str, ...]
    above: tuple[str, ...]
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frames:
    """All wordings of a split.

    Attributes:
        rules: the grammar's rules that the others use.
        registers: by name.
        asides: statements beside the point.
        bridges: what may lead from an aside to the request.
        pastes: kinds of long messages.
        leads: what points at a command or question in a long message.
        arrows: the same, fit for any sentence.
    """

    rules: Rules
    registers: dict[str, Register]
    asides: tuple[str, ...]
    bridges: tuple[str, ...]
    pastes: tuple[Paste, ...]
    leads: tuple[str, ...]
    arrows: tuple[str, ...]

    def texts(self) -> Iterator[str]:
        """Every wording, for comparison."""
        for options in self.rules.values():
            yield from options
        for register in self.registers.values():
            yield from register.commands + register.questions + register.clauses
            yield from register.openers + register.closers
        for paste in self.pastes:
            yield from paste.head + paste.lines + paste.tail
            yield from paste.below + paste.above + paste.inside
        yield from self.asides + self.bridges + self.leads + self.arrows


class Stage(NamedTuple):
    """What every voice works with."""

    frames: Frames
    grammar: Grammar
    draw: Draw


@cache
def frames_of(split: Split) -> tuple[Frames, Grammar]:
    """The wordings of a split and the grammar that expands them."""
    # Imported late: the wordings are built from the classes above.
    from tooldrill.data.voices.heldout import FRAMES as HELDOUT_FRAMES
    from tooldrill.data.voices.train import FRAMES as TRAIN_FRAMES

    frames = TRAIN_FRAMES if split is Split.TRAIN else HELDOUT_FRAMES
    return frames, Grammar(frames.rules)
