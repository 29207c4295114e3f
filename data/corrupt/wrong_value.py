"""`wrong_type` and `invalid_value`: the right argument with a value that its schema refuses.

Candidates are what models write (a number in quotes, a list as text, a value near the enum); the
checker itself decides which of them breaks the rule, and only that rule.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.json_schema import JsonSchema, object_properties
from tooldrill.agent.tool import Tool
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.moment import Corruption, Moment
from tooldrill.data.corrupt.plausible import branches, plausible_value

Candidates = Callable[[Any, Tool, str], Iterator[Any]]


class WrongType:
    """A value of another JSON type."""

    kind = ViolationClass.WRONG_TYPE

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        return _spoil(moment, rng, self.kind, lambda value, _tool, _name: _other_types(value))


class InvalidValue:
    """A value of the right type outside the enum, range, length or pattern."""

    kind = ViolationClass.INVALID_VALUE

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        return _spoil(moment, rng, self.kind, _outside)


def _spoil(
    moment: Moment, rng: random.Random, kind: ViolationClass, candidates: Candidates
) -> Corruption | None:
    call, tool = moment.call, moment.tool
    if call is None or tool is None:
        return None
    given = [name for name in call.arguments if name in tool.parameter_names]
    rng.shuffle(given)
    # Numbers, booleans and lists first: that is where models slip.
    given.sort(key=lambda name: isinstance(call.arguments[name], str))
    # An option that the right call leaves out is the second choice.
    left_out = [p for p in tool.parameters if p.name not in call.arguments]
    rng.shuffle(left_out)
    values = {name: call.arguments[name] for name in given}
    values |= {p.name: plausible_value(tool, p, rng) for p in left_out}
    for name, value in values.items():
        wrong = [
            v
            for v in candidates(value, tool, name)
            if {problem.kind for problem in tool.value_problems(name, v)} == {kind}
        ]
        if wrong:
            changed = Call(call.name, {**call.arguments, name: rng.choice(wrong)})
            return Corruption.of_call(kind, changed, f"of:{name}")
    return None


def _other_types(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield from ("true" if value else "false", "yes" if value else "no", int(value))
        case int() | float():
            yield from (str(value), [value])
        case str():
            yield from ([value], None)
            if value.lstrip("-").isdigit():
                yield int(value)
        case list():
            yield from (json.dumps(value, ensure_ascii=False), ", ".join(map(str, value)))
            yield from value[:1]
        case dict():
            yield json.dumps(value, ensure_ascii=False)
        case _:
            yield "null"


def _outside(value: Any, tool: Tool, name: str) -> Iterator[Any]:
    schema: JsonSchema = object_properties(tool.schema)[name]
    for branch in branches(schema, tool.schema.get("$defs")):
        for option in branch.get("enum", ()):
            yield from _near_option(option)
        for key, step in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1)):
            if key in branch:
                yield branch[key] + step
                yield branch[key] + step * 10
        if "exclusiveMaximum" in branch:
            yield branch["exclusiveMaximum"]
        if isinstance(value, str):
            yield from _other_texts(value, branch)
        if isinstance(value, list):
            yield from ([], value * (int(branch.get("maxItems", 0)) + 1))


def _near_option(option: Any) -> Iterator[Any]:
    if isinstance(option, str):
        yield from (option.upper(), option.capitalize(), f"{option}s", f"very_{option}", "default")
    elif isinstance(option, int | float) and not isinstance(option, bool):
        yield option + 1


def _other_texts(value: str, schema: JsonSchema) -> Iterator[str]:
    yield from ("", f"{value}!", value.upper(), value.replace("-", "/"), "unknown", "tomorrow")
    if "maxLength" in schema:
        yield value.ljust(int(schema["maxLength"]) + 1, "x")
