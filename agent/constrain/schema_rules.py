"""From a JSON Schema to GBNF: the values it allows, and which violations remain possible.

Where GBNF cannot say what the schema says, the grammar either allows less (the properties of an
object in declared order; only those, where the schema does not speak of others) or allows more, and
then notes in `loose` which classes of violation are not ruled out. Declared order, because a
grammar of every order doubles with each parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tooldrill.agent.constrain.free_text import other_word
from tooldrill.agent.constrain.merging import EVERYTHING, branches, plain
from tooldrill.agent.constrain.numbers import NUMBER, UNSIGNED, whole_number
from tooldrill.agent.constrain.rules import NOTHING, Rules, either
from tooldrill.agent.constrain.types import TYPES, implied_types, is_of
from tooldrill.agent.constrain.writing import LONGEST_REPETITION, Writing, written
from tooldrill.agent.json_schema import JsonSchema, at
from tooldrill.agent.violation import ViolationClass

_SPACE = r"[ \t\r\n]{0,24}"
# Keywords of a type that GBNF says nothing of.
_NOT_SAID = {
    "string": ("pattern", "format"),
    "integer": ("multipleOf",),
    "number": ("multipleOf", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("uniqueItems", "contains", "unevaluatedItems"),
    "object": ("minProperties", "maxProperties", "propertyNames", "patternProperties"),
}
_NO_RAW_CHARACTERS = '"\\' + "".join(map(chr, range(1, 32)))


class UnsatisfiableError(ValueError):
    """No value fits the schema; its text says where."""


def space(rules: Rules) -> str:
    """White space between the parts of a call; with an end, because some models find none."""
    return rules.add("space", _SPACE)


def members(
    rules: Rules, parts: Sequence[tuple[str, bool]], separator: str, more: str | None = None
) -> str:
    """The parts in order, those that are not required left out or not.

    Args:
        parts: expressions, each with whether it is required.
        separator: what stands between two of them.
        more: what may follow, any number of times.
    """
    first = rest = NOTHING
    if more is not None:
        rest = rules.add("more", f"({separator} {more})*")
        first = rules.add("more", f"{more} {rest} | {NOTHING}")
    for part, required in reversed(parts):
        now, later = f"{part} {rest}", f"{separator} {part} {rest}"
        first = rules.add("first", now if required else f"{now} | {first}")
        rest = rules.add("rest", later if required else f"{later} | {rest}")
    return first


class SchemaRules:
    """The rules of one schema and everything in it.

    Args:
        rules: where they go.
        writing: how values are written.
        root: the whole schema, for references into it.

    Attributes:
        loose: classes of violation that values which fit the grammar may still have.
    """

    def __init__(self, rules: Rules, writing: Writing, root: JsonSchema) -> None:
        self._rules = rules
        self._writing = writing
        self._root = root
        self._referenced: dict[str, str] = {}
        self._space = space(rules)
        self.loose: set[ViolationClass] = set()

    def value(self, schema: Any, hint: str) -> str:
        """Every value the schema allows.

        Raises:
            UnsatisfiableError: when there is none.
        """
        if schema is False:
            raise UnsatisfiableError(hint)
        if not isinstance(schema, dict) or not plain(schema):
            return self._anything()
        found, loose = branches(schema)
        self.loose |= loose
        kinds: list[str] = []
        failures = [UnsatisfiableError(hint)]
        for number, branch in enumerate(found, 1):
            inner = hint if len(found) == 1 else f"{hint}-{number}"
            kinds += _if_any(partial(self._branch, branch, inner), failures)
        if not kinds:
            raise failures[-1]
        return self._rules.add(hint, " | ".join(dict.fromkeys(kinds)))

    def named(
        self, schema: JsonSchema, hint: str, write: Callable[[str, str], str | None]
    ) -> list[tuple[str, bool]]:
        """The properties of an object in declared order, each with whether it is required.

        Args:
            write: a property given its name and the rule of its value; None when its name cannot
                be written.

        Raises:
            UnsatisfiableError: when a required one cannot be given.
        """
        described = schema.get("properties", {})
        required = schema.get("required", ())
        parts = []
        for name in dict.fromkeys([*described, *required]):
            inner = f"{hint}-{name}"
            failures = [UnsatisfiableError(inner)]
            values = _if_any(partial(self.value, described.get(name, True), inner), failures)
            part = write(name, values[0]) if values else None
            if part is not None:
                parts.append((self._rules.add(f"{inner}-given", part), name in required))
            elif name in required:
                raise failures[-1]
        return parts

    def _branch(self, schema: JsonSchema, hint: str) -> str:
        """A schema without alternatives."""
        if "$ref" in schema:
            return self._reference(schema, hint)
        if "const" in schema or "enum" in schema:
            return self._listed(schema, hint)
        named = schema.get("type", implied_types(schema))
        types = [named] if isinstance(named, str) else list(named)
        # A whole number is a number: both would be two ways to read one text.
        if "number" in types and "integer" in types:
            types.remove("integer")
        kinds: list[str] = []
        failures = [UnsatisfiableError(hint)]
        for name in types:
            kinds += _if_any(partial(self._of_type, name, schema, hint), failures)
        if not kinds:
            raise failures[-1]
        return either(kinds)

    def _reference(self, schema: JsonSchema, hint: str) -> str:
        reference = str(schema["$ref"])
        if len(schema) > 1:
            self.loose |= EVERYTHING
        if reference not in self._referenced:
            parts = [p.replace("~1", "/").replace("~0", "~") for p in reference[2:].split("/")]
            name = self._referenced[reference] = self._rules.reserve(parts[-1])
            self._rules.define(name, self.value(at(self._root, parts), f"{hint}-target"))
        return self._referenced[reference]

    def _listed(self, schema: JsonSchema, hint: str) -> str:
        options = schema.get("enum", [schema.get("const")])
        if schema.keys() - {"enum", "type"} and schema.keys() - {"const", "type"}:
            self.loose.add(ViolationClass.INVALID_VALUE)
        types = schema.get("type", TYPES)
        fitting = [o for o in options if is_of(o, [types] if isinstance(types, str) else types)]
        forms = [form for option in fitting if (form := written(self._writing, option))]
        if not forms:
            raise UnsatisfiableError(hint)
        return either(forms)

    def _of_type(self, kind: str, schema: JsonSchema, hint: str) -> str:
        if any(schema.get(key) not in (None, False) for key in _NOT_SAID.get(kind, ())):
            self.loose.add(ViolationClass.INVALID_VALUE)
        match kind:
            case "object":
                return self._object(schema, hint)
            case "array":
                return self._array(schema, hint)
            case "string":
                return self._string(schema)
            case "number":
                return self._number(schema)
            case "integer":
                whole = whole_number(schema)
                if whole is None:
                    raise UnsatisfiableError(hint)
                return self._rules.add("integer", whole)
            case "boolean":
                return either([self._writing.true, self._writing.false])
        return self._writing.null

    def _string(self, schema: JsonSchema) -> str:
        most = schema.get("maxLength")
        fewest = int(schema.get("minLength", 0))
        found = self._writing.string(self._rules, fewest, None if most is None else int(most))
        if found is None:
            self.loose.add(ViolationClass.INVALID_VALUE)
            found = self._writing.string(self._rules)
        assert found is not None  # a string of any length can always be said
        return found

    def _number(self, schema: JsonSchema) -> str:
        # Of a lower bound only the sign is said.
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        if schema.get("minimum", 0) != 0:
            self.loose.add(ViolationClass.INVALID_VALUE)
        if low is not None and low >= 0:
            return self._rules.add("unsigned-number", UNSIGNED)
        return self._rules.add("number", NUMBER)

    def _array(self, schema: JsonSchema, hint: str) -> str:
        places = schema.get("prefixItems", [])
        fewest = int(schema.get("minItems", 0))
        most = int(schema["maxItems"]) if "maxItems" in schema else None
        places = places if most is None else places[:most]
        parts = [
            (f"{self.value(place, f'{hint}-{n + 1}')} {self._space}", n < fewest)
            for n, place in enumerate(places)
        ]
        more = None
        if most != len(places):
            items = _if_any(partial(self.value, schema.get("items", True), f"{hint}-item"))
            more = self._rules.add(f"{hint}-items", f"{items[0]} {self._space}") if items else None
        separator = f'"," {self._space}'
        bounded = fewest > 0 or most is not None
        if more and not parts and bounded and max(fewest, most or 0) <= LONGEST_REPETITION:
            inside = _listing(more, separator, fewest, most)
        elif fewest > len(places) and more is None:
            raise UnsatisfiableError(hint)
        else:
            if more and (fewest > len(places) or most is not None):
                self.loose.add(ViolationClass.INVALID_VALUE)
            inside = members(self._rules, parts, separator, more)
        return f'"[" {self._space} {inside} "]"'

    def _object(self, schema: JsonSchema, hint: str) -> str:
        def pair(name: str, value: str) -> str | None:
            key = written(self._writing, name)
            return f'{key} {self._space} ":" {self._space} {value} {self._space}' if key else None

        if schema.get("patternProperties"):
            self.loose |= EVERYTHING
        parts = self.named(schema, hint, pair)
        more = self._other_properties(schema, hint)
        inside = members(self._rules, parts, f'"," {self._space}', more)
        return f'"{{" {self._space} {inside} "}}"'

    def _other_properties(self, schema: JsonSchema, hint: str) -> str | None:
        """Any property that is not named, with its value; None when there may be none."""
        names = [*schema.get("properties", {}), *schema.get("required", ())]
        others = schema.get("additionalProperties", schema.get("unevaluatedProperties"))
        if others is False or (others is None and names):
            return None
        values = _if_any(partial(self.value, True if others is None else others, f"{hint}-other"))
        if not values:
            return None
        end = f'{self._space} ":" {self._space} {values[0]} {self._space}'
        if not names:
            return self._rules.add(f"{hint}-pair", f"{self._writing.string(self._rules)} {end}")
        key = other_word(self._rules, f"{hint}-key", names, _NO_RAW_CHARACTERS, '"')
        return self._rules.add(f"{hint}-pair", rf"[\x22] {key} {end}")

    def _anything(self) -> str:
        if "anything" not in self._rules.bodies:
            name = self._rules.reserve("anything")
            kinds = [self._of_type(kind, {}, "any") for kind in TYPES]
            self._rules.define(name, " | ".join(kinds))
        return "anything"


def _if_any(make: Callable[[], str], failures: list[UnsatisfiableError] | None = None) -> list[str]:
    """The expression, as a list that is empty when nothing fits; `failures` then says where."""
    try:
        return [make()]
    except UnsatisfiableError as error:
        if failures is not None:
            failures.append(error)
        return []


def _listing(item: str, separator: str, fewest: int, most: int | None) -> str:
    """Items with separators between them."""
    if most == 0:
        return NOTHING
    after = f"({separator} {item}){{{max(fewest - 1, 0)},{'' if most is None else most - 1}}}"
    return f"{item} {after}" if fewest else f"({item} {after})?"
