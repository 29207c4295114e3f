"""Histories that tempt: an earlier call had a parameter which the next tool does not have.

Two ways to get there, both carried out for real: an earlier request of the same user in the same
world, met before this one is made; or a look around with a lookup. The tempting tool stays offered.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import CallRecord, Message
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.corrupt.plausible import plausible_value
from tooldrill.data.situations.scene import is_plain, staged, turn
from tooldrill.data.tasks.mask import mask_call
from tooldrill.data.tasks.solve import offered, open_task, run_oracle, says
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.book import Draft, Template
from tooldrill.data.worlds.catalog import WORLDS, get_world

NAME = "tempting_history"

_TRIES = 3
_BLIND_TRIES = 1
_RELATIVE = re.compile(
    r"\b(?:to(?:day|morrow|night)|yesterday|now|ago|next|last|this|coming|\w+day|weeks?|months?)\b",
    re.IGNORECASE,
)
_LOOK_AROUND_SHARE = 0.35
# In a forged world another request costs several milliseconds, a look around hardly one.
_FORGED_LOOK_AROUND_SHARE = 0.7
# Drafts of a template that are looked at to learn which calls it can make.
_SAMPLES = 4
# Drafts kept of a template to serve as earlier requests.
_STOCK = 12


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task with an earlier call in its history that tempts the first of the oracle's."""
    if not is_plain(task):
        return None
    makers = [_earlier_request, _look_around]
    share = _LOOK_AROUND_SHARE if task.world in WORLDS else _FORGED_LOOK_AROUND_SHARE
    if rng.random() < share:
        makers.reverse()
    return next((made for make in makers if (made := make(task, rng)) is not None), None)


def tempting_names(calls: list[Call], target: Tool) -> set[str]:
    """Arguments of calls of other tools that the target has no parameter for."""
    names = {name for call in calls if call.name != target.name for name in call.arguments}
    return names - target.parameter_names


def merge_states(one: Any, other: Any) -> Any:
    """Both states in one: objects joined key by key, lists of rows end to end.

    Plain values under one key (whose mailbox it is, which day) are those of the first state.

    Raises:
        StatesCollideError: when both speak of the same thing: a text under one key, two rows with
            the same first value.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        shared = {key: merge_states(one[key], other[key]) for key in one if key in other}
        return {**other, **one, **shared}
    if isinstance(one, list) and isinstance(other, list):
        if all(not isinstance(item, dict | list) for item in [*one, *other]):
            return list(dict.fromkeys([*one, *other]))
        if _heads(one) & _heads(other):
            raise StatesCollideError
        return [*one, *other]
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other and one != other:
        raise StatesCollideError
    return one


class StatesCollideError(Exception):
    """Two states cannot be one."""


def _heads(rows: list[Any]) -> set[str]:
    return {
        str(next(iter(row.values()), "")) if isinstance(row, dict) else str(row) for row in rows
    }


def _earlier_request(task: Task, rng: random.Random) -> Task | None:
    world = get_world(task.world)
    target = _target(task)
    names = _originals(task)
    fitting = [t for t in _templates(world) if _can_tempt(world, t, target, names, task)]
    tries = _TRIES if world.name in WORLDS else _BLIND_TRIES
    for template in rng.sample(fitting, min(tries, len(fitting))):
        draft = _request(world.name, template.name, rng.randrange(_STOCK))
        if {name for name, _ in draft.oracle} <= names:
            made = _after(task, draft, target)
            if made is not None:
                return made
    return None


def _after(task: Task, draft: Draft, target: Tool) -> Task | None:
    """The task as the second request, the draft being the first."""
    if _RELATIVE.search(draft.prompt):
        return None  # The earlier request would be met on another day than it was made for.
    calls = [_shown(task, name, arguments) for name, arguments in draft.oracle]
    if not tempting_names(calls, target):
        return None
    records = [CallRecord(name=call.name, arguments=call.arguments) for call in calls]
    first = task.model_copy(update={"state": draft.state, "oracle": records})
    try:
        state = merge_states(task.state, draft.state)
        both = task.model_copy(update={"state": state, "oracle": records + task.oracle})
        together = run_oracle(both)
    except (StatesCollideError, sqlite3.IntegrityError):
        return None  # The two speak of the same thing: the requests do not go together.
    # Each request must go as it would alone, or what is said about it would no longer be true.
    if together != run_oracle(first) + run_oracle(task):
        return None
    if any(observation.error for _, observation in together):
        return None
    history = [m for call, seen in together[: len(calls)] for m in turn(call, seen.text)]
    history += [messages.conclusion_message(draft.answer), messages.user(task.prompt)]
    return staged(task, NAME, prompt=draft.prompt, state=state, history=history)


def _look_around(task: Task, rng: random.Random) -> Task | None:
    target = _target(task)
    with open_task(task) as opened:
        start = opened.session.snapshot()
        for call in _looks(task, opened.registry, target, rng):
            seen = opened.session.call(call.name, call.arguments)
            if opened.session.snapshot() != start:
                return None
            told = bool(task.answer_contains) and says(seen.text, task.answer_contains)
            if not seen.error and not told:
                # Nobody asked for this look: it sets the scene and is not learned.
                history: list[Message] = turn(call, seen.text, learn=False)
                return staged(task, NAME, history=history)
    return None


def _looks(task: Task, registry: Registry, target: Tool, rng: random.Random) -> Iterator[Call]:
    """Calls of other tools, their values from the oracle's, with a parameter the target lacks."""
    first, *later = task.calls
    # Nobody looks for what is only found out later: it must have been said.
    told = [(k, v) for call in later for k, v in call.arguments.items()]
    known = {k: v for k, v in told if says(task.prompt, [str(v)])} | first.arguments
    for tool in rng.sample(registry.tools, len(registry)):
        required = [p.name for p in tool.parameters if p.required]
        extra = [
            p for p in tool.parameters if not p.required and p.name not in target.parameter_names
        ]
        if tool.name == target.name or not extra or not set(required) <= set(known):
            continue
        chosen = rng.choice(extra)
        value = plausible_value(tool, chosen, rng)
        call = Call(tool.name, {name: known[name] for name in required} | {chosen.name: value})
        if value is not None and not check_calls([call], registry):
            yield call


def _target(task: Task) -> Tool:
    return offered(task)[task.oracle[0].name]


def _shown(task: Task, name: str, arguments: dict[str, Any]) -> Call:
    return (
        Call(name, arguments) if task.mask is None else Call(*mask_call(task.mask, name, arguments))
    )


def _originals(task: Task) -> set[str]:
    """The offered tools by the world's own names."""
    back = {new: old for old, new in task.mask.tools.items()} if task.mask else {}
    return {back.get(name, name) for name in task.tools}


def _templates(world: World) -> tuple[Template, ...]:
    return world.templates(TaskKind.ACT)


def _can_tempt(world: World, template: Template, target: Tool, names: set[str], task: Task) -> bool:
    """Whether the template was seen to make a tempting call of one of the tools in `names`.

    Of the thousands of forged worlds none is looked through: there any template may.
    """
    if world.name not in WORLDS:
        return True
    return any(
        tool in names and tempting_names([_shown(task, tool, dict.fromkeys(arguments))], target)
        for tool, arguments in _uses(world.name)[template.name]
    )


@cache
def _uses(world_name: str) -> dict[str, frozenset[tuple[str, tuple[str, ...]]]]:
    """For each template, the calls it was seen to make: tool and argument names."""
    found = {}
    for template in _templates(get_world(world_name)):
        drafts = (_request(world_name, template.name, i) for i in range(_SAMPLES))
        found[template.name] = frozenset(
            (name, tuple(sorted(arguments))) for draft in drafts for name, arguments in draft.oracle
        )
    return found


@lru_cache(maxsize=4096)
def _request(world_name: str, template_name: str, number: int) -> Draft:
    """A draft of the world's own stock of earlier requests: drawing one anew costs most."""
    templates = _templates(get_world(world_name))
    template = next(one for one in templates if one.name == template_name)
    return template.draft(random.Random(f"earlier:{world_name}:{template_name}:{number}"))
