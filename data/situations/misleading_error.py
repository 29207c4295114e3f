"""Errors that mislead: the failed call's error ends with advice that is wrong.

The failure itself is real (or the loop's own refusal); only the advice is put behind it. It names a
tool that does not exist or a parameter that the tool does not have.
"""

from __future__ import annotations

import random
from functools import cache

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import Message
from tooldrill.agent.tool import Registry
from tooldrill.data.situations.scene import Rehearsal, is_plain, play, staged, turn, turns
from tooldrill.data.tasks.mistakes import fail, slip
from tooldrill.data.tasks.solve import offered, past_calls
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.worlds.catalog import WORLDS, get_world

NAME = "misleading_error"


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task after a failed call whose error gives wrong advice."""
    if task.kind is TaskKind.RECOVER and not task.situation:
        return _spoilt(task, rng)
    if not is_plain(task):
        return None
    at = rng.randrange(len(task.oracle))
    before = turns(play(task)[:at])
    begun = task.model_copy(update={"history": before, "oracle": task.oracle[at:]})
    registry = offered(begun)
    right = task.calls[at]
    with Rehearsal(begun) as rehearsal:
        # The world's own error reads best with advice behind it; not every call can be slipped.
        failure = slip(rng, right, registry, rehearsal.attempt)
        failure = failure or fail(rng, right, registry, rehearsal.attempt)
    text = f"{_sentence(failure.observation.text)} {wrong_advice(rng, right, registry)}"
    history = before + turn(failure.call, text, learn=False)
    return staged(begun, NAME, history=history, kind=TaskKind.RECOVER)


def wrong_advice(rng: random.Random, right: Call, registry: Registry) -> str:
    """A sentence that names a tool which does not exist, or a parameter `right`'s tool lacks."""
    if rng.random() < 0.5:
        return rng.choice(_TOOL_ADVICE).format(tool=absent_tool(rng, right.name, registry))
    name, value = _absent_parameter(rng, right, registry)
    return rng.choice(_PARAMETER_ADVICE).format(tool=right.name, name=name, value=value)


def absent_tool(rng: random.Random, name: str, registry: Registry) -> str:
    """A name in the style of `name` that no tool of any world has."""
    head = name.split("_", 1)[0] or name
    camel = name[:1].lower() + name[1:]
    options = [f"{head}_{noun}" for noun in _NOUNS] if "_" in name else []
    options += [f"{prefix}_{camel}" for prefix in _PREFIXES] + [f"{camel}_{s}" for s in _SUFFIXES]
    taken = _world_tools() | set(registry.names)
    return rng.choice([option for option in options if option not in taken])


def _spoilt(task: Task, rng: random.Random) -> Task | None:
    """A recovery task with advice behind the error that its world gave."""
    *_, (failed, text) = past_calls(task.history)
    registry = offered(task)
    if check_calls([failed], registry):
        return None
    advice = wrong_advice(rng, task.calls[0], registry)
    last: Message = {**task.history[-1], "content": f"{_sentence(text)} {advice}"}
    return staged(task, NAME, history=[*task.history[:-1], last])


def _absent_parameter(rng: random.Random, right: Call, registry: Registry) -> tuple[str, str]:
    own = registry[right.name].parameter_names
    lent = [
        (p.name, _LENT_VALUES.get(str(p.schema.get("type")), "default"))
        for tool in registry
        for p in tool.parameters
        if p.name not in own and not p.required
    ]
    made = [pair for pair in _PARAMETERS if pair[0] not in own]
    return rng.choice(lent if lent and rng.random() < 0.5 else made)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


@cache
def _world_tools() -> frozenset[str]:
    return frozenset(name for world in WORLDS for name in get_world(world).tool_names)


_LENT_VALUES = {"boolean": "true", "integer": "1", "number": "0.5"}

_NOUNS = ("text", "data", "entry", "record", "value", "now", "all", "v2", "safely")
_PREFIXES = ("safe", "force", "admin", "bulk", "new", "smart", "direct")
_SUFFIXES = ("v2", "ex", "force", "async", "plus", "now", "unchecked")

_PARAMETERS = (
    ("force", "true"),
    ("retry", "true"),
    ("strict", "false"),
    ("ignore_errors", "true"),
    ("mode", "relaxed"),
    ("validate", "false"),
    ("override", "1"),
    ("safe", "off"),
    ("confirm", "yes"),
    ("create_missing", "true"),
    ("fallback", "auto"),
)

_TOOL_ADVICE = (
    "Use {tool} instead.",
    "Hint: {tool} does this more reliably.",
    "This tool is deprecated, please call {tool}.",
    "Did you want {tool}?",
    "See also: {tool}.",
    "Try {tool} with the same arguments.",
    "In this version the operation moved to {tool}.",
    "Most users call {tool} here.",
)
_PARAMETER_ADVICE = (
    "Try again with {name}={value}.",
    "Set {name}={value} to go on anyway.",
    "Pass {name}={value} to {tool} and the check is skipped.",
    "Hint: {name}={value} avoids this.",
    "You may have forgotten {name}.",
    "This usually means that {name}={value} is missing.",
    "Repeat the call, adding {name} ({value}).",
    "{tool} needs {name}={value} in this case.",
)
