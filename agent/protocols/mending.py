"""Broken JSON mended: json-repair, kept within bounds.

It mends syntax only; what the mended object means is for the protocol to say. json-repair tries
many readings of one text, which takes quadratic time or worse on hostile input, so it is given a
text that counts how often it is looked at and gives out at a fixed number. A count, unlike a clock,
gives the same answer on every machine.
"""

from __future__ import annotations

import re
from typing import Any, SupportsIndex

import json_repair

from tooldrill.agent.protocols.json_text import Found, Refused, dump, read_object

# Replies in the wild are looked at about three times per character.
_MOST_CHARACTERS = 100_000
_MOST_LOOKS = 600_000
_ESCAPE = re.compile(r"\\.", re.DOTALL)
# A text that was cut off in an escape: what is left of it says nothing.
_HALF_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")
# Characters of private use that no reply has reason to hold; one that does is not mended.
_STAND_INS = {r"\n": "\uf60a", r"\t": "\uf609", r"\r": "\uf60d", "\\\\": "\uf65c"}
_ANY_STAND_IN = re.compile(r"[\uf609\uf60a\uf60d\uf65c]|\\u[fF](?:60[9aAdD]|65[cC])")


def mend_objects(text: str) -> list[dict[str, Any]]:
    """The objects that a broken text was meant to hold, in order; empty when it cannot be mended.

    What the text says without doubt but strict JSON refuses (a repeated key, a number beyond a
    float, extreme nesting) is not a matter of syntax and stays refused.

    Args:
        text: may hold prose around its objects.
    """
    whole: list[dict[str, Any]] = []
    at = text.find("{")
    while at >= 0:
        # Sound objects are taken as they stand: json-repair would merge those that look alike.
        found = read_object(text, at)
        if isinstance(found, Refused):
            rest = _mended(text[at:]) if found.broken else None
            return [] if rest is None else whole + rest
        whole.append(found.value)
        at = text.find("{", found.end)
    return whole


def _mended(text: str) -> list[dict[str, Any]] | None:
    """What json-repair makes of a text that begins with a broken object; None when it gives up."""
    if len(text) > _MOST_CHARACTERS or _ANY_STAND_IN.search(text):
        return None
    try:
        value = json_repair.loads(_Text(_guarded(text), _Looks(_MOST_LOOKS)))
        # Written and read again, so that nothing enters that strict JSON does not accept.
        objects = value if isinstance(value, list) else [value]
        read = [
            read_object(_unguarded(dump(item)))
            for item in objects
            if isinstance(item, dict) and item
        ]
    except Exception:  # its guesses may fail in any way: then there is nothing to be mended
        return None
    mended = [item.value for item in read if isinstance(item, Found)]
    return mended if read and len(mended) == len(read) else None


def _guarded(text: str) -> str:
    """The text with some escapes replaced, and without half an escape at its end.

    json-repair would strip escaped white space from a string's end (a file's content would lose its
    last line break), and mistakes a backslash at the end of a cut text for the escape of a quote.
    """
    text = _HALF_ESCAPE.sub(r"\1", text)
    return _ESCAPE.sub(lambda match: _STAND_INS.get(match[0], match[0]), text)


def _unguarded(written: str) -> str:
    """JSON text with the escapes back in place of their stand-ins."""
    for escape, stand_in in _STAND_INS.items():
        written = written.replace(stand_in, escape)
    return written


class _TooManyLooksError(Exception):
    """The text has been looked at too often."""


class _Looks:
    """How often a text, and all that was cut from it, may still be looked at."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, looks: int) -> None:
        self._left -= looks
        if self._left < 0:
            raise _TooManyLooksError


class _Text(str):
    """A text that counts its readers' looks; its slices and sums count on."""

    _looks: _Looks

    def __new__(cls, text: str, looks: _Looks) -> _Text:
        self = super().__new__(cls, text)
        self._looks = looks
        return self

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        part = super().__getitem__(key)
        self._looks.spend(len(part))
        return _Text(part, self._looks) if isinstance(key, slice) else part

    def __add__(self, other: str) -> str:
        return _Text(super().__add__(other), self._looks)
