"""The text of a reply while it is generated: bytes come in, whole characters go out."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class ReplyText:
    """Joins the bytes of tokens to text.

    A character of several bytes may be spread over several tokens; it is given out when it is
    whole. Bytes that are no UTF-8 become U+FFFD.

    Args:
        on_text: called with each new piece of text, never with an empty one.
    """

    def __init__(self, on_text: Callable[[str], None] | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._on_text = on_text
        self._pieces: list[str] = []

    def add(self, piece: bytes) -> str:
        """Takes a token's bytes and returns the text that is whole with them."""
        return self._give(self._decoder.decode(piece))

    def end(self) -> str:
        """The reply is over: gives out what was left and returns the whole text."""
        self._give(self._decoder.decode(b"", final=True))
        return str(self)

    def __str__(self) -> str:
        """The text so far, whole characters only."""
        return "".join(self._pieces)

    def _give(self, text: str) -> str:
        if text:
            self._pieces.append(text)
            if self._on_text is not None:
                self._on_text(text)
        return text
