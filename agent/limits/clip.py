"""Long text, kept in bounded memory: its head and its tail, and how much was left out between.

The head says what it is, the tail how it ended (an error comes last).
"""

from __future__ import annotations

import codecs

# A text of `most` characters with the line in it is no longer than this much more.
LINE_ROOM = 64


def clip(text: str, most: int) -> str:
    """The text, or its head and tail around a line that says what was left out.

    Args:
        most: characters that are kept; the line comes on top.
    """
    clipped = Clip(most)
    clipped.add(text)
    return clipped.text()


class Clip:
    """Takes text piece by piece, and keeps `most` characters of it.

    Attributes:
        taken: characters so far, those left out too.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._head = ""
        self._tail = ""
        self.taken = 0

    def add(self, piece: str) -> None:
        self.taken += len(piece)
        room = _head_size(self._most) - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        if piece:
            self._tail = _end(self._tail + piece, self._most // 2)

    def text(self, most: int | None = None) -> str:
        """What was taken, cut to `most` characters where that is less than what is kept."""
        most = self._most if most is None else min(most, self._most)
        kept = self._head + self._tail
        if self.taken <= most:
            return kept
        head, tail = kept[: _head_size(most)], _end(kept, most // 2)
        left_out = self.taken - len(head) - len(tail)
        return f"{head}\n[... {left_out} characters left out ...]\n{tail}"


class ClippedBytes(Clip):
    """The same for what arrives as bytes of UTF-8; what is none is replaced."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add_bytes(self, piece: bytes) -> None:
        self.add(self._decoder.decode(piece))


def _head_size(most: int) -> int:
    return most - most // 2


def _end(text: str, count: int) -> str:
    return text[-count:] if count else ""
