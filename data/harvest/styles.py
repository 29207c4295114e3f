"""How tools of one registry are named: as the source does, or as a wrapper of it would.

One style holds for a whole registry, for tools and parameters alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tooldrill.agent.tool import Tool
from tooldrill.data.harvest.operation import Operation
from tooldrill.data.harvest.prose import singular, words

LONGEST_NAME = 64  # what chat APIs take


def snake(identifier: str) -> str:
    """`DBInstanceId` -> `db_instance_id`."""
    return "_".join(word.lower() for word in words(identifier)) or identifier


def camel(*parts: str) -> str:
    """`insert`, `event` -> `insertEvent`."""
    found = [word for part in parts for word in words(part)]
    return found[0].lower() + "".join(word[0].upper() + word[1:] for word in found[1:])


def short_name(operation: Operation) -> tuple[str, ...]:
    """Verb, then what it is done to: `insert`, `event`."""
    if not operation.resource:
        return (operation.method,)
    method = words(operation.method)
    owner = operation.resource if method[:1] == ("list",) else singular(operation.resource)
    return (method[0], owner, *method[1:])


def _id(operation: Operation) -> str:
    """Without the levels that only say whose it is: `run.projects.locations.jobs.run`."""
    parts = [p for p in operation.name.split(".") if p not in ("projects", "locations")]
    return ".".join(parts)


Name = Callable[[Operation], str]


@dataclass(frozen=True)
class Style:
    """A way to name tools and their parameters."""

    name: str
    tool: Name
    parameter: Callable[[str], str]

    def apply(self, operation: Operation) -> Tool:
        """The operation as a tool of this style."""
        renamed = {name: self.parameter(name) for name in operation.parameters}
        if len(set(renamed.values())) < len(renamed):
            renamed = {}
        return operation.tool(self.tool(operation), renamed)


def _same(name: str) -> str:
    return name


def _plain(service: str) -> str:
    return re.sub(r"\W+", "_", service)


def _dotted_to_snake(operation: Operation) -> str:
    return re.sub(r"\W+", "_", _id(operation))


STYLES: dict[str, tuple[Style, ...]] = {
    "aws": (
        Style("pascal", lambda o: o.method, _same),
        Style("snake", lambda o: snake(o.method), _same),
        Style("dotted", lambda o: f"{o.service}.{snake(o.method)}", _same),
        Style("snake_all", lambda o: f"{_plain(o.service)}_{snake(o.method)}", snake),
        Style("camel_all", lambda o: camel(o.method), camel),
    ),
    "google": (
        Style("dotted", lambda o: o.name, _same),
        Style("underscored", _dotted_to_snake, _same),
        Style("camel", lambda o: camel(*short_name(o)), _same),
        Style("snake_all", lambda o: snake("_".join(short_name(o))), snake),
    ),
    "stdlib": (
        Style("dotted", lambda o: o.name, _same),
        Style("underscored", lambda o: o.name.replace(".", "_"), _same),
        Style("plain", lambda o: o.method, _same),
    ),
}


def tools_of(style: Style, operations: Sequence[Operation]) -> list[tuple[Operation, Tool]]:
    """The operations as tools; one whose name is too long or taken is left out."""
    found: dict[str, tuple[Operation, Tool]] = {}
    for operation in operations:
        tool = style.apply(operation)
        if len(tool.name) <= LONGEST_NAME:
            found.setdefault(tool.name, (operation, tool))
    return list(found.values())
