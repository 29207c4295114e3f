"""Does anything of the held-out split, or of somebody's benchmark, occur in a training set?

Names of tools, sets of parameter names, prompts. A proof of absence in the rows themselves: how
they were made is not trusted. The held-out worlds are fixed by name in `worlds.catalog`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.forge.world import forge_name
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

_FORGED = 200  # held-out forged worlds looked at; there is no end of them
RUN = 8  # words in a row that two texts must not share
_FEWEST_WORDS = 5  # of a wording, beside its gaps

Row = Mapping[str, Any]


class Leak(NamedTuple):
    """Something that must not be in the training set.

    Attributes:
        kind: what it is: `tool name`, `parameter set`, `prompt`, `world`, `8-word run`.
        what: the thing itself.
        row: the id of a row it stands in.
    """

    kind: str
    what: str
    row: str


@dataclass
class Forbidden:
    """What training rows must not hold."""

    tools: set[str] = field(default_factory=set)
    parameters: set[frozenset[str]] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    worlds: set[str] = field(default_factory=set)
    wordings: list[Wording] = field(default_factory=list)


class Wording(NamedTuple):
    """A prompt with gaps: its longest piece of text, and the pattern of the whole."""

    piece: str
    pattern: re.Pattern[str]


def find_leaks(rows: Iterable[Row], forbidden: Forbidden) -> Iterator[Leak]:
    """Every forbidden thing in the rows, each with the first row it stands in."""
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, 1):
        for kind, what in _row_leaks(row, forbidden):
            if (kind, what) not in seen:
                seen.add((kind, what))
                yield Leak(kind, what, str(row.get("trace_id") or f"row {number}"))


def shares_tools(row: Row, forbidden: Forbidden) -> bool:
    """Whether the row offers a tool with a forbidden name or set of parameter names."""
    return any(True for _ in _tool_leaks(row, forbidden))


@cache
def heldout() -> Forbidden:
    """What belongs to the held-out worlds: the written ones and the first of the forge's."""
    found = Forbidden()
    written = world_names(Split.HELDOUT)
    forged = [forge_name(number, Split.HELDOUT) for number in range(_FORGED)]
    for name in (*written, *forged):
        world = get_world(name)
        found.worlds.add(name)
        for tool in world.registry:
            found.tools.add(tool.name)
            found.parameters.add(tool.parameter_names)
    # A forged world puts its requests together from pieces; there is no whole wording to look for.
    wordings = (text for name in written for text in get_world(name).book.wordings)
    found.wordings = [w for text in wordings if (w := _wording(text)) is not None]
    found.parameters.discard(frozenset())
    return found


def read_forbidden(path: Path) -> Forbidden:
    """Tools and texts of a JSON-lines (or JSON) file, whatever its shape.

    An object with a name and a parameter schema is a tool, wherever it stands, also as JSON inside
    a text; every other string is a text.

    Raises:
        TooldrillError: when the file is missing or is not JSON.
    """
    found = Forbidden()
    for record in _records(path):
        _collect(record, found)
    found.parameters.discard(frozenset())
    if not (found.tools or found.runs):
        raise TooldrillError(
            f"{path} holds no tool and no text of {RUN} words", "give the file with its prompts"
        )
    return found


def word_runs(text: str) -> Iterator[str]:
    """Every run of `RUN` words, in lower case, without punctuation."""
    words = re.findall(r"\w+(?:['\u2019]\w+)?", text.lower())
    for start in range(len(words) - RUN + 1):
        yield " ".join(words[start : start + RUN])


def _row_leaks(row: Row, forbidden: Forbidden) -> Iterator[tuple[str, str]]:
    if row.get("world") in forbidden.worlds:
        yield "world", str(row["world"])
    if row.get("split") == Split.HELDOUT:
        yield "world", f"{row.get('world')} (split {row['split']})"
    yield from _tool_leaks(row, forbidden)
    for text in _prompts(row):
        yield from _text_leaks(text, forbidden)


def _tool_leaks(row: Row, forbidden: Forbidden) -> Iterator[tuple[str, str]]:
    for tool in row["tools"]:
        function = tool.get("function", tool)
        if function["name"] in forbidden.tools:
            yield "tool name", function["name"]
        names = _parameter_names(function.get("parameters") or {})
        if names in forbidden.parameters:
            yield "parameter set", ", ".join(sorted(names))


def _text_leaks(text: str, forbidden: Forbidden) -> Iterator[tuple[str, str]]:
    for run in word_runs(text) if forbidden.runs else ():
        if run in forbidden.runs:
            yield f"{RUN}-word run", run
    lowered = text.lower()
    for wording in forbidden.wordings:
        if wording.piece in lowered and wording.pattern.search(lowered):
            yield "prompt", wording.pattern.pattern


def _prompts(row: Row) -> Iterator[str]:
    for message in row.get("messages") or row.get("prompt") or ():
        if message["role"] in ("user", "system"):
            yield str(message.get("content") or "")


def _parameter_names(schema: Mapping[str, Any]) -> frozenset[str]:
    properties = schema.get("properties")
    return frozenset(properties) if isinstance(properties, Mapping) else frozenset()


def _wording(text: str) -> Wording | None:
    """None for one with too few words of its own to be told from ordinary text."""
    pieces = [piece.lower() for piece in re.split(r"\{[^}]*\}", text)]
    if sum(len(re.findall(r"\w+", piece)) for piece in pieces) < _FEWEST_WORDS:
        return None
    pattern = ".{1,80}?".join(re.escape(piece) for piece in pieces)
    # A word of the training prompt must not end where the wording begins.
    return Wording(max(pieces, key=len), re.compile(rf"(?<!\w){pattern}(?!\w)"))


def _records(path: Path) -> Iterator[Any]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TooldrillError(f"{path} cannot be read: {error}", "give a JSON-lines file") from None
    try:
        yield json.loads(text)
        return
    except ValueError:
        pass  # not one JSON value: then one a line
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            raise TooldrillError(
                f"{path} line {number} is not JSON: {error}", "give a JSON-lines file"
            ) from None


def _collect(value: Any, found: Forbidden) -> None:
    if isinstance(value, str):
        inner = _json_inside(value)
        if inner is not None:
            _collect(inner, found)
        else:
            found.runs.update(word_runs(value))
            for part in _tools_inside(value):
                _collect(part, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for key in _TOOL_LISTS:
            found.tools.update(_names(value.get(key)))
        schema = next((value[key] for key in _SCHEMAS if isinstance(value.get(key), dict)), None)
        if schema is not None and isinstance(value.get("name"), str):
            found.tools.add(value["name"])
            # Some benchmarks give the properties without a schema around them.
            names = _parameter_names(schema) or frozenset(schema if "type" not in schema else ())
            found.parameters.add(names)
        for item in value.values():
            _collect(item, found)


_TOOL_START = re.compile(r'\{\s*"(?:name|type|function|description)"')
_TOOL_LISTS = ("tools", "functions", "function", "available_tools")
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "arguments_schema")


def _json_inside(text: str) -> Any:
    """What a string holds that is itself JSON, as some data sets store their tools."""
    if text[:1] not in "[{":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _tools_inside(text: str) -> Iterator[Any]:
    """Tools that stand as JSON in the middle of a text, as system prompts list them."""
    decoder = json.JSONDecoder()
    position = 0
    while start := _TOOL_START.search(text, position):
        try:
            value, position = decoder.raw_decode(text, start.start())
        except ValueError:
            position = start.end()
        else:
            yield value


def _names(tools: Any) -> Iterator[str]:
    """Names of listed tools, also of those without parameters to be known by."""
    for tool in tools if isinstance(tools, list) else [tools]:
        inner = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            yield inner["name"]


def count_by_kind(leaks: Sequence[Leak]) -> dict[str, int]:
    """How many of each kind."""
    counts: dict[str, int] = {}
    for leak in leaks:
        counts[leak.kind] = counts.get(leak.kind, 0) + 1
    return counts
