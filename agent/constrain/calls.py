"""How one call of any tool is written in each dialect, as GBNF: from after the opening mark on.

A dialect that is not listed in `CALLS` cannot be constrained. Arguments stand in declared order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from tooldrill.agent.constrain.lists import members
from tooldrill.agent.constrain.loose import EVERYTHING, Loose, looseness
from tooldrill.agent.constrain.merging import branches
from tooldrill.agent.constrain.rules import Rules, any_text, either, literal
from tooldrill.agent.constrain.schema_rules import SchemaRules, space
from tooldrill.agent.constrain.tag_values import TagValues
from tooldrill.agent.constrain.unsatisfiable import UnsatisfiableError, at_least_one, if_any
from tooldrill.agent.constrain.writing import JsonWriting, PythonWriting, Writing
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.json_schema import (
    JsonSchema,
    closed,
    object_properties,
    required_properties,
)
from tooldrill.agent.protocols.dialects.bare_json import BareJson
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.dialects.hermes import Hermes
from tooldrill.agent.protocols.dialects.json_list import JsonList
from tooldrill.agent.protocols.dialects.named_json import ID, NamedJson
from tooldrill.agent.protocols.dialects.pythonic import Pythonic
from tooldrill.agent.protocols.dialects.tagged import Tagged
from tooldrill.agent.protocols.thinking import PLAIN
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass

_PYTHON_NAME = re.compile(r"[^\s()\[\]{}=,'\"<>]+")


class Written(NamedTuple):
    """A call of one tool as GBNF.

    Attributes:
        names: every way to write the tool's name.
        rest: the expression of what follows it.
    """

    names: list[str]
    rest: str


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

    def any_tool(self, write: Callable[[Tool], Written]) -> str:
        """A call of any of the tools, each as `write` has it.

        Raises:
            TooldrillError: for a tool that cannot be called at all.
        """
        following: dict[str, str] = {}
        for tool in self.registry:
            with self.rules.owned_by(tool.name):
                try:
                    call = write(tool)
                    following |= dict.fromkeys(call.names, self.rules.add(tool.name, call.rest))
                except UnsatisfiableError as error:
                    raise TooldrillError(
                        f"tool {tool.name!r}: no value fits its schema at {error}",
                        "mend the schema, leave the tool out, or set loop.constrain=off",
                    ) from None
        return any_text(following)

    def json_object(self, name_key: str, arguments_key: str, after: str = "") -> str:
        """The rest of an object with these two keys, after its brace.

        Args:
            after: what may follow the arguments in the object.
        """

        def write(tool: Tool) -> Written:
            key = f'"," {self.space} {literal(_quoted(arguments_key))} {self.space} ":"'
            given = f"{key} {self.space} {self.arguments(tool, JsonWriting())} {self.space}"
            # A call without arguments may leave them out.
            given = f"({given})?" if tool.checker.accepts({}) else given
            names = JsonWriting().forms(tool.name)
            if not names:
                raise UnsatisfiableError("its name")
            return Written(names, f"{self.space} {given}")

        name = f'{literal(_quoted(name_key))} {self.space} ":" {self.space}'
        return f'{name} {self.any_tool(write)} {after} "}}"'

    def arguments(self, tool: Tool, writing: Writing) -> str:
        """The arguments object."""
        schema = _arguments_schema(tool)
        values = SchemaRules(self.rules, writing, schema)
        rule = values.value(schema, f"{tool.name}-arguments")
        self.loose |= values.loose
        return rule

    @staticmethod
    def plain_name(name: str, allowed: re.Pattern[str], dialect: str) -> str:
        """A name, as it can be written without quotes.

        Raises:
            TooldrillError: when the dialect cannot write it.
        """
        if allowed.fullmatch(name) is None:
            raise TooldrillError(
                f"the dialect {dialect} cannot write the name {name!r}",
                "rename it, or set loop.protocol=react_json",
            )
        return name


def hermes_call(calls: CallRules, dialect: Hermes) -> str:
    """An object and the closing tag."""
    body = calls.json_object("name", "arguments")
    return f'{calls.space} "{{" {calls.space} {body} {calls.space} {literal(dialect.marks[1])}'


def bare_call(calls: CallRules, dialect: BareJson) -> str:
    """An object that is the whole reply."""
    return f'"{{" {calls.space} {calls.json_object("name", dialect.key)}'


def list_call(calls: CallRules, dialect: JsonList) -> str:
    """A list of one object."""
    string = JsonWriting().string(calls.rules)
    identity = f'("," {calls.space} {literal(_quoted("id"))} {calls.space} ":" {calls.space}'
    after = f"{identity} {string} {calls.space})?" if dialect.ids else ""
    body = f'"{{" {calls.space} {calls.json_object(*dialect.form.keys, after)}'
    closing = f"{calls.space} {literal(dialect.marks[1])}" if dialect.marks[1] else ""
    return f'{calls.space} "[" {calls.space} {body} {calls.space} "]" {closing}'


def named_call(calls: CallRules, dialect: NamedJson) -> str:
    """A name, perhaps an id, and the arguments."""
    layout, gap = dialect.layout, calls.space
    allowed = re.compile(layout.names)
    identity = f"({literal(ID)} {gap} [0-9A-Za-z_]{{1,24}} {gap})?" if dialect.ids else ""
    identity = f'":" [0-9]{{1,4}} {gap}' if layout.numbered else identity
    # White space in marks is as free as it is for who reads them.
    opening, before, closing = (
        f" {gap} ".join(map(literal, mark.split()))
        for mark in (layout.opening, layout.arguments, layout.closing)
    )

    def write(tool: Tool) -> Written:
        name = calls.plain_name(tool.name, allowed, dialect.name)
        arguments = calls.arguments(tool, JsonWriting())
        return Written([name], f"{gap} {identity} {before} {gap} {arguments}")

    call = f"{gap} {calls.any_tool(write)} {gap} {closing}"
    if not layout.section[0]:
        return call.rstrip()
    return f"{gap} {opening} {call} {gap} {literal(layout.section[1])}"


def python_call(calls: CallRules, dialect: Pythonic) -> str:
    """A list of one call with named arguments."""
    gap = calls.space

    def write(tool: Tool) -> Written:
        schema = _arguments_schema(tool)
        values = SchemaRules(calls.rules, PythonWriting(), schema)
        found, loose = branches(schema)
        calls.loose |= loose.union(*map(_looseness, found))
        hint = f"{tool.name}-argument"

        def given(name: str, value: str) -> str:
            key = literal(calls.plain_name(name, _PYTHON_NAME, dialect.name))
            return f'{key} {gap} "=" {gap} {value} {gap}'

        def listed(one: JsonSchema) -> str:
            return members(calls.rules, values.named(one, hint, given), f'"," {gap}')

        lists = at_least_one((partial(listed, one) for one in found), hint)
        calls.loose |= values.loose
        name = calls.plain_name(tool.name, _PYTHON_NAME, dialect.name)
        return Written([name], f'"(" {gap} {either(lists)} ")" {gap}')

    body = f'"[" {gap} {calls.any_tool(write)} "]"'
    return f"{gap} {body} {gap} {literal(dialect.marks[1])}"


def tagged_call(calls: CallRules, dialect: Tagged) -> str:
    """A tag for the function, and one for every argument."""
    form, gap = dialect.form, calls.space
    allowed = re.compile(form.names)
    before, after, start = form.parameter
    lead = f"{gap} {literal(start)}" if start else ""

    def write(tool: Tool) -> Written:
        schema = _arguments_schema(tool)
        alternatives = {"allOf", "anyOf", "oneOf"} & schema.keys()
        calls.loose |= EVERYTHING if alternatives else branches(schema)[1] | _looseness(schema)
        required = required_properties(tool.schema)
        values = TagValues(calls.rules, dialect, schema)
        parts = []
        for name, described in object_properties(tool.schema).items():
            tag = literal(before + calls.plain_name(name, allowed, dialect.name) + after)
            said = schema["properties"].get(name, described)
            write_value = partial(values.value, said, f"{tool.name}-argument-{name}")
            value = write_value() if name in required else if_any(write_value)
            if value is not None:
                part = f"{tag} {lead} {value} {gap}"
                parts.append((calls.rules.add(f"{tool.name}-{name}", part), name in required))
        inside = members(calls.rules, parts, "")
        calls.loose |= values.loose
        name = calls.plain_name(tool.name, allowed, dialect.name)
        ending = f"{literal(form.end_function)} {gap}" if form.end_function else ""
        return Written([name], f"{literal(form.function[1])} {gap} {inside} {ending}")

    call = f"{literal(form.function[0])} {calls.any_tool(write)}"
    return f"{gap} {call} {literal(form.section[1])}"


CALLS: dict[type, Callable[[CallRules, Any], str]] = {
    Hermes: hermes_call,
    BareJson: bare_call,
    JsonList: list_call,
    NamedJson: named_call,
    Pythonic: python_call,
    Tagged: tagged_call,
}
"""The rest of a call after the opening mark of its dialect."""


def can_be_written(dialect: Dialect) -> bool:
    """Whether replies of the dialect can be said in GBNF: those without marks around answers."""
    several_forms = isinstance(dialect, NamedJson) and dialect.layout.heading
    return type(dialect) in CALLS and dialect.frame == PLAIN and not several_forms


def _arguments_schema(tool: Tool) -> JsonSchema:
    """What the checker checks against, with the properties in declared order."""
    schema = closed(tool.schema)
    declared = tool.schema.get("properties", {})
    return {**schema, "properties": declared | schema.get("properties", {})}


def _looseness(schema: JsonSchema) -> Loose:
    """What arguments may have that stand one by one, beyond what their values may."""
    whole = {"enum", "const", "$ref"} & schema.keys()
    return EVERYTHING if whole else looseness("object", schema)


def _quoted(key: str) -> str:
    return f'"{key}"'
