"""GBNF, llama.cpp's notation of grammars: rules by name, and texts as they stand in one.

Nothing here knows of tools or JSON. Bodies are GBNF expressions; what is added twice with the same
body is one rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

NOTHING = '""'
"""The expression that matches the empty text; an alternative left blank would swallow the next
line."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_PLAIN = re.compile(r"[A-Za-z0-9_ ]")
_REFERENCE = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{[^}]*\}|([A-Za-z0-9-]+)')


class Rules:
    """The rules of one grammar, in the order they were added."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._purposes: dict[str, str] = {}
        self._owner: str | None = None
        self._numbers: Counter[str] = Counter()

    @contextmanager
    def owned_by(self, tool: str) -> Iterator[None]:
        """Rules added inside belong to that tool, for messages."""
        self._owner = tool
        try:
            yield
        finally:
            self._owner = None

    def add(self, hint: str, body: str) -> str:
        """The name of the rule with this body; a new one is called by the hint."""
        if body not in self._names:
            self._names[body] = self.reserve(hint)
            self.bodies[self._names[body]] = body
        return self._names[body]

    def once(self, purpose: str, write: Callable[[str], str]) -> str:
        """The one rule for a purpose; whatever tools and types are called, none is taken for it.

        Args:
            write: its body, from its own name; called when the rule is wanted for the first time.
        """
        if purpose not in self._purposes:
            name = self._purposes[purpose] = self.reserve(purpose)
            self.bodies[name] = write(name)
        return self._purposes[purpose]

    def reserve(self, hint: str) -> str:
        """A name of its own for a rule that is defined later, or refers to itself."""
        plain = _NOT_IN_NAMES.sub("-", hint).strip("-") or "rule"
        name = plain
        while name in self.bodies:
            self._numbers[plain] += 1
            name = f"{plain}-{self._numbers[plain]}"
        self.bodies[name] = NOTHING
        if self._owner is not None:
            self.owners[name] = self._owner
        return name

    def define(self, name: str, body: str) -> str:
        """Gives a reserved name its body."""
        self.bodies[name] = body
        return name


def references(body: str) -> list[str]:
    """Names of the rules that an expression refers to."""
    return [found for found in _REFERENCE.findall(body) if found]


def literal(text: str) -> str:
    """The expression that matches exactly this text, which holds no NUL."""
    return f'"{"".join(map(_escaped, text))}"'


def one_of(characters: Iterable[str]) -> str:
    """Any one of the characters."""
    return f"[{''.join(map(_escaped, sorted(set(characters))))}]"


def none_of(characters: Iterable[str]) -> str:
    """Any one character but these."""
    return f"[^{''.join(map(_escaped, sorted(set(characters))))}]"


def either(expressions: Iterable[str]) -> str:
    """Any of the expressions."""
    distinct = list(dict.fromkeys(expressions))
    return distinct[0] if len(distinct) == 1 else f"({' | '.join(distinct)})"


def any_text(following: Mapping[str, str]) -> str:
    """Any of the texts, each with the expression that follows it.

    What several begin with is written once: llama.cpp looks at every alternative on its own, for
    each candidate, which a list of a thousand values would feel.
    """
    if len(following) == 1:
        ((text, after),) = following.items()
        return f"{literal(text)} {after}".rstrip()
    shared = _alike(min(following), max(following))
    groups: dict[str, dict[str, str]] = {}
    for text, after in following.items():
        groups.setdefault(text[shared : shared + 1], {})[text[shared:]] = after
    parts = [any_text(group) for group in groups.values()]
    begin = next(iter(following))[:shared]
    return f"{literal(begin)} ({' | '.join(parts)})" if begin else f"({' | '.join(parts)})"


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common before they part."""
    together = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in together if a != b), min(len(one), len(other)))


def repeated(expression: str, fewest: int, most: int | None) -> str:
    """The expression so many times; `most` None is without end."""
    if (fewest, most) == (0, None):
        return f"{expression}*"
    return f"{expression}{{{fewest},{'' if most is None else most}}}"


def _escaped(character: str) -> str:
    if _PLAIN.match(character):
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
