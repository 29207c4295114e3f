"""Slips of the keyboard in the prose of a sealed prompt; values are sealed and so out of reach.

Words that carry the meaning (negations, directions, numbers, units) are spared, and no slip makes
another English word.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache

from tooldrill.data.values.words import word_list

_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok",
    "o": "ipl", "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb",
    "h": "gyjn", "j": "hukm", "k": "jil", "l": "kop", "z": "xas", "x": "zsc", "c": "xdv",
    "v": "cfb", "b": "vgn", "n": "bhm", "m": "njk",
}  # fmt: skip
_WORD = re.compile(r"(?<![\w@.#/<'-])[a-z]{5,}(?![\w@/'-]|\.\w)")
_CONTRACTION = re.compile(r"\b(do|does|did|is|are|have|has|would|could|should)n't\b")
_AFTER_COMMA = re.compile(r"(?<=[a-z]{3}), (?=[a-z]{3})")
_SPARED = frozenset(
    word_list(
        """
        above after before below under beneath behind never without nothing nobody neither
        nowhere three seven eight eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
        thousand million dozen minute minutes hours weeks month months years first second
        third fourth fifth sixth seventh eighth ninth tenth higher lower upper capitals
        large small least every optional except unless instead today tomorrow later earlier
        hidden public closed start until percent
        """
    )
)
_OTHER_WORDS = frozenset(
    word_list(
        """
        there their three these those where were quiet quite angel angle trail trial diary
        dairy united untied weather whether loose chose choose though through thought breath
        breathe desert desserts board broad being begin grate great state stake steak serve
        sever lower mower patient patent pause cause moth mouth mother other bother costumer
        form from contact contract contacts contracts custom access assess tower power place
        plane plate stare start share shape shale score store stone write while white whole
        which witch
        """
    )
)


def mistype(text: str, rng: random.Random) -> str:
    """The text with one to four slips, fewer where little prose is; the same text if none fits."""
    slips = rng.choice((1, 1, 2, 2, 3, 4))
    if rng.random() < 0.3:
        text = _CONTRACTION.sub(r"\1nt", text)
    if rng.random() < 0.25:
        text = _one(rng, _AFTER_COMMA, text, lambda _: ",")
    if rng.random() < 0.25:
        text = re.sub(r"\bI\b(?!['\w])", "i", text)
        text = text[:1].lower() + text[1:]
    found = [match for match in _WORD.finditer(text) if match[0] not in _SPARED]
    # From the end, so that the places found stay right.
    for match in sorted(rng.sample(found, min(slips, (len(found) + 2) // 3)), key=re.Match.start)[
        ::-1
    ]:
        text = text[: match.start()] + slip(match[0], rng) + text[match.end() :]
    return text


def slip(word: str, rng: random.Random) -> str:
    """The word with one slip, never another word; unchanged when it is spared or none fits."""
    if word in _SPARED:
        return word
    for _ in range(3):
        # The first letter is what readers need most.
        at = rng.randrange(1, len(word) - 1)
        wrong = rng.choice(_WAYS)(word, at, rng)
        if wrong != word and wrong not in _known_words():
            return wrong
    return word


def _swap(word: str, at: int, rng: random.Random) -> str:  # noqa: ARG001 - one shape for all
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _drop(word: str, at: int, rng: random.Random) -> str:  # noqa: ARG001
    # A letter less makes another word of many short ones (`stated`, `sated`).
    return word if len(word) < 7 and word[at] != word[at - 1] else word[:at] + word[at + 1 :]


def _double(word: str, at: int, rng: random.Random) -> str:  # noqa: ARG001
    return word[: at + 1] + word[at:]


def _neighbour(word: str, at: int, rng: random.Random) -> str:
    return word[:at] + rng.choice(_NEIGHBOURS[word[at]]) + word[at + 1 :]


_WAYS = (_swap, _swap, _drop, _drop, _double, _neighbour)


def _one(
    rng: random.Random, pattern: re.Pattern[str], text: str, change: Callable[[str], str]
) -> str:
    """The text with one match of the pattern changed."""
    found = list(pattern.finditer(text))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + change(match[0]) + text[match.end() :]


@cache
def _known_words() -> frozenset[str]:
    from faker.providers.lorem.en_US import Provider

    return frozenset(word.lower() for word in Provider.word_list) | _OTHER_WORDS | _SPARED
