"""Checks replies and calls line by line: JSON objects in, verdicts out.

The verdicts are the agent's checker's; here is only what a line may look like. A line that cannot
be read is told with its number, and the others are still answered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.checker import check_reply
from tooldrill.agent.episode import CallRecord
from tooldrill.agent.protocols.base import reply_from_calls
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import Violation


class _PastLine(CallRecord):
    error: bool = False
    rejected_arguments: list[str] = Field(default_factory=list)

    def to_past(self) -> PastCall:
        return PastCall(Call(self.name, self.arguments), self.error, tuple(self.rejected_arguments))


class _Line(BaseModel):
    """One line of input: a reply as generated, or calls that somebody has read already."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str | int | None = None
    reply: str | None = None
    calls: list[CallRecord] | None = None
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
    lines: Iterable[str], registry: Registry, protocol: str, tally: Tally
) -> Iterator[dict[str, Any]]:
    """One verdict per readable line, `{"id", "ok", "violations"}`; an empty line is passed over.

    Args:
        tally: counts as the verdicts are taken.

    Raises:
        TooldrillError: when there is no such protocol.
    """
    parse = get_protocol(protocol).parse
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate_json(text)
        except ValidationError as error:
            tally.problems.append(f"line {number}: {_reason(error)}")
            continue
        history = [past.to_past() for past in line.history]
        found = check_reply(_read(line, parse), registry, history)
        tally.lines += 1
        tally.clean += not found
        tally.violations.update(str(violation.kind) for violation in found)
        yield {"id": line.id, "ok": not found, "violations": [_verdict(v) for v in found]}


def _read(line: _Line, parse: Callable[[str], Reply]) -> Reply:
    if line.reply is not None:
        return parse(line.reply)
    return reply_from_calls([Call(record.name, record.arguments) for record in line.calls or ()])


def _verdict(violation: Violation) -> dict[str, Any]:
    return violation.model_dump(mode="json", by_alias=True)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def dump(verdict: dict[str, Any]) -> str:
    """A verdict as a line."""
    return json.dumps(verdict, ensure_ascii=False)
