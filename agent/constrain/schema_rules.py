"""From a JSON Schema to GBNF: the values it allows, and which violations remain possible.

Where GBNF cannot say what the schema says, the grammar either allows less (the properties of an
object in declared order; only those, where the schema does not speak of others) or allows more, and
then notes in `loose` which classes of violation are not ruled out. Declared order, because a
grammar of every order doubles with each parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from tooldrill.agent.constrain.free_text import other_word
from tooldrill.agent.constrain.lists import listing, members, places
from tooldrill.agent.constrain.loose import EVERYTHING, VALUES, looseness
from tooldrill.agent.constrain.merging import branches, plain
from tooldrill.agent.constrain.numbers import NUMBER, UNSIGNED, whole_number
from tooldrill.agent.constrain.rules import NOTHING, Rules, either
from tooldrill.agent.constrain.types import TYPES, implied_types, is_of
from tooldrill.agent.constrain.unsatisfiable import UnsatisfiableError, at_least_one, if_any
from tooldrill.agent.constrain.writing import LONGEST_REPETITION, Writing, written
from tooldrill.agent.json_schema import JsonSchema, at
from tooldrill.agent.violation import ViolationClass

_SPACE = r"[ \t\r\n]{0,24}"


def space(rules: Rules) -> str:
    """White space between the parts of a call; with an end, because some models find none."""
    return rules.add("space", _SPACE)


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

        def one(number: int) -> str:
            inner = hint if len(found) == 1 else f"{hint}-{number + 1}"
            return self._branch(found[number], inner)

        kinds = at_least_one((partial(one, n) for n in range(len(found))), hint)
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
            try:
                part = write(name, self.value(described.get(name, True), inner))
            except UnsatisfiableError:
                if name in required:
                    raise
                continue
            if part is not None:
                parts.append((self._rules.add(f"{inner}-given", part), name in required))
            elif name in required:
                raise UnsatisfiableError(inner)
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
        return either(
            at_least_one((partial(self._of_type, name, schema, hint) for name in types), hint)
        )

    def _reference(self, schema: JsonSchema, hint: str) -> str:
        reference = str(schema["$ref"])
        if len(schema) > 1:
            self.loose |= EVERYTHING
        if not self._endings.has_end(reference):
            raise UnsatisfiableError(hint)
        if reference not in self._referenced:
            name = self._referenced[reference] = self._rules.reserve(reference.rpartition("/")[2])
            self._rules.define(name, self.value(self._target(reference), f"{hint}-target"))
        return self._referenced[reference]

    @cached_property
    def _endings(self) -> _Endings:
        return _Endings(self._writing, self._root)

    def _target(self, reference: str) -> JsonSchema:
        """What a JSON pointer (RFC 6901) points at; what is not found may be anything."""
        if reference == "#":
            return self._root
        parts = [p.replace("~1", "/").replace("~0", "~") for p in unquote(reference).split("/")]
        target = at(self._root, parts[1:]) if parts[0] == "#" else {}
        if not target:
            self.loose |= EVERYTHING
        return target

    def _listed(self, schema: JsonSchema, hint: str) -> str:
        options = schema.get("enum", [schema.get("const")])
        if schema.keys() - {"enum", "type"} and schema.keys() - {"const", "type"}:
            self.loose |= VALUES
        types = schema.get("type", TYPES)
        fitting = [o for o in options if is_of(o, [types] if isinstance(types, str) else types)]
        found = written(self._writing, *fitting)
        if found is None:
            raise UnsatisfiableError(hint)
        return found

    def _of_type(self, kind: str, schema: JsonSchema, hint: str) -> str:
        self.loose |= looseness(kind, schema)
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
            self.loose |= VALUES
            found = self._writing.string(self._rules)
        assert found is not None  # a string of any length can always be said
        return found

    def _number(self, schema: JsonSchema) -> str:
        # Of a lower bound only the sign is said.
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        if schema.get("minimum", 0) != 0:
            self.loose |= VALUES
        if low is not None and low >= 0:
            return self._rules.add("unsigned-number", UNSIGNED)
        return self._rules.add("number", NUMBER)

    def _array(self, schema: JsonSchema, hint: str) -> str:
        first = schema.get("prefixItems", [])
        fewest = int(schema.get("minItems", 0))
        most = int(schema["maxItems"]) if "maxItems" in schema else None
        first = first if most is None else first[:most]
        parts = [
            f"{self.value(place, f'{hint}-{n + 1}')} {self._space}" for n, place in enumerate(first)
        ]
        more = None
        if most != len(first):
            others = schema.get("items", schema.get("unevaluatedItems", True))
            items = if_any(partial(self.value, others, f"{hint}-item"))
            more = self._rules.add(f"{hint}-items", f"{items} {self._space}") if items else None
        separator = f'"," {self._space}'
        bounded = fewest > 0 or most is not None
        if more and not parts and bounded and max(fewest, most or 0) <= LONGEST_REPETITION:
            inside = listing(more, separator, fewest, most)
        elif fewest > len(first) and more is None:
            raise UnsatisfiableError(hint)
        else:
            if more and (fewest > len(first) or most is not None):
                self.loose |= VALUES
            inside = places(parts, fewest, separator, more)
        return f'"[" {self._space} {inside} "]"'

    def _object(self, schema: JsonSchema, hint: str) -> str:
        def pair(name: str, value: str) -> str | None:
            key = written(self._writing, name)
            return f'{key} {self._space} ":" {self._space} {value} {self._space}' if key else None

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
        values = if_any(partial(self.value, True if others is None else others, f"{hint}-other"))
        if not values:
            return None
        end = f'{self._space} ":" {self._space} {values} {self._space}'
        if not names:
            return self._rules.add(f"{hint}-pair", f"{self._writing.string(self._rules)} {end}")
        key = other_word(self._rules, f"{hint}-key", names, self._writing.not_in_keys, '"')
        return self._rules.add(f"{hint}-pair", rf"[\x22] {key} {end}")

    def _anything(self) -> str:
        def kinds(_: str) -> str:
            return " | ".join(self._of_type(kind, {}, "any") for kind in TYPES)

        return self._rules.once("anything", kinds)


class _Endings(SchemaRules):
    """Which references some finite value fits. The rules that come about on the way are dropped.

    What has to hold itself without end is told from what may: a value that fits has a smallest
    form, and on no way through that one is a reference met inside of itself.
    """

    def __init__(self, writing: Writing, root: JsonSchema) -> None:
        super().__init__(Rules(), writing, root)
        self._under_way: set[str] = set()
        self._ending: set[str] = set()

    def has_end(self, reference: str) -> bool:
        return if_any(partial(self._reference, {"$ref": reference}, "")) is not None

    def _reference(self, schema: JsonSchema, hint: str) -> str:
        reference = str(schema["$ref"])
        if reference in self._under_way:
            raise UnsatisfiableError(hint)
        if reference not in self._ending:
            self._under_way.add(reference)
            try:
                self.value(self._target(reference), hint)
            finally:
                self._under_way.remove(reference)
            # Also when others are under way: it can do without them.
            self._ending.add(reference)
        return NOTHING
