"""The dialects by name, and every way in which templates write them."""

from __future__ import annotations

from collections.abc import Iterator

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.dialects import (
    bare_json,
    braced,
    hermes,
    json_list,
    named_json,
    pythonic,
    tagged,
)
from tooldrill.agent.protocols.dialects.base import Dialect

HERMES: Dialect = hermes.Hermes()


def all_variants() -> Iterator[Dialect]:
    """Every way of writing that is known; those in tags before those without."""
    yield from hermes.variants()
    yield from tagged.variants()
    yield from pythonic.variants()
    yield from json_list.variants()
    yield from named_json.variants()
    yield from braced.variants()
    yield from bare_json.variants()


DIALECTS: dict[str, Dialect] = {one.name: one for one in reversed([*all_variants()])}
"""Each as most templates write it, which is its first variant."""


def get_dialect(name: str) -> Dialect:
    """The dialect of that name, as most templates write it.

    Raises:
        TooldrillError: when there is none.
    """
    if name not in DIALECTS:
        raise TooldrillError(f"no dialect {name!r}", f"choose one of: {', '.join(DIALECTS)}")
    return DIALECTS[name]
