"""Lists of words written as a block of text."""

from __future__ import annotations


def word_list(text: str) -> list[str]:
    """The words of a block of text."""
    return text.split()
