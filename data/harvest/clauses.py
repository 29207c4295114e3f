"""How an argument is said in a request: in words of its description, with a preposition, by name.

Every clause states its value, literally or in words that mean nothing else. Which clauses stand
together, and in what voice, is decided in `wording`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tooldrill.data.harvest.prose import is_plural, label, noun_phrase, short_label
from tooldrill.data.harvest.switches import switch_phrases
from tooldrill.data.harvest.values import ENDS, STARTS, Argument, Leaf, Path
from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

# How often a parameter is called by its own words though there are others.
OWN_NAME_SHARE = 0.15
_BARE_SHARE = 0.85  # how often it goes without a name where that is possible
_OWN_SPELLING_SHARE = 0.06  # ... by the identifier itself


@dataclass(frozen=True)
class Clause:
    """A piece of a request.

    Attributes:
        text: with the values in it.
        sentence: whether it stands alone; else it follows what is asked.
        stated: for each leaf the part of `text` that means its value.
    """

    text: str
    sentence: bool
    stated: tuple[tuple[Path, Any, str], ...]


_INLINE = (
    "with {n} {v}", "with {v} as the {n}", "using {v} as the {n}", "using {n} {v}",
    "with the {n} {v}", "({n}: {v})", "with the {n} set to {v}", "taking {v} as the {n}",
)  # fmt: skip
_SENTENCES = (
    "The {n} {is} {v}", "Use {v} as the {n}", "The {n} should be {v}", "Take {v} for the {n}",
    "{v} {is} the {n}", "Make {v} the {n}", "As for the {n}: {v}", "For the {n}, {v}",
    "The {n} must be {v}", "Set the {n} to {v}", "{n}: {v}", "I want {v} as the {n}",
)  # fmt: skip
_LIMIT = re.compile(
    r"^(max(imum)? (results|items|records|keys|entries|count|resources)|page size|limit|page limit"
    r"|max (num )?results|results per page|max page size)$"
)
_LIMITS = (
    "at most {v} of them", "no more than {v}", "{v} at most", "just the first {v}",
    "not more than {v} at once", "up to {v} of them", "{v} per page",
    "capped at {v}",
)  # fmt: skip


def clause(draw: Draw, argument: Argument, taken: set[str], plural: bool) -> Clause:
    """The argument as a piece of a request.

    Args:
        taken: bare forms and kinds used by other clauses; what is drawn is added.
        plural: whether the request is for several things, so that a limit may go unnamed.
    """
    leaves = argument.leaves
    if len(leaves) == 1 and isinstance(leaves[0].value, bool):
        return _switch(draw, leaves[0])
    if leaves[0].pair:
        return _pairs(draw, leaves)
    if len({leaf.name for leaf in leaves}) > 1:
        return _fields(draw, leaves)
    return _named(draw, leaves, taken, plural)


def _switch(draw: Draw, leaf: Leaf) -> Clause:
    text = draw.pick(switch_phrases(leaf.label, leaf.value))
    return Clause(text, False, ((leaf.path, leaf.value, text),))


def _pairs(draw: Draw, leaves: tuple[Leaf, ...]) -> Clause:
    """Tags and the entries of a map: each value stands beside its key."""
    form = draw.pick(("{}={}", "{}: {}", "{} = {}", "{} set to {}"))
    # Of a tag the key is a leaf as well; it is said in the same words.
    texts = {leaf.pair: form.format(leaf.pair, leaf.said) for leaf in leaves if leaf.of_pair}
    stated = tuple((leaf.path, leaf.value, texts[leaf.pair]) for leaf in leaves)
    inline = draw.pick(("with {n} {v}", "with {v} as {n}", "({n}: {v})", "and {n} {v}"))
    text = inline.replace("{n}", leaves[0].label).replace(
        "{v}", _listed(draw, list(texts.values()))
    )
    return Clause(text, False, stated)


def _fields(draw: Draw, leaves: tuple[Leaf, ...]) -> Clause:
    """Several fields of one object, one after the other."""
    parts, stated = [], []
    for leaf in leaves:
        if isinstance(leaf.value, bool):
            said = text = draw.pick(switch_phrases(leaf.label, leaf.value))
        else:
            said = leaf.said
            text = f"{noun(draw, leaf)} {quoted(draw, leaf, said)}"
        parts.append(text)
        stated.append((leaf.path, leaf.value, said))
    opening = draw.pick(("with", "using", "namely", "with"))
    return Clause(f"{opening} {_listed(draw, parts)}", False, tuple(stated))


def _named(draw: Draw, leaves: tuple[Leaf, ...], taken: set[str], plural: bool) -> Clause:
    leaf = leaves[0]
    values = [quoted(draw, one, one.said) for one in leaves]
    listed = _listed(draw, values)
    stated = tuple((one.path, one.value, one.said) for one in leaves)
    bare = _bare(draw, leaf, taken, plural)
    if bare:
        return Clause(bare.replace("{v}", listed), False, stated)
    called = noun(draw, leaf)
    if len(leaves) == 1 and draw.chance(0.45) and not called.isdigit():
        text = draw.pick(_SENTENCES)
        text = text.replace("{is}", "are" if is_plural(head_of(called)) else "is")
        if text.startswith("{v}") and listed[0].islower():
            # A sentence begins with a capital, a value with its own letter.
            text = f"So {text[0].lower()}{text[1:]}"
        text = text.replace("{n}", called).replace("{v}", listed)
        return Clause(text, True, stated)
    text = draw.pick(_INLINE).replace("{n}", called).replace("{v}", listed)
    return Clause(text, False, stated)


def _bare(draw: Draw, leaf: Leaf, taken: set[str], plural: bool) -> str:
    """A way to say it without its name, where nobody could take it for something else."""
    low = leaf.label.lower()
    if plural and _LIMIT.match(low) and "limit" not in taken:
        taken.add("limit")
        return draw.pick(_LIMITS)
    if leaf.kind is None and _looks_like_time(leaf):
        for pattern, forms in (
            (STARTS, ("from {v} on", "since {v}", "starting {v}")),
            (ENDS, ("until {v}", "up to {v}", "no later than {v}")),
        ):
            if pattern.search(low) and forms[0] not in taken:
                taken.add(forms[0])
                return draw.pick(forms)
    if leaf.kind is None or not leaf.kind.bare or leaf.kind.name in taken:
        return ""
    taken.add(leaf.kind.name)
    return draw.pick(leaf.kind.bare) if draw.chance(_BARE_SHARE) else ""


def _looks_like_time(leaf: Leaf) -> bool:
    return isinstance(leaf.value, str) and bool(re.match(r"\d{4}-\d\d-\d\d", leaf.value))


def noun(draw: Draw, leaf: Leaf) -> str:
    """What the parameter is called: by its description where that says it otherwise."""
    described = noun_phrase(leaf.description) if len(leaf.path) == 1 else ""
    if described.lower() in (leaf.label.lower(), leaf.name.lower()) or _is_vague(described, leaf):
        described = ""
    # A unit that is said with the number is not said with the name once more.
    short = "" if leaf.label != label(leaf.name) else short_label(leaf.name).lower()
    others = [described] * 3 if described else []
    if short and short != leaf.label.lower() and short not in ("", "id", "name"):
        others.append(short)
    turned = _TURNED.match(leaf.label.lower())
    if turned is not None and turned[1] not in _NOT_TURNED:
        others.append(f"{turned[2]} of the {turned[1]}")
    if draw.chance(_OWN_SPELLING_SHARE):
        return leaf.name
    if others and not draw.chance(OWN_NAME_SHARE):
        return draw.pick(others)
    return leaf.label or "value"


# `instance type` is as well the type of the instance.
_TURNED = re.compile(
    r"^(.+) (type|name|status|id|number|size|version|mode|state|count|key|date|time|format|class|"
    r"identifier|prefix|path|role|policy|level|code|value|description|address|method|group)$"
)
_NOT_TURNED = frozenset(
    word_list(
        """
        display friendly given family first last start end language country currency content
        page max min host next time event default full short expected current latest new old
        maximum minimum target source parent remote custom initial original desired
        """
    )
)
_VAGUE = frozenset(
    word_list(
        """
        unique identifier id arn name string resource of the value object one number type
        assigned
        """
    )
)


def _is_vague(described: str, leaf: Leaf) -> bool:
    """Whether these words could mean another parameter as well: `unique identifier`."""
    own = set(leaf.label.lower().split()) - _VAGUE
    return bool(own) and set(described.lower().split()) <= _VAGUE


def head_of(noun: str) -> str:
    """The word that decides number: `keys` in `keys of the tags`."""
    return noun.split(" of ", 1)[0].rsplit(" ", 1)[-1]


_NEEDS_QUOTES = re.compile(r"[\s,;]|^$")


def quoted(draw: Draw, leaf: Leaf, said: str) -> str:
    """The value, in quotes where its end would else be unclear, sometimes where it would not."""
    if not isinstance(leaf.value, str) or leaf.options or said != leaf.value:
        return said
    if said.startswith("{"):
        return draw.pick(("{}", "`{}`", "'{}'")).replace("{}", said)
    if _NEEDS_QUOTES.search(said) or (leaf.kind is not None and leaf.kind.quoted):
        return f'"{said}"'
    return draw.pick(("{}",) * 7 + ("`{}`", '"{}"', "'{}'")).format(said)


def _listed(draw: Draw, items: list[str]) -> str:
    if len(items) == 1:
        return items[0]
    last = draw.pick((" and ", " and ", ", "))
    return ", ".join(items[:-1]) + last + items[-1]
