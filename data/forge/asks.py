"""One request each: how people ask for an operation, and the call that carries it out.

An ask may prepare the scene (what is to be confirmed must be pending). Questions, which change
nothing, are `questions`' matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tooldrill.data.forge.blueprint import Op
from tooldrill.data.forge.changes import ASKS, STATEMENTS, Values, tag_word
from tooldrill.data.forge.ids import next_id
from tooldrill.data.forge.phrasing import clause, plain_clause
from tooldrill.data.forge.scene import Scene, Target, new_label
from tooldrill.data.forge.speech import article
from tooldrill.data.forge.voices import reserved
from tooldrill.data.values.words import word_list
from tooldrill.data.worlds.book import OracleCall

OPTION_SHARE = 0.3


@dataclass(frozen=True)
class Ask:
    """A request for one change.

    Attributes:
        words: an imperative without a full stop (`call booking 12 off`), or a whole statement.
        imperative: which of the two.
        done: what the answer says of it.
    """

    words: str
    imperative: bool
    calls: tuple[OracleCall, ...]
    done: str


CHANGES = frozenset(
    word_list(
        """
    update set status step delete tag untag link adjust transfer note copy bulk lines
        """
    )
)


def ask(scene: Scene, op: Op, target: Target, it: str = "") -> Ask | None:
    """A request for the operation on `target`; None where it makes no sense.

    Args:
        it: what the prompt calls the target, when it was named before.
    """
    made = ASKS[op.action](scene, op, target, it or target.words)
    if made is None:
        return None
    words, values, done = made
    if not op.has("ids"):
        values = {"id": target.record["id"], **values}
    words, values = _with_option(scene, op, words, values)
    name = f"{op.type.noun} {target.record['id']}"
    call = (op.name, op.arguments(values))
    imperative = not words.startswith(STATEMENTS) and not words.startswith(it or target.words)
    return Ask(words, imperative, (*target.before, call), done.format(it=name))


def create(scene: Scene, op: Op) -> tuple[Ask, Any]:
    """A request for a new record, and the id that it will have."""
    draw, type_ = scene.draw, op.type
    records = scene.records(type_)
    label = new_label(draw, type_, records)
    values: Values = {"label": label}
    said = [plain_clause(draw, type_.entity.label, label, draw.chance(0.8))]
    for param in op.params:
        if not param.role.startswith("f:"):
            continue
        field = type_.field(param.role[2:])
        if not param.required and draw.chance(0.6):
            continue
        value = field.kind.draw(draw)
        if not param.required and value == param.default:
            # What is the default anyway need not be asked for, and is left out of the call.
            continue
        values[param.role] = value
        said.append(clause(scene, type_, field, value))
    head, *rest = said
    if draw.chance(0.4):
        draw.rng.shuffle(rest)
    forms = reserved(scene.split, _CREATIONS)
    noun = article(type_.noun)
    words = draw.pick(forms).format(a=noun, new=article(f"new {type_.noun}"), noun=type_.noun)
    words = f"{words} {head}" + "".join(f", {part}" for part in rest)
    words, values = _with_option(scene, op, words, values)
    identity = next_id(type_, records)
    done = f"{type_.noun} {identity} ({label}) is entered"
    return Ask(words, words[0].islower(), ((op.name, op.arguments(values)),), done), identity


_CREATIONS = (
    "create {a}", "add {a}", "enter {new}", "set up {a}", "make {new}", "put in {a}",
    "register {a}", "We need {new}", "There is {new} to enter: one", "New {noun}", "get me {a}",
    "I want {a}", "start {new}", "Please take down {a}", "prepare {a}", "open {a}",
)  # fmt: skip


def _with_option(scene: Scene, op: Op, words: str, values: Values) -> tuple[str, Values]:
    """With one of the options that the tool has, now and then."""
    able = [p.role for p in op.params if p.role in _TAILS]
    if not able or not scene.draw.chance(OPTION_SHARE):
        return words, values
    role = scene.draw.pick(able)
    value: Any = True
    if role in ("x:reason", "x:note"):
        value = scene.draw.line()
    elif role == "x:tag":
        value = tag_word(scene)
    tail = scene.draw.pick(_TAILS[role]).format(v=value)
    return f"{words}{tail}", {**values, role: value}


_TAILS = {
    "x:notify": (" and let everyone concerned know", ", and tell the people involved",
                 ", and they should all hear about it", " and send word round"),
    "x:reason": (', because "{v}"', ' (the grounds: "{v}")', ", since '{v}'"),
    "x:note": (', and keep with it that "{v}"', ", with the words '{v}' attached"),
    "x:tag": (", filed under {v}", ", and it goes with the {v} ones"),
    "x:pinned": (", right at the top", ", above everything else written there"),
    "x:echo": (" and show me the outcome in full", ", then let me see all of it"),
}  # fmt: skip
