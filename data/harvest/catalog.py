"""What can be harvested here: sources, their services, and which of them are held out.

Held out by a rule on the name alone, `is_heldout`: about one service in ten of each source. Some
that it holds out are listed in `HELDOUT_EXAMPLES` (a test compares). Tools that a held-out world
has, by name or by their set of parameters, are nobody's.
"""

from __future__ import annotations

import importlib.metadata
import math
import platform
from bisect import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import plain
from tooldrill.agent.tool import Registry
from tooldrill.data.harvest import aws, google, stdlib
from tooldrill.data.harvest.operation import Operation, fixed_rng, share_of
from tooldrill.data.harvest.styles import short_name
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

HELDOUT_SHARE = 0.1
HELDOUT_EXAMPLES: dict[str, tuple[str, ...]] = {
    "aws": ("cloudfront", "cognito-idp", "directconnect", "ec2", "fsx", "glue", "lambda", "sns"),
    "google": ("apihub", "dlp", "documentai", "file", "keep", "run", "safebrowsing"),
    "stdlib": ("getpass", "gzip", "linecache", "socket"),
}
MOST_OPERATIONS = 400  # of one service
# Services kept in memory: one is read in about 2 ms, and some are 40 MB of dictionaries.
_KEPT = 16


class Source(NamedTuple):
    """A place operations come from.

    Attributes:
        package: what must be installed; empty when nothing must.
        documents: where each service is read from.
    """

    name: str
    package: str
    documents: Callable[[], Mapping[str, Any]]
    read: Callable[[Any], Any]
    operation_names: Callable[[Any], list[str]]
    operation: Callable[[str, Any, str], Operation | None]
    parameter_names: Callable[[Any, str], frozenset[str]]


_SOURCES = {
    "aws": Source(
        aws.SOURCE, "botocore", aws.documents, aws.read, aws.operation_names, aws.operation,
        aws.parameter_names,
    ),
    "google": Source(
        google.SOURCE, "google-api-python-client", google.documents, google.read,
        google.operation_names, google.operation, google.parameter_names,
    ),
    "stdlib": Source(
        stdlib.SOURCE, "", stdlib.documents, stdlib.read, stdlib.operation_names,
        stdlib.operation, stdlib.parameter_names,
    ),
}  # fmt: skip
SOURCES = tuple(_SOURCES)


@dataclass
class HarvestedService:
    """One service of a source, its operations converted when they are asked for.

    Attributes:
        name: `<source>:<service>`.
        names: its operations, at most `MOST_OPERATIONS`, in the source's order.
    """

    source: str
    service: str
    names: tuple[str, ...]
    _model: Any
    _made: dict[str, Operation | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.source}:{self.service}"

    @property
    def split(self) -> Split:
        return Split.HELDOUT if is_heldout(self.name) else Split.TRAIN

    def operation(self, name: str) -> Operation | None:
        """An operation by name; None when it cannot be shown, or belongs to a held-out world."""
        if name not in self._made:
            made = _SOURCES[self.source].operation(self.service, self._model, name)
            self._made[name] = None if made is None or clashes(made) else made
        return self._made[name]

    def parameter_names(self, name: str) -> frozenset[str]:
        """What parameters the operation has, without converting it."""
        return _SOURCES[self.source].parameter_names(self._model, name)

    @property
    def operations(self) -> list[Operation]:
        """Every operation that can be shown."""
        return [made for name in self.names if (made := self.operation(name)) is not None]

    @cached_property
    def registry(self) -> Registry:
        """The tools under the names that the source gives them."""
        return Registry(operation.tool(operation.name, {}) for operation in self.operations)


def sources() -> tuple[str, ...]:
    """The sources that are installed here."""
    return tuple(name for name, source in _SOURCES.items() if source.documents())


def need_sources(names: tuple[str, ...] = SOURCES) -> tuple[str, ...]:
    """Those of `names` that are installed.

    Raises:
        TooldrillError: when none of them is, or one does not exist.
    """
    for name in names:
        if name not in _SOURCES:
            raise TooldrillError(
                f"no harvest source named {name!r}", f"name one of {', '.join(SOURCES)}"
            )
    there = tuple(name for name in names if _SOURCES[name].documents())
    if not there:
        packages = " ".join(_SOURCES[name].package for name in names)
        raise TooldrillError(
            f"none of the harvest sources {', '.join(names)} is installed",
            f"pip install {packages or 'tooldrill[harvest]'}",
        )
    return there


def need_every_package() -> None:
    """Refuses to harvest from a part of the sources: a set then would depend on what is missing.

    Raises:
        TooldrillError: naming the packages that are not installed.
    """
    missing = [s.package for s in _SOURCES.values() if s.package and not s.documents()]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        raise TooldrillError(
            f"data.mixture.harvest: {' and '.join(missing)} {verb} not installed",
            "pip install 'tooldrill[harvest]', or set data.mixture.harvest=0",
        )


def package_versions() -> dict[str, str]:
    """What the harvest is read from, with versions: its examples depend on them."""
    found = {"python": platform.python_version()}
    for source in _SOURCES.values():
        if source.package and source.documents():
            found[source.package] = importlib.metadata.version(source.package)
    return found


@cache
def service_names(source: str, split: Split | None = None) -> tuple[str, ...]:
    """The services of a source, `<source>:<service>`, of one split or of both."""
    names = tuple(f"{source}:{service}" for service in _SOURCES[source].documents())
    if split is None:
        return names
    return tuple(name for name in names if is_heldout(name) == (split is Split.HELDOUT))


def is_heldout(name: str) -> bool:
    """Whether the service of that name (`aws:s3`) is kept for evaluation.

    Services of one family (`chime`, `chime-sdk-voice`) go together: much in them has one name. For
    the same reason `training_surface` takes out of the held-out side what training has as well.
    """
    source, _, service = name.partition(":")
    family = service.replace("-", ".").split(".", 1)[0] if source != "stdlib" else service
    return share_of(f"harvest:{source}:{family}") < HELDOUT_SHARE


@lru_cache(maxsize=_KEPT)
def service(name: str) -> HarvestedService:
    """The service of that name (`aws:s3`, `google:calendar`, `stdlib:textwrap`).

    Raises:
        TooldrillError: when there is none, or its package is not installed.
    """
    source_name, _, short = name.partition(":")
    need_sources((source_name,))
    source = _SOURCES[source_name]
    document = source.documents().get(short)
    if document is None:
        raise TooldrillError(
            f"{source_name} has no service named {short!r}",
            f"name one such as {', '.join(list(source.documents())[:3])}",
        )
    model = source.read(document)
    names = source.operation_names(model)
    if len(names) > MOST_OPERATIONS:
        kept = set(fixed_rng("service", name).sample(range(len(names)), MOST_OPERATIONS))
        names = [one for index, one in enumerate(names) if index in kept]
    return HarvestedService(source_name, short, tuple(names), model)


@cache
def weights(source: str, split: Split) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The services of a split, and cumulative weights that grow with the root of their size."""
    names = service_names(source, split)
    documents = _SOURCES[source].documents()
    sizes = [
        path.stat().st_size if isinstance(path := documents[name.partition(":")[2]], Path) else 4096
        for name in names
    ]
    return names, tuple(accumulate(math.isqrt(size) + 1 for size in sizes))


def pick_service(source: str, split: Split, at: float) -> str:
    """The service at the position `at` in [0, 1) of the weighted list."""
    names, sums = weights(source, split)
    return names[bisect(sums, int(at * sums[-1]))]


def clashes(operation: Operation) -> bool:
    """Whether a held-out world has a tool of this name, or one with these very parameters."""
    names, sets = _heldout_surface()
    own = {plain(operation.method), plain(operation.name.rsplit(".", 1)[-1]), plain(operation.name)}
    return bool(own & names) or parameter_set(operation) in sets


def parameter_set(operation: Operation) -> frozenset[str]:
    """The names of the parameters without case and separators."""
    return frozenset(plain(name) for name in operation.parameters)


@cache
def _heldout_surface() -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    tools = [tool for name in world_names(Split.HELDOUT) for tool in get_world(name).registry]
    sets = (frozenset(plain(name) for name in tool.parameter_names) for tool in tools)
    return frozenset(plain(tool.name) for tool in tools), frozenset(s for s in sets if s)


@cache
def training_surface() -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    """Plain method names and parameter sets of every training service: a few seconds, once.

    Only the held-out side asks: what it shares with training is left out there.
    """
    names: set[str] = set()
    sets: set[frozenset[str]] = set()
    for source in sources():
        for name in service_names(source, Split.TRAIN):
            for operation in service(name).operations:
                names.add(full_name(operation))
                sets.add(parameter_set(operation))
    return frozenset(names), frozenset(sets | {frozenset()})


def full_name(operation: Operation) -> str:
    """What is done to what, without case and separators: one name in every style."""
    return plain("".join(short_name(operation)))
