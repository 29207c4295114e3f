"""Checks replies and calls line by line: JSON objects in, verdicts out.

The verdicts are the agent's checker's; here is only what a line may look like. A line that cannot
be read is told with its number, and the others are still answered.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.checker import check_reply
from tooldrill.agent.protocols.base import CallProtocol, reply_from_calls
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.catalog import HERMES, get_dialect
from tooldrill.agent.protocols.json_text import Refused, read_whole
from tooldrill.agent.reading import read_reply
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import Violation

# What a reader that keeps going puts in the place of bytes that are no text.
_UNDECODABLE = re.compile("[\udc80-\udcff]")


class _CallLine(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)

    def to_call(self) -> Call:
        return Call(self.name, self.arguments)


class _PastLine(_CallLine):
    error: bool = False
    rejected_arguments: list[str] = Field(default_factory=list)

    def to_past(self) -> PastCall:
        return PastCall(self.to_call(), self.error, tuple(self.rejected_arguments))


class _Line(BaseModel):
    """One line of input: a reply as generated, or calls that somebody has read already."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str | int | None = None
    reply: str | None = None
    calls: list[_CallLine] | None = None
    history: list[_PastLine] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_them(self) -> _Line:
        if (self.reply is None) == (self.calls is None):
            raise ValueError('give either "reply" or "calls"')
        return self


@dataclass
class Tally:
    """What was found in all lines.

    Attributes:
        problems: lines that could not be read, with their numbers.
    """

    lines: int = 0
    clean: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def flagged(self) -> int:
        """Lines with at least one violation."""
        return self.lines - self.clean


def check_lines(
    lines: Iterable[str],
    registry: Registry,
    protocol: str,
    tally: Tally,
    dialect: str = HERMES.name,
) -> Iterator[dict[str, Any]]:
    """One verdict per readable line, `{"id", "ok", "violations"}`; an empty line is passed over.

    Args:
        tally: counts as the verdicts are taken.
        dialect: how native calls are written.

    Raises:
        TooldrillError: when there is no such protocol or dialect.
    """
    spoken = get_protocol(protocol, get_dialect(dialect))
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = _parsed(text)
        except ValueError as error:
            tally.problems.append(f"line {number}: {error}")
            continue
        history = [past.to_past() for past in line.history]
        found = check_reply(_read(line, spoken, registry), registry, history)
        tally.lines += 1
        tally.clean += not found
        tally.violations.update(str(violation.kind) for violation in found)
        yield {"id": line.id, "ok": not found, "violations": [_verdict(v) for v in found]}


def _parsed(text: str) -> _Line:
    """The line's content.

    Raises:
        ValueError: with one sentence that says what to change.
    """
    if _UNDECODABLE.search(text):
        raise ValueError("not UTF-8")
    # As strict as a reply is read: a key given twice or a NaN means nothing certain.
    value = read_whole(text)
    if isinstance(value, Refused):
        raise ValueError(value.reason)
    try:
        return _Line.model_validate(value)
    except ValidationError as error:
        raise ValueError(_reason(error)) from None


def _read(line: _Line, protocol: CallProtocol, registry: Registry) -> Reply:
    if line.reply is not None:
        return read_reply(line.reply, protocol, registry)
    return reply_from_calls([call.to_call() for call in line.calls or ()])


def _verdict(violation: Violation) -> dict[str, Any]:
    return violation.model_dump(mode="json", by_alias=True)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    # A union's errors name its types: "id.str" is about "id".
    where = [str(part) for part in first["loc"] if part not in ("str", "int")]
    message = first["msg"].removeprefix("Value error, ")
    if where[-1:] == ["arguments"] and isinstance(first["input"], str):
        message = "give the arguments as an object, not as a text that holds JSON"
    elif where[-1:] == ["function"] and first["type"] == "extra_forbidden":
        message = 'give the function itself: {"name": ..., "arguments": {...}}'
    return f"{'.'.join(where)}: {message}" if where else message


def dump(verdict: dict[str, Any]) -> str:
    """A verdict as a line."""
    return json.dumps(verdict, ensure_ascii=False)
