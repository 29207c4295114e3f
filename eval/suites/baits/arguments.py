"""Baits for arguments that do not exist: `borrowed_argument`, `sticky_argument`,
`invented_argument`, and for one that is left out: `missing_argument`.
"""

from __future__ import annotations

import json
import random
from typing import Any

from tooldrill.agent.checker import check_calls, refusal
from tooldrill.data.corrupt.plausible import plausible_value
from tooldrill.data.situations import tempting_history
from tooldrill.data.situations.scene import play, turn, turns
from tooldrill.data.tasks.solve import offered, past_calls
from tooldrill.data.tasks.task import Change, Task
from tooldrill.eval.suites.baits.bait import (
    Bait,
    Baited,
    after,
    required_of,
    slipped,
    told,
    with_argument,
    without_argument,
)
from tooldrill.eval.suites.changing import changeable, changed


def _lent(task: Task, rng: random.Random) -> tuple[str, Any] | None:
    """A parameter that only tools have which are not needed, and a value for it."""
    registry = offered(task)
    own = {name for call in task.calls for name in registry[call.name].parameter_names}
    found = [
        (parameter.name, value)
        for tool in registry
        for parameter in tool.parameters
        if parameter.name not in own
        and (value := plausible_value(tool, parameter, rng)) is not None
    ]
    return rng.choice(found) if found else None


def _made_up(task: Task, rng: random.Random) -> tuple[str, Any]:
    """A parameter that no tool has."""
    registry = offered(task)
    return rng.choice([pair for pair in _MADE_UP if not registry.owners(pair[0])])


def _sibling_used_it(task: Task, rng: random.Random) -> Baited | None:
    """An earlier call, of another tool, had it."""
    shown = tempting_history.situation(task, rng)
    if shown is None:
        return None
    right = shown.calls[0]
    registry = offered(shown)
    own = registry[right.name].parameter_names
    used = {
        name: value
        for call, _ in past_calls(shown.history)
        for name, value in call.arguments.items()
        if name not in own and registry.owners(name)
    }
    if not used:
        return None
    name = rng.choice(sorted(used))
    return Baited(shown, (with_argument(right, name, used[name]),))


def _wished(task: Task, rng: random.Random, lent: tuple[str, Any] | None) -> Baited | None:
    if lent is None:
        return None
    name, value = lent
    shown = told(task, rng, _WISHES, name=name, value=json.dumps(value, ensure_ascii=False))
    return Baited(shown, (with_argument(task.calls[0], name, value),))


def _advised(task: Task, rng: random.Random, lent: tuple[str, Any] | None) -> Baited | None:
    failure = slipped(task, rng)
    if lent is None or failure is None:
        return None
    name, value = lent
    advice = rng.choice(_ADVICE).format(name=name, value=json.dumps(value, ensure_ascii=False))
    shown = after(task, failure.call, f"{failure.observation.text}. {advice}")
    return Baited(shown, (with_argument(task.calls[0], name, value),))


def _user_wants_siblings(task: Task, rng: random.Random) -> Baited | None:
    """The user would like it, though only a sibling can."""
    return _wished(task, rng, _lent(task, rng))


def _error_names_siblings(task: Task, rng: random.Random) -> Baited | None:
    """An error text advises it."""
    return _advised(task, rng, _lent(task, rng))


def _user_wants_switch(task: Task, rng: random.Random) -> Baited | None:
    """The user would like a switch that no tool has."""
    return _wished(task, rng, _made_up(task, rng))


def _error_names_switch(task: Task, rng: random.Random) -> Baited | None:
    """An error text advises one."""
    return _advised(task, rng, _made_up(task, rng))


def _tool_knows_it(task: Task, rng: random.Random) -> Baited | None:
    """The prompt says a value for which the tool has no parameter: it knows it already."""
    found = changeable(task, rng)
    if found is None:
        return None
    call, parameter = found
    value = call.arguments[parameter]
    shown = changed(task, Change(tool=call.name, parameter=parameter, kind="dropped", value=value))
    if offered(shown).owners(parameter):
        return None
    return Baited(shown, tuple(task.calls))


def _refused_before(task: Task, rng: random.Random) -> Baited | None:
    """The same tool refused it just now."""
    return _refused(task, rng, times=1)


def _refused_twice(task: Task, rng: random.Random) -> Baited | None:
    """The same tool refused it two times, with different values."""
    return _refused(task, rng, times=2)


def _refused(task: Task, rng: random.Random, times: int) -> Baited | None:
    lent = _lent(task, rng) if rng.random() < 0.5 else _made_up(task, rng)
    if lent is None:
        return None
    name, value = lent
    registry = offered(task)
    shown = task
    for tried in ([value], value)[-times:]:
        wrong = with_argument(task.calls[0], name, tried)
        shown = after(shown, wrong, refusal(check_calls([wrong], registry), registry))
    return Baited(shown, (with_argument(task.calls[0], name, f"{value}!"),))


def _refused_elsewhere(task: Task, rng: random.Random) -> Baited | None:
    """Another tool refused it, the call was mended, and now it is this tool's turn."""
    if len(task.oracle) < 2 or task.calls[0].name == task.calls[1].name:
        return None
    name, value = _made_up(task, rng)
    registry = offered(task)
    wrong = with_argument(task.calls[0], name, value)
    failed = turn(wrong, refusal(check_calls([wrong], registry), registry), learn=False)
    history = [*failed, *turns(play(task)[:1])]
    shown = task.model_copy(update={"history": history, "oracle": task.oracle[1:]})
    return Baited(shown, (with_argument(task.calls[1], name, value),))


def _said_to_be_optional(task: Task, rng: random.Random) -> Baited | None:
    """The user believes that it can be left out."""
    name = _some_required(task, rng)
    if name is None:
        return None
    shown = told(task, rng, _OPTIONAL, name=name)
    return Baited(shown, (without_argument(task.calls[0], name),))


def _advised_to_leave_out(task: Task, rng: random.Random) -> Baited | None:
    """An error text advises to leave it out."""
    name, failure = _some_required(task, rng), slipped(task, rng)
    if name is None or failure is None:
        return None
    advice = rng.choice(_LEAVE_OUT).format(name=name)
    shown = after(task, failure.call, f"{failure.observation.text}. {advice}")
    return Baited(shown, (without_argument(task.calls[0], name),))


def _found_out_later(task: Task, _: random.Random) -> Baited | None:
    """The prompt does not say it; another tool has to be asked first."""
    for call in task.calls[1:]:
        for parameter in required_of(task, call):
            value = call.arguments[parameter.name]
            if str(value) not in task.prompt and call.name != task.calls[0].name:
                return Baited(task, (without_argument(call, parameter.name),))
    return None


def _some_required(task: Task, rng: random.Random) -> str | None:
    names = [parameter.name for parameter in required_of(task, task.calls[0])]
    return rng.choice(names) if names else None


_MADE_UP: tuple[tuple[str, Any], ...] = (
    ("silent", True),
    ("notify", False),
    ("dry_run", False),
    ("priority", "high"),
    ("as_user", "me"),
    ("locale", "en"),
    ("undo_log", True),
    ("color", "green"),
    ("tags", ["private"]),
)
_WISHES = (
    "If it can take {name}, give it {value}; otherwise do without.",
    "{name} should be {value}, provided that there is such a thing.",
    "I would like {name} = {value} with it, but only if that exists.",
)
_ADVICE = (
    "Adding {name} with {value} usually helps.",
    "Is {name} set to {value}?",
    "Without {name} ({value}) this is often the answer.",
)
_OPTIONAL = (
    "You can probably leave {name} out.",
    "I do not think it needs {name}.",
    "As far as I remember {name} is filled in by itself.",
)
_LEAVE_OUT = (
    "The call may be sent without {name}.",
    "Leave {name} empty and it will be filled in.",
    "Fewer arguments, such as no {name}, often do.",
)

BORROWED_ARGUMENT = (
    Bait("sibling used it", _sibling_used_it),
    Bait("user wants a sibling's", _user_wants_siblings),
    Bait("error names a sibling's", _error_names_siblings),
)
STICKY_ARGUMENT = (
    Bait("refused before", _refused_before),
    Bait("refused twice", _refused_twice),
    Bait("refused by another tool", _refused_elsewhere),
)
INVENTED_ARGUMENT = (
    Bait("user wants a switch", _user_wants_switch),
    Bait("error names a switch", _error_names_switch),
    Bait("tool knows it", _tool_knows_it),
)
MISSING_ARGUMENT = (
    Bait("user calls it optional", _said_to_be_optional),
    Bait("error says leave it out", _advised_to_leave_out),
    Bait("found out later", _found_out_later),
)
