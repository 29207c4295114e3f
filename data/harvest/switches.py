"""How a boolean is said: what it switches, and words for on and off that mean nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tooldrill.data.values.words import word_list

# What stands before and after the thing that a switch is about.
_SWITCH_BEFORE = re.compile(
    r"^(is|are|has|have|do|does|should|enable|enabled|allow|use|with|include|includes|show|return|"
    r"want|requires?|supports?|send|also|exclude|skip|ignore|disable|disabled|no|without|omit|hide|"
    r"suppress|only)\s+"
)
_SWITCH_AFTER = re.compile(r"\s+(enabled|disabled|only|included|allowed|flag|required|on)$")
NEGATIVE = frozenset({"exclude", "skip", "ignore", "disable", "no", "without", "omit", "hide",
                      "suppress", "disabled"})  # fmt: skip
# Ways to say a switch by whether the thing is wanted: (inline, as a sentence).
WANTED: dict[str, tuple[str, ...]] = {
    "include": ("including {n}", "with {n} included", "{n} too", "and include {n}"),
    "only": ("only {n}", "{n} and nothing else", "nothing but {n}"),
    "plain": ("with {n} on", "with {n} switched on", "and do turn on {n}", "{n}: yes",
              "with {n} enabled"),
}  # fmt: skip
UNWANTED: dict[str, tuple[str, ...]] = {
    "include": ("leaving out {n}", "without {n}", "but no {n}", "and leave out {n}"),
    "only": ("not just {n}", "not only {n}"),
    "plain": ("with {n} off", "with {n} switched off", "and keep {n} off", "{n}: no",
              "with {n} disabled"),
}  # fmt: skip
WHOLE: dict[str, dict[bool, tuple[str, ...]]] = {
    "dry run": {
        True: ("as a dry run", "only as a test, nothing is to change yet", "dry run only"),
        False: ("for real, no dry run", "not as a dry run"),
    },
    "validate only": {
        True: ("only to see whether it is valid, nothing is to be saved", "just validate it"),
        False: ("for real, do not just validate it",),
    },
    "enabled": {
        True: ("and have it turned on", "so that it is on"),
        False: ("and have it turned off", "so that it is off"),
    },
    "force": {
        True: ("by force", "whatever stands in the way, force it"),
        False: ("without forcing it", "but do not force it"),
    },
    "recursive": {
        True: ("with everything below it, recursively", "recursively"),
        False: ("without going deeper, not recursively", "not recursively"),
    },
    "overwrite": {
        True: ("overwriting what is there", "and overwrite the old one"),
        False: ("without overwriting anything", "but do not overwrite anything"),
    },
    "follow symlinks": {
        True: ("following symlinks", "and follow the links"),
        False: ("without following symlinks", "but do not follow the links"),
    },
}
_INCLUDING = frozenset(
    word_list(
        """
        include includes show return with also exclude skip ignore omit hide without
        """
    )
)


@dataclass(frozen=True)
class Switch:
    """What a boolean is about.

    Attributes:
        thing: what is wanted or not.
        manner: a key of `WANTED`.
        negative: whether true means that the thing is not wanted.
    """

    thing: str
    manner: str
    negative: bool


def switch_of(label: str) -> Switch:
    """How to speak of a boolean with these words in its name."""
    low = label.lower()
    manner, negative, seen = "plain", False, True
    while seen and (before := _SWITCH_BEFORE.match(low)):
        word = before[1]
        rest = low[before.end() :]
        negative = negative or word in NEGATIVE
        manner = "only" if word == "only" else "include" if word in _INCLUDING else manner
        low, seen = rest, bool(rest)
    after = _SWITCH_AFTER.search(low)
    if after is not None:
        manner = "only" if after[1] == "only" else manner
        negative = negative or after[1] == "disabled"
        low = low[: after.start()]
    return Switch(low, manner, negative)


def switch_phrases(label: str, value: bool) -> tuple[str, ...]:
    """Every way to say that this boolean has this value."""
    if label.lower() in WHOLE:
        return WHOLE[label.lower()][value]
    switch = switch_of(label)
    table = WANTED if value != switch.negative else UNWANTED
    thing = "it" if not switch.thing else switch.thing
    return tuple(phrase.format(n=thing) for phrase in table[switch.manner])
