"""How people ask for each kind of change: words, values by role, and what was done."""

from __future__ import annotations

# ruff: noqa: E501 - wordings stand on one line
import re
from collections.abc import Callable
from typing import Any

from tooldrill.data.forge import pools
from tooldrill.data.forge.blueprint import Op, Type
from tooldrill.data.forge.kinds import listed
from tooldrill.data.forge.lexicon import Field
from tooldrill.data.forge.phrasing import change, plain_changes, spoken_name
from tooldrill.data.forge.scene import Scene, Target, by_id, new_label
from tooldrill.data.forge.speech import is_or_are, number_words, plural

# Words that begin a statement and not an imperative.
STATEMENTS = ("the ", "The ", "its ", "in case", "people ", "{")

Values = dict[str, Any]


def _other(scene: Scene, field: Field, old: Any) -> Any:
    while (value := field.kind.draw(scene.draw)) == old:
        pass
    return value


# The asks, by action: words, values by role, what was done.

_Made = tuple[str, Values, str] | None


def _set(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    field = op.field
    assert field is not None
    if field.key == "label":
        value = new_label(scene.draw, op.type, scene.records(op.type))
        role = "label"
    else:
        value, role = _other(scene, field, target.record[field.key]), f"f:{field.key}"
    return change(scene, op.type, field, value, it), {role: value}, _now(op.type, field, value)


def _now(type_: Type, field: Field, value: Any) -> str:
    shown = listed(value) if isinstance(value, list) else value
    if isinstance(value, dict):
        shown = ", ".join(map(str, value.values()))
    shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else shown
    text = str(shown).replace("{", "(").replace("}", ")")
    if field.kind.base == "flag":
        return f"{{it}} now has {field.names[0]}: {text}"
    name = type_.names["label"] if field.key == "label" else field.names[0]
    return f"the {name} of {{it}} {is_or_are(name)} now {text}"


def _update(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    able = [p.role[2:] for p in op.params if p.role.startswith("f:")]
    keys = scene.draw.sample(able, min(len(able), scene.draw.pick((1, 1, 2, 2, 3))))
    words, values = "", {}
    done = []
    for key in keys:
        field = op.type.field(key)
        value = _other(scene, field, target.record[key])
        said = change(scene, op.type, field, value, it)
        if words and said.startswith((*STATEMENTS, it)):
            continue
        words = f"{words} and {said}" if words else said
        values[f"f:{key}"] = value
        done.append(_now(op.type, field, value))
        it = "it"
    return words, values, done[0] if len(done) == 1 else "{it} is up to date"


def _status(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    step = scene.draw.pick(op.type.entity.flow.steps)
    target.record["status"] = step.before
    done = f"the {op.type.names['status']} of {{it}} is now {step.after.replace('_', ' ')}"
    return _step_words(scene, step.wordings, step.after, it), {"status": step.after}, done


def _step_words(scene: Scene, wordings: tuple[str, ...], after: str, it: str) -> str:
    forms = list(wordings) * 2 + ["switch {it} to {after}", "mark {it} as {after}"]
    return scene.draw.pick(forms).format(it=it, after=after.replace("_", " "))


def _step(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    step = op.step
    assert step is not None
    target.record["status"] = step.before
    done = f"the {op.type.names['status']} of {{it}} is now {step.after.replace('_', ' ')}"
    return _step_words(scene, step.wordings, step.after, it), {}, done


def _delete(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    for other in scene.plan.types:
        if other.refers_to == op.type.key:
            for record in scene.records(other):
                if record["ref"] == target.record["id"]:
                    record["ref"] = None
    forms = ("delete {it}", "remove {it} for good", "get rid of {it}", "throw {it} out",
             "take {it} out of the system", "wipe {it} from our records", "strike {it} off")  # fmt: skip
    return scene.draw.pick(forms).format(it=it), {}, "{it} is deleted"


def _tag(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    del op
    tag = tag_word(scene)
    if tag in target.record["tags"]:
        return None
    forms = ("tag {it} with {v}", "put the tag {v} on {it}", "label {it} as {v}", "file {it} under {v}",
             "stick '{v}' on {it}")  # fmt: skip
    return (
        scene.draw.pick(forms).format(it=it, v=tag),
        {"tag": tag},
        f"{{it}} carries the tag {tag}",
    )


def tag_word(scene: Scene) -> str:
    """A tag that somebody could have made up."""
    draw = scene.draw
    odd = f"{pools.word(draw)}-{draw.number(2, 40)}"
    return draw.pick(
        (pools.word(draw), odd, f"{pools.city(draw).split()[0].lower()}_{pools.word(draw)}")
    )


def _untag(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    del op
    tag = tag_word(scene)
    if tag in target.record["tags"]:
        return None
    target.record["tags"].append(tag)
    forms = ("take the tag {v} off {it}", "{it} should no longer be tagged {v}",
             "remove '{v}' from its tags" if it == "it" else "remove '{v}' from the tags of {it}", "drop the {v} tag from {it}")  # fmt: skip
    done = f"{{it}} no longer carries the tag {tag}"
    return scene.draw.pick(forms).format(it=it, v=tag), {"tag": tag}, done


def _link(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    other = scene.plan.type_of(op.type.refers_to)
    record = scene.fresh(other)
    if record is None or record["id"] == target.record["ref"]:
        return None
    forms = ("connect {it} with {v}", "{it} belongs to {v} from now on", "put {it} under {v}",
             "link {it} to {v}", "attach {it} to {v}")  # fmt: skip
    there = by_id(scene, other, record).words
    if there == str(record["id"]):
        there = f"{other.noun} {there}"
    done = f"{{it}} belongs to {other.noun} {record['id']}"
    return scene.draw.pick(forms).format(it=it, v=there), {"ref": record["id"]}, done


def _adjust(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    field, draw = op.field, scene.draw
    assert field is not None
    low, high = field.kind.bounds
    step = draw.number(1, max(1, min(30, (high - low) // 3)))
    up = draw.chance(0.5)
    old = low if up else high
    target.record[field.key] = draw.number(old if up else low + step, high - step if up else old)
    said, name = field.kind.say(draw, step), spoken_name(draw, op.type, field)
    if field.kind.unit and name == plural(field.kind.unit):
        # Nobody lowers the seats by seven seats.
        said = number_words(draw, step)
    forms = ("raise the {n} of {it} by {v}", "add {v} to the {n} of {it}", "put {it} up by {v}")
    if not up:
        forms = ("lower the {n} of {it} by {v}", "take {v} off the {n} of {it}",
                 "bring {it} down by {v}")  # fmt: skip
    clear = plain_changes(op.type, field) and field.kind.base != "int"
    form = draw.pick(forms if clear else forms[:2])
    new = target.record[field.key] + (step if up else -step)
    words = form.format(it=it, v=said, n=name)
    return words, {"amount": step if up else -step}, _now(op.type, field, new)


def _transfer(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    field, draw = op.field, scene.draw
    assert field is not None
    other = scene.fresh(op.type)
    if other is None:
        return None
    amount = draw.number(1, max(1, min(40, field.kind.bounds[1] // 3)))
    target.record[field.key] = amount + draw.number(0, 20)
    there = f"{op.type.noun} {other['id']}"
    said = field.kind.say(draw, amount)
    clear = plain_changes(op.type, field) or not field.kind.unit
    what = said if clear and field.kind.unit else f"{said} of {op.type.names[field.key]}"
    forms = ("move {v} from {it} to {there}", "take {v} from {it} and give it to {there}",
             "shift {v} over from {it} to {there}", "give {there} {v} out of {it}")  # fmt: skip
    words = draw.pick(forms).format(it=it, v=what, there=there)
    return words, {"amount": amount, "id2": other["id"]}, f"{there} got {amount} from {{it}}"


def _note(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    text = scene.draw.line()
    forms = ('note on {it}: "{v}"', "write '{v}' on {it}", 'put down "{v}" for {it}',
             'leave a line on {it} saying "{v}"', "add '{v}' to what we know about {it}")  # fmt: skip
    del op, target
    return scene.draw.pick(forms).format(it=it, v=text), {"text": text}, "the note is on {it}"


def _copy(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    del target
    label = new_label(scene.draw, op.type, scene.records(op.type))
    forms = ("make a copy of {it} called '{v}'", "duplicate {it} as '{v}'",
             "I want the same as {it} again, as '{v}'", "clone {it}, the clone is called '{v}'")  # fmt: skip
    done = f"{{it}} was copied as {label}"
    return scene.draw.pick(forms).format(it=it, v=label), {"label": label}, done


def _bulk(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    step = scene.draw.pick(op.type.entity.flow.steps)
    records = [target.record]
    while len(records) < 4 and (more := scene.fresh(op.type)) is not None:
        records.append(more)
    records = records[: scene.draw.number(2, 4)]
    for record in records:
        record["status"] = step.before
    others = [str(record["id"]) for record in records[1:]]
    noun = op.type.entity.plural if len(others) > 1 else op.type.noun
    together = f"{it} and {noun} {listed(others)}" if others else it
    if others and str(target.record["id"]) in it.split():
        together = f"{op.type.entity.plural} {listed([str(target.record['id']), *others])}"
    # What is said of one thing cannot always be said of several.
    able = [w for w in step.wordings if not others or not _OF_ONE.search(w.replace("{it}", "", 1))]
    words = _step_words(scene, tuple(able), step.after, together)
    values = {"ids": [record["id"] for record in records], "status": step.after}
    return words, values, f"they are all {step.after.replace('_', ' ')}" if others else "done"


_OF_ONE = re.compile(r"\b(is|has|was|it|came|turned|one|itself)\b|\{it\}")


def _lines(scene: Scene, op: Op, target: Target, it: str) -> _Made:
    kind = op.by_role["lines"].kind
    lines = kind.draw(scene.draw)
    del target
    forms = ("add {v} to {it}", "put {v} on {it}", "{it} also gets {v}", "include {v} in {it}")
    return (
        scene.draw.pick(forms).format(it=it, v=kind.say(scene.draw, lines)),
        {"lines": lines},
        ("the items are on {it}"),
    )


ASKS: dict[str, Callable[[Scene, Op, Target, str], _Made]] = {
    "set": _set, "update": _update, "status": _status, "step": _step, "delete": _delete,
    "tag": _tag, "untag": _untag, "link": _link, "adjust": _adjust, "transfer": _transfer,
    "note": _note, "copy": _copy, "bulk": _bulk, "lines": _lines,
}  # fmt: skip
