"""Text in which certain marks mean something: what GBNF says of everything up to one.

GBNF has no "anything but this word". The automaton of Aho and Corasick (1975) over the marks does:
each state is the longest end of the text so far that begins a mark, and becomes one rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tooldrill.agent.constrain.rules import NOTHING, Rules, none_of, one_of


def until(rules: Rules, hint: str, mark: str) -> str:
    """The rule of any text that ends with the first `mark` in it."""
    return free_text(rules, hint, {mark: NOTHING}, may_end=False)


def free_text(
    rules: Rules,
    hint: str,
    marks: Mapping[str, str],
    forbidden: Iterable[str] = (),
    *,
    may_end: bool = True,
    not_first: str = "",
) -> str:
    """The rule of any text, until one of the marks stands in it.

    Args:
        marks: what follows each of them, as an expression; none is part of another.
        forbidden: marks that may not stand in the text; one that is part of a mark is left out.
        may_end: the text may also end without a mark.
        not_first: characters that the text may not begin with; it is then not empty either.
    """
    banned = {word for word in forbidden if not any(word in mark for mark in marks)}
    following = _following([*marks, *banned])
    states = sorted(prefix for prefix in following if prefix not in banned and prefix not in marks)
    names = {state: rules.reserve(f"{hint}-{number}") for number, state in enumerate(states)}

    def alternatives(state: str, refused: str) -> list[str]:
        moves: dict[str, str] = {}
        for begin in range(len(state) + 1):
            for character in following.get(state[begin:], ()):
                moves.setdefault(character, state[begin:] + character)
        found = []
        for character, text in sorted(moves.items()):
            if character not in refused and text not in banned:
                after = marks[text] if text in marks else names[text]
                found.append(f"{one_of(character)} {after}")
        leaving = {*moves, *refused}
        return [*found, f"{none_of(leaving) if leaving else '.'} {names['']}"]

    ending = [NOTHING] if may_end else []
    for state in states:
        rules.define(names[state], " | ".join([*alternatives(state, ""), *ending]))
    if not not_first:
        return names[""]
    return rules.add(f"{hint}-first", " | ".join(alternatives("", not_first)))


def other_word(
    rules: Rules, hint: str, words: Iterable[str], refused: Collection[str], end: str
) -> str:
    """The rule of any word that is none of these, and of the character that ends it.

    Args:
        refused: characters that no word is made of, `end` among them.
    """
    taken = {word for word in words if not set(word) & set(refused)}
    following = _following(taken)
    rest = rules.add(f"{hint}-rest", f"{none_of(refused)}* {one_of(end)}")
    names = {prefix: rules.reserve(f"{hint}-{n}") for n, prefix in enumerate(sorted(following))}
    for prefix, name in names.items():
        next_ones = sorted(following[prefix])
        parts = [f"{one_of(character)} {names[prefix + character]}" for character in next_ones]
        parts.append(f"{none_of({*refused, *next_ones})} {rest}")
        if prefix not in taken:
            parts.append(one_of(end))
        rules.define(name, " | ".join(parts))
    return names[""]


def _following(words: Iterable[str]) -> dict[str, set[str]]:
    """For every beginning of the words, and the words themselves, the characters that follow it."""
    found: dict[str, set[str]] = {"": set()}
    for word in words:
        for length, character in enumerate(word):
            found[word[:length]].add(character)
            found.setdefault(word[: length + 1], set())
    return found
