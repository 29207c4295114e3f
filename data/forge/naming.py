"""Names of tools and parameters: styles, abbreviations, opaque syllables, and sides.

Every name and every set of parameter names has a side, computed from its text alone. The train
split uses only names of one side and the held-out split only those of the other, so that however
many worlds there are, the two share none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from hashlib import blake2b

from tooldrill.data.tasks.task import Split
from tooldrill.data.values.words import word_list


def side(text: str) -> Split:
    """The split that may use this name."""
    odd = blake2b(text.encode(), digest_size=1).digest()[0] & 1
    return Split.HELDOUT if odd else Split.TRAIN


def side_of_set(names: Iterable[str]) -> Split:
    """The split that may use a tool with exactly these parameter names."""
    return side("(" + ",".join(sorted(names)) + ")")


TOOL_STYLES = (
    "snake", "snake", "snake", "camel", "camel", "Pascal", "dotted", "dotted_many", "kebab",
    "abbreviated", "prefixed", "double", "noun_first", "verbose", "flat", "opaque",
)  # fmt: skip
PARAMETER_STYLES = (
    "snake", "snake", "snake", "camel", "camel", "Pascal", "abbreviated", "last_word", "prefixed",
    "flat",
)  # fmt: skip

SYSTEMS = tuple(
    word_list(
        """
    crm erp app api svc my core ops hub db sys acme nova zeta admin desk v2
        """
    )
)
_TRAIN_SYLLABLES = tuple(
    word_list(
        """
    ba ke lu mi no pa ru si to vu za do fe gi hu
        """
    )
)
_HELDOUT_SYLLABLES = tuple(
    word_list(
        """
    cha dwo fri gla kno pru ske thu wra zyn qua blo jyr oxe ulv
        """
    )
)


def abbreviate(word: str) -> str:
    """`quantity` to `qnty`: the first letter and the consonants, four in all."""
    return word[0] + re.sub(r"[aeiou]", "", word[1:])[:3] if len(word) > 4 else word


def camel(words: list[str]) -> str:
    """`setBookingPrice`."""
    return words[0] + "".join(word.capitalize() for word in words[1:])


def pascal(words: list[str]) -> str:
    """`SetBookingPrice`."""
    return "".join(word.capitalize() for word in words)


def tool_name(style: str, system: str, verb: str, noun: str, tail: str) -> str:
    """A tool's name.

    Args:
        system: the word that prefixed names begin with.
        verb, noun: one or more words each.
        tail: what the verb is about (`price` in `set_booking_price`); may be empty.
    """
    verbs, nouns, tails = verb.split(), noun.split(), tail.split()
    words = [*verbs, *nouns, *tails]
    match style:
        case "camel":
            return camel(words)
        case "Pascal":
            return pascal(words)
        case "dotted" | "dotted_many":
            return f"{'_'.join(nouns)}.{'_'.join([*verbs, *tails])}"
        case "kebab":
            return "-".join(words)
        case "abbreviated":
            return "_".join(map(abbreviate, words))
        case "prefixed":
            return "_".join([system, *words])
        case "double":
            return f"{system}__{'_'.join(words)}"
        case "noun_first":
            return "_".join([*nouns, *tails, *verbs])
        case "verbose":
            # `set_the_price_of_booking`
            about = [*tails, "of"] if tails else []
            return "_".join([*verbs, "the", *about, *nouns])
        case "flat":
            return "".join(words)
    return "_".join(words)


def opaque_tool(rng: random.Random, split: Split) -> str:
    """A name that says nothing."""
    syllables = _HELDOUT_SYLLABLES if split is Split.HELDOUT else _TRAIN_SYLLABLES
    word = "".join(rng.sample(syllables, rng.randint(2, 3)))
    number = rng.randint(1, 99)
    return rng.choice((word, f"{word}_{number}", f"x_{word}", f"{word}{number}", f"do_{word}"))


def parameter_name(style: str, noun: str, words: str) -> str:
    """A parameter's name for what `words` say about a `noun`."""
    parts = words.split()
    match style:
        case "camel":
            return camel(parts)
        case "Pascal":
            return pascal(parts)
        case "abbreviated":
            return "_".join(map(abbreviate, parts))
        case "last_word":
            return parts[-1] if parts[-1] not in _WEAK else "_".join(parts)
        case "prefixed":
            nouns = noun.split()
            return "_".join(parts if parts[0] in nouns else [nouns[-1], *parts])
        case "flat":
            return "".join(parts)
    return "_".join(parts)


# Last words that alone would not tell what is meant.
_WEAK = frozenset(
    word_list(
        """
    to on at in by from for id ref kg km gb kw cm mg g with of per until ids
        """
    )
)
