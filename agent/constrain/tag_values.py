"""Values between tags, as GBNF: text whose type the parameter's schema tells.

The mirror of `protocols.dialects.typed_text`, which reads them. A value ends with the first closing
tag, which is part of these rules. Of a text, GBNF says nothing but where it ends.
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.constrain.free_text import until
from tooldrill.agent.constrain.merging import EVERYTHING, branches, plain
from tooldrill.agent.constrain.rules import Rules, either, literal
from tooldrill.agent.constrain.schema_rules import SchemaRules, UnsatisfiableError, space
from tooldrill.agent.constrain.writing import JsonInTags
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.protocols.dialects.tagged import END_VALUE, Tagged
from tooldrill.agent.protocols.dialects.typed_text import json_types, read_text
from tooldrill.agent.violation import ViolationClass

_WORDS = {"boolean": ("True", "False"), "null": ("None",)}
# The name of the argument itself stands in a tag of its own.
_INSIDE = EVERYTHING - {ViolationClass.BORROWED_ARGUMENT, ViolationClass.STICKY_ARGUMENT}


class TagValues:
    """The rules of one tool's values.

    Attributes:
        loose: classes of violation that values which fit the grammar may still have.
    """

    def __init__(self, rules: Rules, dialect: Tagged, root: JsonSchema) -> None:
        self._rules = rules
        self._pad = f"{literal(dialect.pad)}?" if dialect.pad else ""
        self._json = SchemaRules(rules, JsonInTags(), root)
        self.loose = self._json.loose

    def value(self, schema: Any, hint: str) -> str:
        """Every value the schema allows, and the closing tag.

        Raises:
            UnsatisfiableError: when there is none.
        """
        if schema is False:
            raise UnsatisfiableError(hint)
        if not isinstance(schema, dict) or not plain(schema):
            return self._text()
        types, (found, loose) = json_types(schema), branches(schema)
        self.loose |= _INSIDE if "allOf" in schema else loose
        if types is None:
            self.loose |= _INSIDE
            return self._text()
        if any(_is_text(one) for one in found):
            self.loose |= self._text_looseness(types, found)
            return self._text()
        kinds = [kind for n, one in enumerate(found) for kind in self._kinds(one, schema, n, hint)]
        if not kinds:
            raise UnsatisfiableError(hint)
        return f"{either(kinds)} {literal(END_VALUE)}"

    def _text(self) -> str:
        if "text-value" not in self._rules.bodies:
            name = self._rules.reserve("text-value")
            self._rules.define(name, until(self._rules, "text", END_VALUE))
        return "text-value"

    @staticmethod
    def _text_looseness(
        types: frozenset[str], found: list[JsonSchema]
    ) -> frozenset[ViolationClass] | set[ViolationClass]:
        """What a text may be that is read by its looks, beside a string."""
        if all(one.keys() <= {"type"} for one in found) and not types & {"array", "object"}:
            return set()
        return {ViolationClass.INVALID_VALUE} if types == {"string"} else _INSIDE

    def _kinds(self, one: JsonSchema, schema: JsonSchema, number: int, hint: str) -> list[str]:
        """The ways to write one alternative."""
        options = one.get("enum", [one["const"]] if "const" in one else None)
        if options is not None:
            # What would be read as something else cannot be written.
            texts = [form for option in options for form in _forms(option, schema)]
            listed = [f"{self._pad} {literal(text)} {self._pad}" for text in texts]
            return [either(listed)] if listed else []
        gap = space(self._rules)
        words = [w for kind in json_types(one) or () for w in _WORDS.get(kind, ())]
        forms = [self._json.value(one, f"{hint}-{number}"), *map(literal, words)]
        return [f"{gap} {either(forms)} {gap}"]


def _is_text(schema: JsonSchema) -> bool:
    return "string" in (json_types(schema) or {"string"}) and not {"enum", "const"} & schema.keys()


def _forms(option: Any, schema: JsonSchema) -> list[str]:
    """The texts that are read as exactly this value."""
    candidates = [option] if isinstance(option, str) else JsonInTags().forms(option)
    if isinstance(option, bool) or option is None:
        candidates = [*candidates, str(option)]
    return [
        text
        for text in candidates
        if END_VALUE not in text and "\0" not in text and _same(read_text(text, schema), option)
    ]


def _same(value: Any, option: Any) -> bool:
    return bool(value == option) and isinstance(value, bool) == isinstance(option, bool)
