"""A call, a reply that was read, and what happened earlier in the episode.

These are the checker's inputs; none of them knows how a reply was written (see `protocols`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tooldrill.agent.violation import Violation


@dataclass(frozen=True)
class Call:
    """A tool's name and its arguments, as the model wrote them."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Equal for two calls of the same tool with equal arguments, in any order; 1.0 is 1."""
        return self.name + json.dumps(_plain(self.arguments), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value


@dataclass(frozen=True)
class Reply:
    """What could be read from one reply.

    Attributes:
        text: the reply as generated; what UTF-8 cannot hold is written as an escape.
        thought: free text before the call (native) or the `thought` key (react_json).
        calls: in order; empty when the reply concludes or could not be read.
        conclusion: the final answer, None when the reply calls a tool or could not be read.
        problems: violations of the protocol itself (malformed, multiple).
        repaired: calls or conclusion were mended; the `malformed_call` stands in `problems`.
    """

    text: str
    thought: str = ""
    calls: tuple[Call, ...] = ()
    conclusion: str | None = None
    problems: tuple[Violation, ...] = ()
    repaired: bool = False


class PastCall(NamedTuple):
    """An earlier call of the episode.

    Attributes:
        call: the call.
        error: whether its observation was an error.
        rejected_arguments: argument names refused because the tool has no such parameter.
    """

    call: Call
    error: bool
    rejected_arguments: tuple[str, ...] = ()
