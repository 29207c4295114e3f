"""How values are written: JSON, JSON inside tags, Python literals. As GBNF, value by value.

What a value may be is the schema's matter (`schema_rules`).
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from tooldrill.agent.constrain.rules import Rules, either, literal, repeated
from tooldrill.agent.protocols.dialects.python_literals import write_literal
from tooldrill.agent.protocols.json_text import half_character

# Longest repetition written out; every step of it becomes a rule of llama.cpp's.
LONGEST_REPETITION = 200

_HEX = "[0-9a-fA-F]"
# Half a character alone is no character: what stands for one comes in pairs.
_UNICODE_ESCAPE = (
    f'"u" ([0-9a-cefA-CEF] {_HEX}{{3}} | [dD] [0-7] {_HEX}{{2}} | '
    f'[dD] [89abAB] {_HEX}{{2}} "\\\\u" [dD] [c-fC-F] {_HEX}{{2}})'
)
_JSON_ESCAPE = rf'[\\] (["\\/bfnrt] | {_UNICODE_ESCAPE})'
_PYTHON_ESCAPE = rf"""[\\] (["'\\/abfnrtv0] | "x" {_HEX}{{2}} | {_UNICODE_ESCAPE})"""
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


class JsonWriting:
    """JSON; characters raw or as escapes."""

    true, false, null = '"true"', '"false"', '"null"'

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None) -> str | None:
        if max(fewest, most or 0) > LONGEST_REPETITION:
            return None
        character = rules.add("character", rf"[ !#-\[\]-~{_BEYOND_ASCII}] | {_JSON_ESCAPE}")
        return rules.add("string", rf"[\x22] {repeated(character, fewest, most)} [\x22]")

    def forms(self, value: Any) -> list[str]:
        forms = [
            json.dumps(value, ensure_ascii=False),
            json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            json.dumps(value),
        ]
        return [] if half_character(forms[0]) else list(dict.fromkeys(forms))


class JsonInTags(JsonWriting):
    """JSON between tags: no string of it holds what begins a closing tag."""

    def string(self, rules: Rules, fewest: int = 0, most: int | None = None) -> str | None:
        if (fewest, most) != (0, None):
            return None
        if "tag-string" not in rules.bodies:
            string, inside = rules.reserve("tag-string"), rules.reserve("tag-string-inside")
            after = rules.reserve("tag-string-after")
            others = rf"{_JSON_ESCAPE} {inside} | [<] {after} | [\x22]"
            rules.define(string, rf"[\x22] {inside}")
            rules.define(inside, rf"[ !#-;=-\[\]-~{_BEYOND_ASCII}] {inside} | {others}")
            rules.define(after, rf"[ !#-.0-;=-\[\]-~{_BEYOND_ASCII}] {inside} | {others}")
        return "tag-string"

    def forms(self, value: Any) -> list[str]:
        return [form for form in super().forms(value) if "</" not in form]


class PythonWriting:
    """Python literals; strings in either kind of quotes."""

    true, false = '("True" | "true")', '("False" | "false")'
    null = '("None" | "null")'

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


def written(writing: Writing, value: Any) -> str | None:
    """The expression of this one value; None when it cannot be written."""
    forms = writing.forms(value)
    return either(map(literal, forms)) if forms else None
