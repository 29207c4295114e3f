"""Drawing a world's blueprint from its number: types, operations, parameters, names.

Which operations a type gets and what parameters they take is decided here. Tool names and sets of
parameter names are drawn again until they are on the side of the world's split (see
`naming.side`), are new in this world, and are not those of a world of the other split.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from tooldrill.agent.introspect import EMPTY
from tooldrill.data.forge.blueprint import ABSENT, Blueprint, Op, Param, Style, Type
from tooldrill.data.forge.foreign import foreign_names, foreign_sets
from tooldrill.data.forge.kinds import Kind
from tooldrill.data.forge.lexicon import Entity, Field, Step, domains
from tooldrill.data.forge.manual import (
    VERBS,
    field_sentence,
    kind_note,
    noted,
    prose_name,
    range_note,
)
from tooldrill.data.forge.manual import tool_sentence as summary
from tooldrill.data.forge.naming import (
    PARAMETER_STYLES,
    SYSTEMS,
    TOOL_STYLES,
    opaque_tool,
    parameter_name,
    side,
    side_of_set,
    tool_name,
)
from tooldrill.data.forge.options import Option, options_of
from tooldrill.data.forge.parameters import MAKERS
from tooldrill.data.forge.wishes import first_and_some, wishes
from tooldrill.data.tasks.task import Split

_ID_FORMS = ("int", "int", "int", "dash", "hex", "under", "long")
_ENDINGS = ("record", "entry", "item", "data", "info", "now", "v2", "by id", "one", "object")


def blueprint(rng: random.Random, split: Split) -> Blueprint:
    """A world's blueprint; everything follows from `rng`."""
    return Designer(rng, split).design()


@dataclass
class Designer:
    """One world being designed; `parameters` asks it for the world's words."""

    rng: random.Random
    split: Split
    taken: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)

    def design(self) -> Blueprint:
        rng = self.rng
        self.style = self._style()
        # How ids are called is settled once: `id`, `booking_id`, `booking`.
        self.id_words = rng.choice(("{} id", "{} id", "{} id", "id", "{}", "{} number", "{} ref"))
        self.other_words = rng.choice(("other {} id", "to {} id", "target {} id", "second {}"))
        domain = rng.choice(domains(self.split))
        types = self._types(domain.entities)
        most = rng.randint(4, 28)
        self.targets = {type_.key: type_ for type_ in types}
        wanted: list[tuple[str, Type, Any]] = []
        for type_ in types:
            wanted += wishes(rng, type_)
        wanted = first_and_some(rng, wanted, types[0], most)
        ops = [self._op(action, type_, about) for action, type_, about in wanted]
        rng.shuffle(ops)
        return Blueprint(tuple(types), tuple(ops), self.style)

    def _style(self) -> Style:
        rng = self.rng
        tools = rng.choice(TOOL_STYLES)
        prose = "full" if tools == "opaque" else rng.choice(("full", "full", "plain", "terse"))
        return Style(
            tools=tools,
            parameters=rng.choice(PARAMETER_STYLES),
            system=rng.choice(SYSTEMS),
            prose=prose,
            strict=prose != "full" or rng.random() < 0.5,
            absent=ABSENT if rng.random() < 0.6 else None,
            output=rng.choice(("json", "json", "lines", "sentence", "table")),
            echo=rng.random() < 0.4,
            padded=rng.random() < 0.25,
            error=rng.randrange(4),
        )

    # Types.

    def _types(self, entities: tuple[Entity, ...]) -> list[Type]:
        rng = self.rng
        first = rng.choice(entities)
        chosen = [first]
        size = rng.choice((1, 2, 2, 2, 3, 4))
        near = [e for e in entities if e.noun in first.references]
        others = [e for e in entities if e not in near and e is not first]
        for entity in [*rng.sample(near, len(near)), *rng.sample(others, len(others))]:
            if len(chosen) < size:
                chosen.append(entity)
        return [self._type(entity, chosen) for entity in chosen]

    def _type(self, entity: Entity, chosen: list[Entity]) -> Type:
        rng = self.rng
        count = min(len(entity.fields), rng.randint(3, 6))
        picked = set(rng.sample(range(len(entity.fields)), count))
        strict = self.style.strict
        kept = [
            replace(f, kind=replace(f.kind, strict=strict))
            for index, f in enumerate(entity.fields)
            if index in picked
        ]
        names = {f.key: rng.choice(f.names) for f in kept}
        names["label"] = rng.choice((entity.label.names[0], entity.label.names[0], "name", "label"))
        names["status"] = rng.choice(("status", "status", "state", "stage", "phase"))
        near = [e.key for e in chosen if e.noun in entity.references and e is not entity]
        refers_to = near[0] if near else ""
        names["ref"] = refers_to.replace("_", " ")
        prefix = rng.choice((entity.noun[:3].upper(), "".join(w[0] for w in entity.noun.split())))
        form = rng.choice(_ID_FORMS)
        return Type(entity, tuple(kept), names, refers_to, form, prefix.strip())

    # Operations.

    def _op(self, action: str, type_: Type, about: Any) -> Op:
        of_field = about if isinstance(about, Field) else None
        step = about if isinstance(about, Step) else None
        params = self._fitting(action, type_, of_field)
        name = self._name(action, type_, of_field, step)
        text = summary(
            self.rng,
            action,
            type_,
            field=prose_name(of_field) if of_field else "",
            before=step.before if step else "",
            after=step.after if step else "",
            ref=type_.names["ref"],
        )
        return Op(action, type_, name, text, params, of_field, step)

    def _name(self, action: str, type_: Type, about: Field | None, step: Step | None) -> str:
        rng, style = self.rng, self.style
        verbs = VERBS[action]
        for attempt in range(10_000):
            if style.tools == "opaque":
                made = opaque_tool(rng, self.split)
            else:
                verb = rng.choice(verbs)
                if step is not None:
                    verb = f"{verb} {step.verb}".strip().replace("_", " ")
                many = action in ("list", "count", "total", "bulk") or (
                    action == "find" and rng.random() < 0.5
                )
                noun = type_.entity.plural if many else type_.noun
                key = about.key if about else _TAILS.get(action)
                tail = type_.names[key] if key else ""
                if attempt > 12:
                    tail = f"{tail} {rng.choice(_ENDINGS)}".strip()
                if attempt > 60:
                    tail = f"{tail} {attempt}"
                made = tool_name(style.tools, style.system, verb, noun, tail)
            if self._is_free(made):
                self.taken.add(made)
                return made
        raise RuntimeError(f"no name for {action} {type_.noun}")

    def _is_free(self, name: str) -> bool:
        return (
            name not in self.taken
            and side(name) is self.split
            and name not in foreign_names(self.split)
        )

    # Parameters.

    def _fitting(self, action: str, type_: Type, about: Field | None) -> tuple[Param, ...]:
        """Parameters whose names are a set that this split may use."""
        for attempt in range(10_000):
            params = _distinct(self._params(action, type_, about, extra=attempt))
            names = frozenset(p.name for p in params)
            if side_of_set(names) is not self.split:
                continue
            if names not in foreign_sets(self.split):
                return params
        raise RuntimeError(f"no parameters for {action} {type_.noun}")

    def _params(
        self, action: str, type_: Type, about: Field | None, extra: int
    ) -> tuple[Param, ...]:
        rng = self.rng
        made = MAKERS[action](self, type_, about)
        # The first tries are bare or carry one option; later ones whatever it takes.
        pool = options_of(action)
        most = 1 if extra < 2 else 2 + extra // 8
        for option in rng.sample(pool, min(len(pool), rng.randint(0, most))):
            made.append(self._option(type_, option, again=extra > 6))
        required = [p for p in made if p.required]
        return tuple(required + [p for p in made if not p.required])

    def _option(self, type_: Type, option: Option, *, again: bool) -> Param:
        word = self.words.get(option.role)
        if word is None or again:
            word = self.words[option.role] = self.rng.choice(option.names)
            self.words.pop(f"opaque:{option.role}:{type_.key}", None)
        default = self.style.absent if option.default is ABSENT else option.default
        return self.param(type_, word, option.role, option.kind, default, option.text)

    def param(  # noqa: PLR0917 - a table of parameters reads best by position
        self, type_: Type, words: str, role: str, kind: Kind, default: Any = EMPTY, text: str = ""
    ) -> Param:
        """A parameter in the world's style; described, unless the world is terse of words."""
        style, rng = self.style, self.rng
        shortened = style.parameters == "last_word" and not role.startswith("f:")
        naming = "snake" if shortened else style.parameters
        name = parameter_name(naming, type_.noun, words)
        if style.tools == "opaque" and style.parameters in ("abbreviated", "flat"):
            name = self.words.setdefault(f"opaque:{role}:{type_.key}", _letter(rng, self.words))
        note = kind_note(kind)
        limits = range_note(kind) if style.prose == "full" and rng.random() < 0.6 else ""
        told = {"full": 1.0, "plain": 0.6, "terse": 0.15}[style.prose]
        described = bool(text) and (bool(note) or rng.random() < told)
        return Param(name, role, kind, default, noted(text, note, limits) if described else "")

    def id_of(self, type_: Type, role: str = "id", *, other: bool = False) -> Param:
        words = (self.other_words if other else self.id_words).format(type_.noun)
        text = f"Id of the {'other ' if other else ''}{type_.noun}"
        return self.param(type_, words, role, type_.id_kind, EMPTY, text)

    def of_field(
        self, type_: Type, about: Field, default: Any = EMPTY, *, new: bool = False
    ) -> Param:
        words = type_.names[about.key]
        if new and self.rng.random() < 0.3:
            words = f"new {words}"
        text = field_sentence(self.rng, type_, about, new=new)
        role = "label" if about.key == "label" else f"f:{about.key}"
        return self.param(type_, words, role, about.kind, default, text)


def _distinct(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """The same parameters; of two that are called the same, the later one by what it means."""
    made: dict[str, Param] = {}
    for param in params:
        name, tail = param.name, param.role.partition(":")[2] or param.role
        while name in made:
            name = f"{name}_{tail}"
        made[name] = param if name == param.name else replace(param, name=name)
    return tuple(made.values())


def _letter(rng: random.Random, used: dict[str, str]) -> str:
    free = [a + b for a in "abcdefghkmnpqrstuvwxyz" for b in ("", "1", "2", "x")]
    return rng.choice([name for name in free if name not in used.values()])


# The field a name ends with, by action, where it is not about one.
_TAILS = {"status": "status", "bulk": "status", "link": "ref"}
