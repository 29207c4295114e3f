"""One harvested example: a request, the tools it is asked of, and the call or answer it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.episode import Message
from tooldrill.agent.tool import Registry
from tooldrill.data.harvest.values import Path
from tooldrill.data.tasks.task import Split, TaskKind


@dataclass(frozen=True)
class Statement:
    """Where a value of the call is said in the request.

    Attributes:
        path: from the arguments object down.
        text: the part of the prompt that says it.
    """

    path: Path
    value: Any
    text: str


@dataclass(frozen=True)
class Single:
    """One example.

    Attributes:
        call: None when the right reply is `answer`.
        answer: what is said when nothing is called, or when the call is done.
        template: `harvest.<source>.<style>`, with `.no_tool` or `.missing` for restraint.
        service: `<source>:<service>`.
        statements: one for every leaf of the call's arguments.
        absent_tools: names that the request means and the registry does not have.
        history: a refused call and its refusal, when this is about recovery.
        past: the same as the checker remembers it.
    """

    prompt: str
    registry: Registry
    call: Call | None
    answer: str
    template: str
    kind: TaskKind
    split: Split
    service: str
    statements: tuple[Statement, ...] = ()
    absent_tools: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    past: tuple[PastCall, ...] = ()
