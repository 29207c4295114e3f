"""Text that loops: a reply whose end is one span of text over and over again.

The rule. A text loops when its last characters are copies of one span, at least `repeats` in a row,
over at least `characters` characters. A span with fewer than 10 different letters (separators, rows
of zeros, `null`, table cells, a word) is often meant: its copies must cover four times as many
characters. Upper and lower case are different characters, but the same letter.

Only the end is looked at: what repeats itself and then goes on is a table, a list, or code. Texts
that differ from line to line, if only in a number, do not loop.
"""

from __future__ import annotations

from typing import NamedTuple

_FEW_LETTERS = 10
_PATIENCE = 4


class Loop(NamedTuple):
    """Where a text begins to repeat itself, and what.

    Attributes:
        start: index of the first of the repeated characters.
        span: what stands there for the first time; the shortest that explains the rest.
    """

    start: int
    span: str


class LoopingText:
    """Watches one reply as it is generated: called with each new piece of its text.

    Args:
        repeats: copies of a span in a row, at least 2.
        characters: how many characters they must cover.
    """

    def __init__(self, repeats: int, characters: int) -> None:
        self._repeats, self._characters = repeats, characters
        self._text = ""

    def __call__(self, piece: str) -> bool:
        """Whether the text so far loops, the new piece included."""
        self._text += piece
        return find_loop(self._text, self._repeats, self._characters) is not None


def find_loop(text: str, repeats: int, characters: int) -> Loop | None:
    """The loop in which the text ends, by the rule above; None when it does not loop.

    Costs a search of the text's end for an earlier copy, so that it can be asked after every token.
    """
    size = len(text)
    # Half of what must repeat stands there once more, a span earlier: a copy to search for.
    probe = text[-(characters // 2) :]
    furthest = size - len(probe) - size // repeats
    end = size - 1
    while size >= characters:
        start = text.rfind(probe, max(furthest, 0), end)
        if start < 0:
            return None
        length = size - len(probe) - start
        run = _repeated(text, length)
        span = text[size - length :]
        if run >= max(repeats * length, characters * (_PATIENCE if _few_letters(span) else 1)):
            return Loop(size - run, text[size - run : size - run + length])
        # Inside the run of a short span, copies of the probe are that span taken several times.
        end = (size - run if length <= len(probe) else start) + len(probe) - 1
    return None


def _repeated(text: str, length: int) -> int:
    """How many of the last characters are copies of the last `length` ones, these included."""
    size = len(text)
    known, beyond = length, size + 1
    while beyond - known > 1:
        tried = (known + beyond) // 2
        begin = size - tried
        if text[begin : size - length] == text[begin + length :]:
            known = tried
        else:
            beyond = tried
    return known


def _few_letters(span: str) -> bool:
    return len({character for character in span.casefold() if character.isalpha()}) < _FEW_LETTERS
