"""What forged tasks ask for: shapes of tasks, from one step to eight, that fit any world.

Each shape draws a scene, asks of the world's operations and words of its own. A draw that does not
work out (no record left, an answer that the prompt gives away) is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable

from tooldrill.data.forge import pools
from tooldrill.data.forge.asks import CHANGES
from tooldrill.data.forge.blueprint import Blueprint, Type
from tooldrill.data.forge.calls import changes
from tooldrill.data.forge.questions import countable, counters, lists
from tooldrill.data.forge.scene import Scene, new_scene
from tooldrill.data.forge.shapes import (
    GENTLE,
    ON_EXTREME,
    ON_NEW,
    REPEATABLE,
    Shape,
    a_count,
    a_total,
    a_value,
    asked_and_changed,
    created_and_used,
    looked_up,
    one_change,
    one_creation,
    one_record,
    same_for_all,
    several_changes,
    the_extreme,
    through_reference,
)
from tooldrill.data.forge.voices import reserved
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Draft, Template

_ATTEMPTS = 40


def act_templates(plan: Blueprint, split: Split) -> tuple[Template, ...]:
    """The shapes that this world's operations allow."""
    return tuple(
        template(shape, plan, split) for shape, fits in _SHAPES if fits(plan)
    )  # fmt: skip


def template(shape: Shape, plan: Blueprint, split: Split, *, restrain: bool = False) -> Template:
    """A template that draws this shape in this world."""

    def make(draw: Draw) -> Draft:
        for attempt in range(_ATTEMPTS):
            most = 6 if attempt or draw.chance(0.85) else 12
            draft = shape(new_scene(draw, plan, split, most))
            if draft is not None:
                return draft
        # What always works: one change, or nothing to do.
        fallback = _FALLBACK[restrain]
        while (draft := fallback(new_scene(draw, plan, split))) is None:
            pass
        return draft

    return Template(shape.__name__, restrain, (), make)


def _gets(plan: Blueprint) -> bool:
    return any(op.action == "get" for op in plan.ops)


def _refers(plan: Blueprint) -> bool:
    return any(
        type_.refers_to == op.type.key and op.action not in ("bulk", "transfer", "delete")
        for type_ in plan.types
        if plan.find("get", type_)
        for op in changes(plan)
    )


def _looks_up_changes(plan: Blueprint, actions: frozenset[str] | tuple[str, ...] = CHANGES) -> bool:
    types: list[Type] = [op.type for op in plan.ops if op.action in ("find", "list")]
    return any(op.type in types and op.action in actions for op in changes(plan))


def _creates_and_follows(plan: Blueprint) -> bool:
    created = [op.type for op in plan.ops if op.action == "create"]
    return any(op.action in ON_NEW and op.type in created for op in plan.ops)


_SHAPES: tuple[tuple[Shape, Callable[[Blueprint], bool]], ...] = (
    (one_change, lambda plan: bool(changes(plan))),
    (one_creation, lambda plan: any(op.action == "create" for op in plan.ops)),
    (looked_up, _looks_up_changes),
    (several_changes, lambda plan: bool(changes(plan))),
    (same_for_all, lambda plan: _looks_up_changes(plan, REPEATABLE)),
    (one_record, lambda plan: len([o for o in changes(plan) if o.action in GENTLE]) > 2),
    (created_and_used, _creates_and_follows),
    (through_reference, _refers),
    (the_extreme, lambda plan: any(
        op.type is lister.type and op.action in ON_EXTREME
        for lister in lists(plan) for op in changes(plan))),
    (a_value, _gets),
    (a_count, lambda plan: bool(counters(plan))),
    (a_total, lambda plan: any(op.action == "total" and countable(op) for op in plan.ops)),
    (asked_and_changed, lambda plan: _gets(plan) and bool(changes(plan))),
)  # fmt: skip


def nothing_yet(scene: Scene) -> Draft:
    """Small talk: nothing is asked for."""
    draw = scene.draw
    words = draw.pick(reserved(scene.split, _TALK)).format(
        who=pools.first_name(draw), city=pools.city(draw), noun=draw.pick(scene.plan.types).noun
    )
    reply = draw.pick(("Thank you! Tell me when there is something to do.", "Glad to hear it.",
                       "You are welcome. I am here when you need me."))  # fmt: skip
    return Draft(words, scene.state, [], reply)


_TALK = (
    "Good morning from {city}!", "Thanks, that was all for today.", "{who} says hello.",
    "I will come back to the {noun} business tomorrow.", "Nice work last week.",
    "Nothing for you right now, I am only reading.", "{who} and I were just talking about you.",
    "No changes today, please leave everything as it is.", "The weather in {city} is dreadful.",
    "Wait, I have to ask {who} first before you do anything.", "Great, we are done here.",
    "Have a good weekend, and greetings from {who} in {city}.",
)  # fmt: skip

_FALLBACK: dict[bool, Shape] = {False: one_change, True: nothing_yet}
