"""How values are written: JSON, JSON inside tags, Python literals. As GBNF, value by value.

What a value may be is the schema's matter (`schema_rules`).
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from tooldrill.agent.constrain.rules import Rules, any_text, repeated
from tooldrill.agent.protocols.dialects.python_literals import write_literal
from tooldrill.agent.protocols.json_text import half_character

# Longest repetition written out; every step of it becomes a rule of llama.cpp's.
LONGEST_REPETITION = 200

_HEX = "[0-9a-fA-F]"
SURROGATES = f'[dD] [89abAB] {_HEX}{{2}} "\\\\u" [dD] [c-fC-F] {_HEX}{{2}}'
"""The digits of an escape that stands for one half of a character, and the escape of the other."""
# Half a character alone is no character: what stands for one comes in pairs.
_UNICODE_ESCAPE = f'"u" ([0-9a-cefA-CEF] {_HEX}{{3}} | [dD] [0-7] {_HEX}{{2}} | {SURROGATES})'
# Beyond the characters that four digits can say.
_LONG_ESCAPE = f'"U" ("000" [1-9a-fA-F] {_HEX}{{4}} | "0010" {_HEX}{{4}})'
_JSON_ESCAPE = rf'[\\] (["\\/bfnrt] | {_UNICODE_ESCAPE})'
_PYTHON_ESCAPE = (
    rf"""[\\] (["'\\/abfnrtv0] | "x" {_HEX}{{2}} | {_UNICODE_ESCAPE} | {_LONG_ESCAPE})"""
)
_NOT_IN_KEYS = '"\\' + "".join(map(chr, range(1, 32)))
_BEYOND_ASCII = r"\x7F-\uD7FF\uE000-\U0010FFFF"


class Writing(Protocol):
    """One way to write values."""

    @property
    def true(self) -> str:
        """The expression of true, false and null each, in every spelling."""
        ...

    @property
    def false(self) -> str: ...

    @property
    def null(self) -> str: ...

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None, /) -> str | None:
        """Any string of so many characters; None when that cannot be said."""
        ...

    def forms(self, value: Any, /) -> list[str]:
        """Every way to write this value that a model may take; none when it cannot be written."""
        ...

    @property
    def not_in_keys(self) -> str:
        """Characters that do not stand as they are in the key of a property that is not named."""
        ...


def json_character(rules: Rules) -> str:
    """One character of a string, as it is or as an escape."""
    return rules.add("character", rf"[ !#-\[\]-~{_BEYOND_ASCII}] | {_JSON_ESCAPE}")


class JsonWriting:
    """JSON; characters raw or as escapes."""

    true, false, null = '"true"', '"false"', '"null"'
    not_in_keys = _NOT_IN_KEYS

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None) -> str | None:
        if max(fewest, most or 0) > LONGEST_REPETITION:
            return None
        character = repeated(json_character(rules), fewest, most)
        return rules.add("string", rf"[\x22] {character} [\x22]")

    def forms(self, value: Any) -> list[str]:
        forms = [
            json.dumps(value, ensure_ascii=False),
            json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            json.dumps(value),
        ]
        return [] if half_character(forms[0]) else list(dict.fromkeys(forms))


class JsonInTags(JsonWriting):
    """JSON between tags: no string of it holds what begins a closing tag."""

    not_in_keys = _NOT_IN_KEYS + "<"

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None) -> str | None:
        if (fewest, most) != (0, None):
            return None
        return rules.once("tag-string", lambda _: rf"[\x22] {self._inside(rules)}")

    @staticmethod
    def _inside(rules: Rules) -> str:
        """The rest of a string after its first quote."""
        inside, after = rules.reserve("tag-string-inside"), rules.reserve("tag-string-after")
        others = rf"{_JSON_ESCAPE} {inside} | [<] {after} | [\x22]"
        rules.define(inside, rf"[ !#-;=-\[\]-~{_BEYOND_ASCII}] {inside} | {others}")
        rules.define(after, rf"[ !#-.0-;=-\[\]-~{_BEYOND_ASCII}] {inside} | {others}")
        return inside

    def forms(self, value: Any) -> list[str]:
        return [form for form in super().forms(value) if "</" not in form]


class PythonWriting:
    """Python literals; strings in either kind of quotes."""

    true, false = '("True" | "true")', '("False" | "false")'
    null = '("None" | "null")'
    not_in_keys = _NOT_IN_KEYS

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None) -> str | None:
        if max(fewest, most or 0) > LONGEST_REPETITION:
            return None
        kinds = []
        for quote, plain in ((r"\x22", r"!#-\[\]-~"), ("'", r"!-&(-\[\]-~")):
            body = rf"[\t {plain}{_BEYOND_ASCII}] | {_PYTHON_ESCAPE}"
            character = rules.add("python-character", body)
            kinds.append(f"[{quote}] {repeated(character, fewest, most)} [{quote}]")
        return rules.add("python-string", " | ".join(kinds))

    def forms(self, value: Any) -> list[str]:
        forms = [write_literal(value), repr(value), json.dumps(value, ensure_ascii=False)]
        if isinstance(value, str):
            inside = forms[0][1:-1].replace('\\"', '"').replace("'", "\\'")
            forms.append(f"'{inside}'")
        return [] if half_character(forms[0]) else list(dict.fromkeys(forms))


def written(writing: Writing, *values: Any) -> str | None:
    """The expression of exactly these values; None when none of them can be written."""
    forms = [form for value in values for form in writing.forms(value)]
    return any_text(dict.fromkeys(forms, "")) if forms else None
