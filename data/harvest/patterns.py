"""Patterns simple enough for reader and writer of a value: a prefix and one set of characters.

`^pcx-[a-z0-9]{8,17}$` is; an alternation of addresses is not, and is left out of the schema.
"""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass

_SIMPLE = re.compile(
    r"^\^?(?P<prefix>[A-Za-z0-9]{0,12}[-_/:]?)(?P<set>\[(?:[^\]\\^]|\\[wds./:+@=_-])+\]|\\w|\\d)"
    r"(?:(?P<any>[+*])|\{(?P<low>\d+)(?P<to>,(?P<high>\d*))?\})\$?$"
)
_LONGEST = 48
_MOST = 64


@dataclass(frozen=True)
class SimplePattern:
    """A prefix, then between `low` and `high` characters of `alphabet`."""

    prefix: str
    alphabet: str
    low: int
    high: int
    text: str

    def matches(self, value: str) -> bool:
        return re.search(self.text, value) is not None

    def value(self, rng: random.Random, length: int = 0) -> str:
        """A value that matches, of about `length` characters after the prefix."""
        size = min(max(length or rng.randint(6, 17), self.low, 1), self.high)
        letters = [c for c in self.alphabet if c.isalnum()] or list(self.alphabet)
        few = [c for c in letters if c.islower() or c.isdigit()] or letters
        return self.prefix + "".join(rng.choices(few, k=size))


def simple_pattern(pattern: str) -> SimplePattern | None:
    """The pattern, anchored at both ends, or None when it is not simple."""
    match = _SIMPLE.match(pattern) if len(pattern) <= _LONGEST else None
    if match is None:
        return None
    alphabet = _alphabet(match["set"])
    low = int(match["low"] or (1 if match["any"] == "+" else 0))
    high = _MOST
    if match["low"] is not None:
        high = int(match["high"]) if match["high"] else (_MOST if match["to"] else low)
    if not alphabet or high < 1 or low > _MOST or low > high:
        return None
    text = f"^{pattern.removeprefix('^').removesuffix('$')}$"
    try:
        compiled = re.compile(text)
    except re.error:
        return None
    made = SimplePattern(match["prefix"], alphabet, low, min(high, _MOST), text)
    probe = made.value(random.Random(0))
    return made if compiled.search(probe) else None


def _alphabet(characters: str) -> str:
    """The ASCII characters that a set matches, spaces left out."""
    try:
        one = re.compile(f"^{characters}$", re.ASCII)
    except re.error:
        return ""
    return "".join(c for c in string.ascii_letters + string.digits + "-_./:+@=" if one.match(c))
