"""Which real tools the forge's other side could have as well: those are left out of the harvest.

The forge divides names and parameter sets by a hash of their text (`forge.naming.side`). A real
tool's name falls on the wrong side half the time, which harms only where the forge could make that
very name or set. Whether it could is answered from its vocabulary, rather too often than too
seldom; its nonsense names (`opaque`) are no words of any real tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from tooldrill.agent.names import plain
from tooldrill.agent.tool import Tool
from tooldrill.data.forge.foreign import foreign_names, foreign_sets
from tooldrill.data.forge.lexicon import domains, fields
from tooldrill.data.forge.manual import VERBS
from tooldrill.data.forge.naming import SYSTEMS, abbreviate, side, side_of_set
from tooldrill.data.forge.options import all_options
from tooldrill.data.forge.parameters import WORDS as PARAMETER_WORDS
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.words import word_list

# What names hold beside verbs, nouns, fields and systems (see `forge.design`, `forge.naming`).
_BETWEEN = frozenset(
    word_list(
        """
        the of status state stage phase record entry item data info now v2 by id one object ref
        name label new
        """
    )
)
# Parameters of worlds whose tools have nonsense names.
_LETTERS = re.compile(r"[a-z][12x]?")


def belongs_to_other_forge(tool: Tool, split: Split) -> bool:
    """Whether a forged world of the other split could have a tool of this name or these parameters.

    Args:
        split: the side that the tool would be shown on.
    """
    other = Split.TRAIN if split is Split.HELDOUT else Split.HELDOUT
    name, names = tool.name, tool.parameter_names
    # What the written worlds of this split have, the other side of the forge cannot have.
    named_there = side(name) is other and name not in foreign_names(other)
    if named_there and _forged_name(plain(name), other):
        return True
    if not names or side_of_set(names) is not other or names in foreign_sets(other):
        return False
    return _forged_set(names, other)


def _forged_set(names: Iterable[str], split: Split) -> bool:
    return all(_LETTERS.fullmatch(n.lower()) or _forged_parameter(plain(n), split) for n in names)


@lru_cache(maxsize=65536)
def _forged_parameter(name: str, split: Split) -> bool:
    return _made_of(name, _parameter_words(split))


@lru_cache(maxsize=65536)
def _forged_name(name: str, split: Split) -> bool:
    """Whether a noun stands in it and words of the forge's stand around that."""
    words = _tool_words(split)
    return any(
        noun in name and _made_of(name, words | {noun}) and _rest_is_words(name, noun, words)
        for noun in _nouns(split)
    )


def _rest_is_words(name: str, noun: str, words: frozenset[str]) -> bool:
    return any(
        _made_of(name[: at.start()], words) and _made_of(name[at.start() + len(noun) :], words)
        for at in re.finditer(f"(?={re.escape(noun)})", name)
    )


def _made_of(text: str, words: frozenset[str]) -> bool:
    """Whether the text is words of the set, one after the other."""
    longest = max(map(len, words))
    reached = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - longest), end)
        reached[end] = any(reached[start] and text[start:end] in words for start in starts)
    return reached[-1]


def _spellings(phrases: Iterable[str]) -> frozenset[str]:
    """Every word of the phrases, also as it is abbreviated."""
    words = {plain(word) for phrase in phrases for word in phrase.split()}
    return frozenset(words | {abbreviate(word) for word in words})


@cache
def _nouns(split: Split) -> frozenset[str]:
    """Nouns and plurals of the split, as one word each."""
    phrases = [p for d in domains(split) for e in d.entities for p in (e.noun, e.plural)]
    short = {"".join(map(abbreviate, phrase.split())) for phrase in phrases}
    return frozenset({plain(phrase) for phrase in phrases} | short)


@cache
def _field_phrases(split: Split) -> frozenset[str]:
    phrases = {name for field in fields().values() for name in field.names}
    for domain in domains(split):
        for entity in domain.entities:
            phrases |= {entity.noun, entity.plural, *entity.label.names}
    return frozenset(phrases)


@cache
def _tool_words(split: Split) -> frozenset[str]:
    verbs = {verb for verbs in VERBS.values() for verb in verbs}
    steps = {
        step.verb.replace("_", " ")
        for domain in domains(split)
        for entity in domain.entities
        for step in entity.flow.steps
    }
    return _spellings({*verbs, *steps, *SYSTEMS, *_BETWEEN, *_field_phrases(split)})


@cache
def _parameter_words(split: Split) -> frozenset[str]:
    options = {name for option in all_options() for name in option.names}
    return _spellings({*options, *PARAMETER_WORDS, *_BETWEEN, *_field_phrases(split)})
