"""Values between tags, as GBNF: text whose type the parameter's schema tells.

The mirror of `protocols.dialects.typed_text`, which reads them. A value ends with the first closing
tag, which is part of these rules. Of a text, GBNF says nothing but where it ends.
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.constrain.free_text import until
from tooldrill.agent.constrain.loose import EVERYTHING, VALUES
from tooldrill.agent.constrain.merging import branches, plain
from tooldrill.agent.constrain.rules import Rules, any_text, either, literal
from tooldrill.agent.constrain.schema_rules import SchemaRules, space
from tooldrill.agent.constrain.unsatisfiable import UnsatisfiableError, if_any
from tooldrill.agent.constrain.writing import JsonInTags
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.protocols.dialects.tagged import Tagged
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
        self._end = dialect.form.end_value
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
        return f"{either(kinds)} {literal(self._end)}"

    def _text(self) -> str:
        return self._rules.once("text-value", lambda _: until(self._rules, "text", self._end))

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
            if len(one.keys() - {"type"}) > 1:
                self.loose |= VALUES
            # What would be read as something else cannot be written.
            texts = [form for option in options for form in self._forms(option, schema)]
            listed = dict.fromkeys(texts, "")
            return [f"{self._pad} {any_text(listed)} {self._pad}"] if listed else []
        gap = space(self._rules)
        words = [w for kind in json_types(one) or () for w in _WORDS.get(kind, ())]
        value = if_any(lambda: self._json.value(one, f"{hint}-{number}"))
        forms = [*([value] if value else []), *map(literal, words)]
        return [f"{gap} {either(forms)} {gap}"] if forms else []

    def _forms(self, option: Any, schema: JsonSchema) -> list[str]:
        """The texts that are read as exactly this value."""
        candidates = [option] if isinstance(option, str) else JsonInTags().forms(option)
        if isinstance(option, bool) or option is None:
            candidates = [*candidates, str(option)]
        sayable = [text for text in candidates if self._end not in text and "\0" not in text]
        return [text for text in sayable if _same(read_text(text, schema), option)]


def _is_text(schema: JsonSchema) -> bool:
    return "string" in (json_types(schema) or {"string"}) and not {"enum", "const"} & schema.keys()


def _same(value: Any, option: Any) -> bool:
    return bool(value == option) and isinstance(value, bool) == isinstance(option, bool)
