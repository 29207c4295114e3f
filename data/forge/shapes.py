"""Shapes of tasks, from one step to eight calls, that fit any world with the right operations.

A shape that does not work out (no record left, an answer that the prompt gives away) gives None
and is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable

from tooldrill.data.forge.asks import Ask, ask, create
from tooldrill.data.forge.blueprint import Op
from tooldrill.data.forge.calls import changes, needs, without_repeats
from tooldrill.data.forge.kinds import listed
from tooldrill.data.forge.questions import (
    Question,
    count_question,
    countable,
    counters,
    extreme,
    lists,
    total_question,
    value_question,
)
from tooldrill.data.forge.scene import (
    Scene,
    Target,
    by_id,
    by_label,
    spoken_of,
)
from tooldrill.data.forge.speech import sentence
from tooldrill.data.forge.voices import joined, reserved, surrounded, voiced
from tooldrill.data.worlds.book import Draft, OracleCall

Shape = Callable[[Scene], Draft | None]

MOST_CALLS = 8


def _finished(
    scene: Scene, text: str, calls: list[OracleCall], answer: str, contains: tuple[str, ...] = ()
) -> Draft | None:
    calls = without_repeats(scene.plan, calls)
    if len(calls) > MOST_CALLS:
        return None
    prompt = surrounded(scene.draw, scene.split, text, calls)
    tempting = needs(scene.draw, scene.plan, calls)
    return Draft(prompt, scene.state, calls, answer, contains, needs=tempting)


def _answer(asks: list[Ask]) -> str:
    return f"Done: {'; '.join(dict.fromkeys(a.done for a in asks))}."


def _of_asks(scene: Scene, asks: list[Ask]) -> Draft | None:
    calls = [call for a in asks for call in a.calls]
    if len(asks) == 1:
        text = voiced(scene.draw, scene.split, asks[0].words, imperative=asks[0].imperative)
    elif all(a.imperative for a in asks):
        text = joined(scene.draw, scene.split, [a.words for a in asks])
    else:
        text = " ".join(f"{sentence(a.words)}." for a in asks)
    return _finished(scene, text, calls, _answer(asks))


# The shapes.


def one_change(scene: Scene) -> Draft | None:
    """One operation on a record that the prompt names by its id."""
    able = changes(scene.plan)
    if not able:
        return one_creation(scene)
    op = scene.draw.pick(able)
    target = spoken_of(scene, op, share_by_label=0.0)
    made = target and ask(scene, op, target)
    return _of_asks(scene, [made]) if made else None


def one_creation(scene: Scene) -> Draft | None:
    """One new record."""
    able = [op for op in scene.plan.ops if op.action == "create"]
    made, _ = create(scene, scene.draw.pick(able))
    return _of_asks(scene, [made])


def looked_up(scene: Scene) -> Draft | None:
    """The id has to be found out first."""
    op = scene.draw.pick(changes(scene.plan))
    target = spoken_of(scene, op, share_by_label=1.0)
    if target is None or not target.before:
        return None
    made = ask(scene, op, target)
    return _of_asks(scene, [made]) if made else None


def several_changes(scene: Scene) -> Draft | None:
    """Two to four requests in one message, about different records."""
    asks: list[Ask] = []
    for _ in range(scene.draw.pick((2, 2, 2, 3, 3, 4))):
        op = scene.draw.pick(changes(scene.plan))
        target = spoken_of(scene, op)
        made = target and ask(scene, op, target)
        if not made:
            return None
        asks.append(made)
    return _of_asks(scene, asks)


def same_for_all(scene: Scene) -> Draft | None:
    """The same done to several records, each of which has to be looked up."""
    op = scene.draw.pick([op for op in changes(scene.plan) if op.action in REPEATABLE])
    asks: list[Ask] = []
    words: list[str] = []
    state = scene.draw.rng.getstate()
    for _ in range(scene.draw.number(2, 4)):
        record = scene.fresh(op.type)
        target = record and by_label(scene, op.type, record)
        if not target:
            return None
        # The same draws again: only the record differs.
        scene.draw.rng.setstate(state)
        made = ask(scene, op, target, "{it}")
        if made is None or "{it}" not in made.words:
            return None
        asks.append(made)
        words.append(target.words)
        scene.draw.rng.seed(f"{len(asks)}{target.words}")
    if len({a.words for a in asks}) > 1:
        return None
    text = asks[0].words.replace("{it}", listed(words))
    text = voiced(scene.draw, scene.split, text, imperative=not text.startswith(words[0]))
    return _finished(scene, text, [c for a in asks for c in a.calls], _answer(asks))


REPEATABLE = ("step", "delete", "tag", "status")


def one_record(scene: Scene) -> Draft | None:
    """Two or three different operations on one record."""
    draw = scene.draw
    first = draw.pick(changes(scene.plan))
    able = [op for op in changes(scene.plan) if op.type is first.type and op.action in GENTLE]
    ops: list[Op] = []
    for op in draw.sample(able, len(able)):
        if all(not _overlap(op, other) for other in ops):
            ops.append(op)
    target = spoken_of(scene, first, share_by_label=0.7)
    if len(ops) < 2 or target is None:
        return None
    asks: list[Ask] = []
    for op in ops[: draw.number(2, 3)]:
        about = target if not asks else Target(target.record, "it")
        made = ask(scene, op, about)
        if made is None or not made.imperative:
            return None
        asks.append(made)
    return _of_asks(scene, asks)


GENTLE = frozenset(["set", "status", "step", "tag", "untag", "link", "note", "lines", "update"])


def _overlap(one: Op, other: Op) -> bool:
    """Whether one could undo or repeat what the other does."""
    if {one.action, other.action} <= {"step", "status"} or one.action == other.action != "set":
        return True
    touched = [
        {p.role for p in op.params if p.role.startswith(("f:", "label"))} for op in (one, other)
    ]
    return bool(touched[0] & touched[1]) or {"tag", "untag"} == {one.action, other.action}


def created_and_used(scene: Scene) -> Draft | None:
    """A new record, and something done with the id it gets."""
    draw = scene.draw
    op = draw.pick([op for op in scene.plan.ops if op.action == "create"])
    made, identity = create(scene, op)
    follow = [o for o in changes(scene.plan) if o.type is op.type and o.action in ON_NEW]
    if not follow or not made.imperative:
        return None
    record = {"id": identity, "label": "", "tags": [], "ref": None, "status": ""}
    after = ask(scene, draw.pick(follow), Target(record, "it"))
    if after is None or not after.imperative:
        return None
    return _of_asks(scene, [made, after])


ON_NEW = ("tag", "note", "link", "lines")


def through_reference(scene: Scene) -> Draft | None:
    """Something done to what another record refers to: find it, read it, act on what it names."""
    draw, plan = scene.draw, scene.plan
    able = [
        (type_, op)
        for type_ in plan.types
        for op in changes(plan)
        if type_.refers_to == op.type.key and plan.find("get", type_)
    ]
    able = [(t, op) for t, op in able if op.action not in ("bulk", "transfer", "delete")]
    type_, op = draw.pick(able)
    user = scene.fresh(type_)
    get = plan.find("get", type_)
    if user is None or get is None:
        return None
    position = [r["id"] for r in scene.records(op.type)].index(user["ref"])
    scene.spoken.add((op.type.key, position))
    target = by_label(scene, type_, user) if draw.chance(0.7) else None
    target = target or by_id(scene, type_, user)
    who = target.words if not target.words.isdigit() else f"{type_.noun} {target.words}"
    forms = ("the {noun} of {it}", "the {noun} that {it} refers to", "the {noun} {it} belongs to",
             "the {noun} behind {it}")  # fmt: skip
    words = draw.pick(reserved(scene.split, forms)).format(noun=op.type.noun, it=who)
    read = (get.name, get.arguments({"id": user["id"]}))
    there = Target(scene.records(op.type)[position], words, (*target.before, read))
    made = ask(scene, op, there)
    return _of_asks(scene, [made]) if made else None


def the_extreme(scene: Scene) -> Draft | None:
    """Something done to the record that stands out in a list."""
    able = [(lister, op) for lister in lists(scene.plan) for op in changes(scene.plan)
            if op.type is lister.type and op.action in ON_EXTREME]  # fmt: skip
    lister, op = scene.draw.pick(able)
    found = extreme(scene, lister)
    if found is None:
        return None
    before = {f.key: found.record[f.key] for f in op.type.fields}
    made = ask(scene, op, Target(found.record, found.words, (found.call,)))
    if made is None or any(found.record[key] != value for key, value in before.items()):
        return None
    return _of_asks(scene, [made])


ON_EXTREME = ("step", "status", "tag", "note", "delete", "set")


def a_value(scene: Scene) -> Draft | None:
    """A field's value, read from an observation."""
    able = [type_ for type_ in scene.plan.types if scene.plan.find("get", type_)]
    return _of_question(scene, value_question(scene, scene.draw.pick(able)))


def a_count(scene: Scene) -> Draft | None:
    """How many records meet a condition: counted by a tool, or listed and counted."""
    return _of_question(scene, count_question(scene, scene.draw.pick(counters(scene.plan))))


def a_total(scene: Scene) -> Draft | None:
    """The sum of a field."""
    able = [op for op in scene.plan.ops if op.action == "total" and countable(op)]
    return _of_question(scene, total_question(scene, scene.draw.pick(able)))


def asked_and_changed(scene: Scene) -> Draft | None:
    """A question and a change in one message."""
    able = [type_ for type_ in scene.plan.types if scene.plan.find("get", type_)]
    question = value_question(scene, scene.draw.pick(able))
    op = scene.draw.pick(changes(scene.plan))
    target = spoken_of(scene, op)
    made = target and ask(scene, op, target)
    if question is None or not made or not made.imperative:
        return None
    text = f"{sentence(question.words)} {sentence(made.words)}."
    if scene.draw.chance(0.5):
        text = f"{sentence(question.words)} And please {made.words}."
    calls = [*question.calls, *made.calls]
    return _finished(scene, text, calls, f"{question.answer} Done: {made.done}.", question.contains)


def _of_question(scene: Scene, question: Question | None) -> Draft | None:
    if question is None or question.gives_itself_away:
        return None
    text = sentence(question.words)
    draft = _finished(scene, text, list(question.calls), question.answer, question.contains)
    if draft is None:
        return None
    # What was put around the question may hold the answer by chance.
    asked = Question(draft.prompt, question.calls, question.answer, question.contains)
    return None if asked.gives_itself_away else draft
