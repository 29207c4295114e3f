"""The forge's vocabulary, read: fields, flows, entities and domains.

What words there are stands in `fields` and `nouns`; here they become objects, once per process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tooldrill.data.forge.fields import FIELDS, FLOWS
from tooldrill.data.forge.kinds import Kind
from tooldrill.data.forge.nouns import DOMAINS, HELDOUT_DOMAINS
from tooldrill.data.forge.speech import plural
from tooldrill.data.tasks.task import Split


@dataclass(frozen=True)
class Field:
    """Something an entity has.

    Attributes:
        key: its name in the state.
        names: what authors call it, the plainest first.
        clauses: how people say it behind the entity; of a flag, when it is true.
        changes: how people ask for another value; of a flag, for true.
        no_clauses, no_changes: the same of a flag for false.
    """

    key: str
    kind: Kind
    names: tuple[str, ...]
    clauses: tuple[str, ...]
    changes: tuple[str, ...]
    no_clauses: tuple[str, ...] = ()
    no_changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One transition of a flow: `confirm` from `pending` to `confirmed`."""

    verb: str
    before: str
    after: str
    wordings: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """The states an entity goes through, and what may follow what."""

    name: str
    states: tuple[str, ...]
    steps: tuple[Step, ...]

    def kind(self) -> Kind:
        return Kind("enum", self.states)

    def next_states(self, state: str) -> tuple[str, ...]:
        return tuple(step.after for step in self.steps if step.before == state)


@dataclass(frozen=True)
class Entity:
    """A type of thing.

    Attributes:
        label: the field that people call one of them by.
        references: nouns of the same domain that it may point at.
    """

    noun: str
    plural: str
    label: Field
    fields: tuple[Field, ...]
    flow: Flow
    references: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.noun.replace(" ", "_")


@dataclass(frozen=True)
class Domain:
    """Entities that belong together."""

    name: str
    entities: tuple[Entity, ...]


@cache
def domains(split: Split) -> tuple[Domain, ...]:
    """The domains of a split, in the order they were written."""
    held = split is Split.HELDOUT
    return tuple(d for d in _domains() if (d.name in HELDOUT_DOMAINS) == held)


def _lines(text: str) -> list[list[str]]:
    return [
        [part.strip() for part in line.split("|")] for line in text.strip().splitlines() if line
    ]


def _kind(text: str) -> Kind:
    base, _, rest = text.partition(" ")
    spec = rest.split(", ") if base == "enum" else rest.split()
    return Kind(base, tuple(part.strip() for part in spec))


def _options(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


@cache
def fields() -> dict[str, Field]:
    """Every field by its key."""
    made = {}
    for key, kind, names, clauses, changes in _lines(FIELDS):
        (yes, _, no), (to, _, away) = clauses.partition("//"), changes.partition("//")
        made[key] = Field(
            key,
            _kind(kind),
            tuple(names.split("/")),
            _options(yes),
            _options(to),
            _options(no),
            _options(away),
        )
    return made


@cache
def flows() -> dict[str, Flow]:
    """Every flow by its name."""
    made = {}
    for name, states, steps in _lines(FLOWS):
        made[name] = Flow(name, tuple(states.split()), tuple(map(_step, steps.split(" / "))))
    return made


def _step(text: str) -> Step:
    arrow, wordings = text.split(":", 1)
    states, verb = arrow.strip().split("=")
    before, after = states.split(">")
    return Step(verb, before, after, _options(wordings))


@cache
def _domains() -> tuple[Domain, ...]:
    made: list[Domain] = []
    for part in DOMAINS.strip().split("# ")[1:]:
        name, rows = part.split("\n", 1)
        made.append(Domain(name.strip(), tuple(_entity(*row) for row in _lines(rows))))
    return tuple(made)


def _entity(head: str, names: str, flow: str, references: str) -> Entity:
    nouns, _, label = head.partition(":")
    noun, _, many = nouns.partition("/")
    base, *rest = label.split()
    # `code SUITE number`: a prefix, then the name; otherwise the rest is the name.
    spec, words = ((rest[0],), rest[1:]) if base == "code" else ((), rest)
    called = " ".join(words)
    clauses = _LABEL_CLAUSES.get(base, ("called '{v}'", 'named "{v}"', "by the name of {v}"))
    if called == "name" and base in ("person", "company"):
        # The thing is itself a person: nothing is in their name.
        clauses = ("called {v}", "named {v}", "by the name of {v}")
    changes = _LABEL_CHANGES.get(base, ("call {it} '{v}' instead", "rename {it} to '{v}'"))
    field = Field("label", Kind(base, spec), (called,), clauses, changes)
    known = fields()
    return Entity(
        noun,
        many or plural(noun),
        field,
        tuple(known[key] for key in names.split()),
        flows()[flow],
        tuple(_split_nouns(references)),
    )


def _split_nouns(text: str) -> list[str]:
    """Nouns of one or two words: the longest that the vocabulary knows are taken."""
    known = {line.split(":", 1)[0].split("/")[0] for line in DOMAINS.splitlines() if ":" in line}
    words, found = text.split(), []
    while words:
        size = 2 if " ".join(words[:2]) in known and len(words) > 1 else 1
        found.append(" ".join(words[:size]))
        words = words[size:]
    return found


_CODED = ("numbered {v}", "with the code {v}", "marked {v}", "{v}")
_LABEL_CLAUSES = {
    "person": ("for {v}", "in the name of {v}", "of {v}"),
    "company": ("for {v}", "of {v}", "in the name of {v}"),
    "city": ("in {v}", "for {v}"),
    "code": _CODED,
    "plate": ("with the plate {v}", "for {v}"),
    "host": ("{v}", "called {v}"),
    "path": ("at {v}", "under {v}"),
}
_LABEL_CHANGES = {
    "person": ("put {it} in the name of {v}", "make {it} out to {v} instead"),
    "company": ("make {it} out to {v} instead", "put {it} in the name of {v}"),
    "city": ("move {it} to {v}",),
    "code": ("give {it} the code {v}", "mark {it} {v} from now on"),
    "plate": ("change the plate of {it} to {v}", "put the plate {v} on {it}"),
    "host": ("call {it} {v} instead", "rename {it} to {v}"),
    "path": ("move {it} to {v}", "put {it} at {v}"),
}
