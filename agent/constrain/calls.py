"""How one call of any tool is written in each dialect, as GBNF: from after the opening mark on.

A dialect that is not listed in `CALLS` cannot be constrained. Arguments stand in declared order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tooldrill.agent.constrain.merging import EVERYTHING, branches
from tooldrill.agent.constrain.rules import Rules, either, literal
from tooldrill.agent.constrain.schema_rules import (
    SchemaRules,
    UnsatisfiableError,
    members,
    space,
)
from tooldrill.agent.constrain.tag_values import TagValues
from tooldrill.agent.constrain.writing import JsonWriting, PythonWriting, Writing, written
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.json_schema import (
    JsonSchema,
    closed,
    object_properties,
    required_properties,
)
from tooldrill.agent.protocols.dialects import tagged
from tooldrill.agent.protocols.dialects.bare_json import BareJson
from tooldrill.agent.protocols.dialects.hermes import Hermes
from tooldrill.agent.protocols.dialects.json_list import JsonList
from tooldrill.agent.protocols.dialects.named_json import ARGUMENTS, ID, NamedJson
from tooldrill.agent.protocols.dialects.pythonic import Pythonic
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass

_TAG_NAME = re.compile(r"[^<>\n]*[^<>\s][^<>\n]*")
_PYTHON_NAME = re.compile(r"[^\s()\[\]{}=,'\"<>]+")
_MARKED_NAME = re.compile(r"[^\[\]{}\s]+")


class CallRules:
    """The rules of a registry's calls.

    Attributes:
        loose: classes of violation that a call which fits the grammar may still have.
    """

    def __init__(self, rules: Rules, registry: Registry) -> None:
        self.rules = rules
        self.registry = registry
        self.space = space(rules)
        self.loose: set[ViolationClass] = set()

    def any_tool(self, write: Callable[[Tool], str]) -> str:
        """A call of any of the tools, each as `write` has it.

        Raises:
            TooldrillError: for a tool that cannot be called at all.
        """
        kinds = []
        for tool in self.registry:
            with self.rules.owned_by(tool.name):
                try:
                    kinds.append(self.rules.add(tool.name, write(tool)))
                except UnsatisfiableError as error:
                    raise TooldrillError(
                        f"tool {tool.name!r}: no value fits its schema at {error}",
                        "mend the schema, leave the tool out, or set loop.constrain=off",
                    ) from None
        return either(kinds)

    def json_object(self, name_key: str, arguments_key: str, after: str = "") -> str:
        """The rest of an object with these two keys, after its brace.

        Args:
            after: what may follow the arguments in the object.
        """

        def write(tool: Tool) -> str:
            key = f'"," {self.space} {literal(_quoted(arguments_key))} {self.space} ":"'
            given = f"{key} {self.space} {self.arguments(tool, JsonWriting())} {self.space}"
            # A call without arguments may leave them out.
            given = f"({given})?" if tool.checker.accepts({}) else given
            return f"{_written(tool)} {self.space} {given}"

        name = f'{literal(_quoted(name_key))} {self.space} ":" {self.space}'
        return f'{name} {self.any_tool(write)} {after} "}}"'

    def arguments(self, tool: Tool, writing: Writing) -> str:
        """The arguments object."""
        schema = _arguments_schema(tool)
        values = SchemaRules(self.rules, writing, schema)
        rule = values.value(schema, f"{tool.name}-arguments")
        self.loose |= values.loose
        return rule

    def plain_name(self, name: str, allowed: re.Pattern[str], dialect: str) -> str:
        """A name written without quotes.

        Raises:
            TooldrillError: when the dialect cannot write it.
        """
        if allowed.fullmatch(name) is None:
            raise TooldrillError(
                f"the dialect {dialect} cannot write the name {name!r}",
                "rename it, or set loop.protocol=react_json",
            )
        return literal(name)


def hermes_call(calls: CallRules, dialect: Any) -> str:
    """An object and the closing tag."""
    body = calls.json_object("name", "arguments")
    return f'{calls.space} "{{" {calls.space} {body} {calls.space} {literal(dialect.marks[1])}'


def bare_call(calls: CallRules, dialect: Any) -> str:
    """An object that is the whole reply."""
    return f'"{{" {calls.space} {calls.json_object("name", dialect.key)}'


def list_call(calls: CallRules, dialect: Any) -> str:
    """A list of one object."""
    string = JsonWriting().string(calls.rules)
    identity = f'("," {calls.space} {literal(_quoted("id"))} {calls.space} ":" {calls.space}'
    after = f"{identity} {string} {calls.space})?" if dialect.ids else ""
    body = f'"{{" {calls.space} {calls.json_object("name", "arguments", after)}'
    closing = f"{calls.space} {literal(dialect.marks[1])}" if dialect.marks[1] else ""
    return f'{calls.space} "[" {calls.space} {body} {calls.space} "]" {closing}'


def named_call(calls: CallRules, dialect: Any) -> str:
    """A name, perhaps an id, and the arguments."""
    identity = f"({literal(ID)} {calls.space} [0-9A-Za-z_]{{1,24}} {calls.space})?"

    def write(tool: Tool) -> str:
        name = calls.plain_name(tool.name, _MARKED_NAME, dialect.name)
        head = f"{name} {calls.space} {identity if dialect.ids else ''} {literal(ARGUMENTS)}"
        return f"{head} {calls.space} {calls.arguments(tool, JsonWriting())}"

    return f"{calls.space} {calls.any_tool(write)}"


def python_call(calls: CallRules, dialect: Any) -> str:
    """A list of one call with named arguments."""
    gap = calls.space

    def write(tool: Tool) -> str:
        schema = _arguments_schema(tool)
        values = SchemaRules(calls.rules, PythonWriting(), schema)
        found, loose = branches(schema)
        calls.loose |= loose | values.loose

        def given(name: str, value: str) -> str:
            key = calls.plain_name(name, _PYTHON_NAME, dialect.name)
            return f'{key} {gap} "=" {gap} {value} {gap}'

        hint = f"{tool.name}-argument"
        lists = [
            members(calls.rules, values.named(one, hint, given), f'"," {gap}') for one in found
        ]
        calls.loose |= values.loose
        name = calls.plain_name(tool.name, _PYTHON_NAME, dialect.name)
        return f'{name} "(" {gap} {either(lists)} ")" {gap}'

    body = f'"[" {gap} {calls.any_tool(write)} "]"'
    return f"{gap} {body} {gap} {literal(dialect.marks[1])}"


def tagged_call(calls: CallRules, dialect: Any) -> str:
    """A tag for the function, and one for every argument."""

    def write(tool: Tool) -> str:
        schema = _arguments_schema(tool)
        if any(key in schema for key in ("allOf", "anyOf", "oneOf", "if", "not")):
            calls.loose |= EVERYTHING
        values = TagValues(calls.rules, dialect, schema)
        parts = []
        for name, described in object_properties(tool.schema).items():
            tag = calls.plain_name(name, _TAG_NAME, dialect.name)
            value = values.value(described, f"{tool.name}-argument-{name}")
            part = f'"<parameter=" {tag} ">" {value} {calls.space}'
            parts.append((calls.rules.add(f"{tool.name}-{name}", part), name))
        required = required_properties(tool.schema)
        inside = members(calls.rules, [(part, name in required) for part, name in parts], "")
        calls.loose |= values.loose
        name = calls.plain_name(tool.name, _TAG_NAME, dialect.name)
        return f'{name} ">" {calls.space} {inside} {literal(tagged.END_FUNCTION)}'

    body = f'"<function=" {calls.any_tool(write)}'
    return f"{calls.space} {body} {calls.space} {literal(tagged.CLOSE)}"


CALLS: dict[type, Callable[[CallRules, Any], str]] = {
    Hermes: hermes_call,
    BareJson: bare_call,
    JsonList: list_call,
    NamedJson: named_call,
    Pythonic: python_call,
    tagged.Tagged: tagged_call,
}
"""The rest of a call after the opening mark of its dialect."""


def _arguments_schema(tool: Tool) -> JsonSchema:
    """What the checker checks against, with the properties in declared order."""
    schema = closed(tool.schema)
    declared = tool.schema.get("properties", {})
    return {**schema, "properties": declared | schema.get("properties", {})}


def _quoted(key: str) -> str:
    return f'"{key}"'


def _written(tool: Tool) -> str:
    name = written(JsonWriting(), tool.name)
    if name is None:
        raise UnsatisfiableError("its name")
    return name
