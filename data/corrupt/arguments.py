"""Arguments that should not be there, and one that should.

`borrowed_argument`, `sticky_argument`, `invented_argument` and `missing_argument`: the right call
with one argument more, or one less.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.tool import Parameter, Registry, Tool
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.moment import Corruption, Moment
from tooldrill.data.corrupt.naming import words
from tooldrill.data.corrupt.plausible import plausible_value

# Variants of `sticky_argument`: whether the refusal was of another tool's call.
OTHER_TOOL, SAME_TOOL = "other_tool", "same_tool"

_INVENTED: tuple[tuple[str, Any], ...] = (
    ("overwrite", True), ("force", True), ("verbose", True), ("recursive", True),
    ("dry_run", False), ("confirm", True), ("append", True), ("create", True), ("strict", False),
    ("mode", "w"), ("output_mode", "content"), ("format", "json"), ("encoding", "utf-8"),
    ("language", "en"), ("timeout", 30), ("limit", 10), ("max_results", 20), ("offset", 0),
    ("page", 1), ("retries", 3), ("options", {}), ("reason", "requested by the user"),
    ("silent", True), ("backup", True), ("notify", False), ("return_result", True),
)  # fmt: skip


class BorrowedArgument:
    """A parameter that another offered tool has, from the most similar one first."""

    kind = ViolationClass.BORROWED_ARGUMENT

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        tool = moment.tool
        if moment.call is None or tool is None:
            return None
        lenders = list(_lenders(tool, moment))
        # Mostly the nearest; the others now and then, so that no pair of tools is the only lesson.
        while len(lenders) > 1 and rng.random() < 0.25:
            lenders.pop(0)
        if not lenders:
            return None
        lender, parameters = lenders[0]
        values = {p.name: plausible_value(lender, p, rng) for p in parameters}
        # A null says nothing that a model would borrow the argument for.
        said = [p for p in parameters if values[p.name] is not None]
        if not said:
            return None
        parameter = rng.choice(said)
        value = values[parameter.name]
        call = _with(moment.call, parameter.name, value, rng)
        return Corruption.of_call(self.kind, call, f"from:{lender.name}")


class StickyArgument:
    """An argument that was refused earlier, on another call: the wrong lesson carried over."""

    kind = ViolationClass.STICKY_ARGUMENT

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        tool = moment.tool
        if moment.call is None or tool is None:
            return None
        refused = [
            (past.call, name)
            for past in moment.past
            for name in past.rejected_arguments
            if name not in tool.parameter_names and name in past.call.arguments
        ]
        elsewhere = [(call, name) for call, name in refused if call.name != tool.name]
        if not refused:
            return None
        origin, name = rng.choice(elsewhere or refused)
        call = _with(moment.call, name, origin.arguments[name], rng)
        if moment.has_failed(call):
            # The very same call again would be a repeated failure as well.
            call = _with(moment.call, name, _another(origin.arguments[name]), rng)
        variant = OTHER_TOOL if origin.name != tool.name else SAME_TOOL
        return Corruption.of_call(self.kind, call, variant)


class InventedArgument:
    """An argument whose name no offered tool knows."""

    kind = ViolationClass.INVENTED_ARGUMENT

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        tool = moment.tool
        if moment.call is None or tool is None:
            return None
        choices = [(n, v) for n, v in _INVENTED if _is_free(n, moment)]
        doubles = [(n, v) for n, v in _doubles(moment.call) if _is_free(n, moment)]
        if doubles and rng.random() < 0.3:
            name, value = rng.choice(doubles)
            call = _with(moment.call, name, value, rng)
            return Corruption.of_call(self.kind, call, "double")
        if not choices:
            return None
        name, value = rng.choice(choices)
        return Corruption.of_call(self.kind, _with(moment.call, name, value, rng), "extra")


class MissingArgument:
    """The right call without one of the arguments it needs."""

    kind = ViolationClass.MISSING_ARGUMENT

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        tool = moment.tool
        if moment.call is None or tool is None:
            return None
        given = [p.name for p in tool.parameters if p.required and p.name in moment.call.arguments]
        if not given:
            return None
        dropped = rng.choice(given)
        left = {name: v for name, v in moment.call.arguments.items() if name != dropped}
        return Corruption.of_call(self.kind, Call(moment.call.name, left), f"without:{dropped}")


def similarity(one: Tool, other: Tool) -> float:
    """How alike two tools are by the words of their names and by their parameters, 0 to 2."""
    return _overlap(set(words(one.name)), set(words(other.name))) + _overlap(
        set(one.parameter_names), set(other.parameter_names)
    )


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


def _lenders(tool: Tool, moment: Moment) -> Iterator[tuple[Tool, list[Parameter]]]:
    registry: Registry = moment.registry
    siblings = [other for other in registry if other.name != tool.name]
    for sibling in sorted(siblings, key=lambda other: -similarity(tool, other)):
        lendable = [
            p
            for p in sibling.parameters
            if p.name not in tool.parameter_names and p.name not in moment.refused
        ]
        if lendable:
            # Options tempt more than another tool's required subject.
            yield sibling, [p for p in lendable if not p.required] or lendable


def _is_free(name: str, moment: Moment) -> bool:
    return not moment.registry.owners(name) and name not in moment.refused


def _doubles(call: Call) -> Iterator[tuple[str, Any]]:
    for name, value in call.arguments.items():
        for variant in (f"{name}_name", f"new_{name}", f"{name}s", f"target_{name}"):
            yield variant, value


def _with(call: Call, name: str, value: Any, rng: random.Random) -> Call:
    """The call with one argument more, mostly last as models write it."""
    items = list(call.arguments.items())
    position = len(items) if rng.random() < 0.8 else rng.randint(0, len(items))
    items.insert(position, (name, value))
    return Call(call.name, dict(items))


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "default" if value != "default" else "auto"
