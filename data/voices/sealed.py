"""A prompt whose values are out of reach: each stands as one private character until the end.

Voices work on the sealed text, so that no frame, typo or change of case can touch a value, quoted
text, a path, a number or a name. Which values may be worded otherwise is decided in `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_FIRST = 0xE000  # the private use area: no prompt contains these
_LAST = 0xF8FF
MARKS = f"{chr(_FIRST)}-{chr(_LAST)}"  # for character classes of regular expressions
MARK = re.compile(f"[{MARKS}]")

_LITERAL = re.compile(
    r"""
      (?<!\w)"[^"\n]+"(?!\w) | (?<!\w)'[^'\n]+'(?!\w) | `[^`\n]+`   # quoted
    | \S*[\d_/\\@=<>{}\[\]$\#~^|]\S*                                # numbers, paths, code, mail
    | \w+(?:\.\w+)+                                                 # names with dots
    | \b\w*[a-z][A-Z]\w* | \b[A-Z]{2,}\b                            # camel case, initials
    | (?<=[a-z,;]\ )(?!I\b)[A-Z][\w'-]+(?:[ ][A-Z][\w'-]*)*      # names inside a sentence
    | [^\W\d_a-zA-Z]\w* | \w*[^\W\d_a-zA-Z]\w*                      # letters beyond English
    """,
    re.VERBOSE,
)


class Sealed:
    """Text with one mark for each value.

    Attributes:
        text: the sealed text.
        values: what each mark stands for, by its number; may itself contain earlier marks.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: list[str] = []

    def mark(self, value: str) -> str:
        """A new mark for the value.

        Raises:
            ValueError: when there are more values than marks.
        """
        number = _FIRST + len(self.values)
        if number > _LAST:
            raise ValueError("too many values in one prompt")
        self.values.append(value)
        return chr(number)

    def seal(self, start: int, end: int) -> None:
        """Replaces a part of the text by a mark."""
        self.text = self.text[:start] + self.mark(self.text[start:end]) + self.text[end:]

    def opened(self) -> str:
        """The text with every value in its place."""
        text = self.text
        while MARK.search(text):
            text = MARK.sub(lambda found: self.values[ord(found[0]) - _FIRST], text)
        return text


def seal_prompt(prompt: str, said: Sequence[str], copied: Iterable[str]) -> Sealed:
    """The prompt with its values sealed, then everything that looks like one.

    Args:
        prompt: the user's message.
        said: the values as they stand in the prompt, in order: they get the first marks,
            an empty value in place of one that is not found.
        copied: other strings to be kept wherever they occur.
    """
    sealed = Sealed(prompt)
    at = 0
    for text in said:
        found = _find(sealed.text, text, at)
        if found < 0:
            sealed.mark("")
            continue
        sealed.seal(found, found + len(text))
        at = found + 1
    for text in sorted(set(copied), key=lambda item: (-len(item), item)):
        found = _find(sealed.text, text, 0)
        while found >= 0:
            sealed.seal(found, found + len(text))
            found = _find(sealed.text, text, found + 1)
    sealed.text = _LITERAL.sub(lambda match: _sealed_literal(sealed, match[0]), sealed.text)
    return sealed


def mark_number(mark: str) -> int:
    """Which value a mark stands for."""
    return ord(mark) - _FIRST


def mark_of(number: int) -> str:
    """The mark of a value."""
    return chr(_FIRST + number)


def _sealed_literal(sealed: Sealed, literal: str) -> str:
    """A mark for the literal; punctuation around it, and what is a mark already, stays."""
    core = literal.strip(".,;:!?()") if literal[0] not in "\"'`" else literal
    if MARK.fullmatch(core) or not any(letter.isalnum() or MARK.match(letter) for letter in core):
        return literal
    before, after = literal.split(core, 1)
    return before + sealed.mark(core) + after


def find_whole(text: str, value: str, start: int = 0) -> int:
    """Where the value stands from `start` on, not as a part of a longer word; -1 when nowhere."""
    at = text.find(value, start) if value.strip() else -1
    while at >= 0:
        end = at + len(value)
        left = at == 0 or not (value[0].isalnum() and text[at - 1].isalnum())
        right = end == len(text) or not (value[-1].isalnum() and text[end].isalnum())
        if left and right:
            return at
        at = text.find(value, at + 1)
    return -1


def _find(text: str, value: str, start: int) -> int:
    at = find_whole(text, value, start)
    return at if at >= 0 else find_whole(text, value)
