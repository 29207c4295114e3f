"""What an engine is: it takes turns of many episodes and gives back replies as they finish.

Engines generate text; they know nothing of tools beyond rendering them. A failure of the engine
(network, context length) is kept apart from anything the model did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from tooldrill.agent.constrain.grammar import Grammar
from tooldrill.agent.episode import Message, StopReason
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.settings import ProtocolName, SamplingSettings


class EngineAwayError(TooldrillError):
    """The engine gives no more replies, to nobody; what is kept of a run so far is sound."""


@dataclass(frozen=True)
class Turn:
    """One reply that is wanted.

    Attributes:
        key: the episode's name; the same key again goes on with the same cache.
        offset: added to the sampling seed; from the task and the step, never from the order in
            which turns come, so that a run that is resumed or has more slots samples the same.
        max_tokens: the reply is cut off there.
        grammar: what the reply is held to; None when it is free.
        on_text: called with each new piece of the reply's text while it is generated. Pieces are
            whole characters and never a stop token; together they are the reply's text.
        watch: called likewise; when it returns True the reply ends there, and is `looping`.
    """

    key: str
    messages: list[Message]
    tools: Tools
    protocol: CallProtocol
    sampling: SamplingSettings
    max_tokens: int
    offset: int = 0
    grammar: Grammar | None = None
    on_text: Callable[[str], None] | None = None
    watch: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Generation:
    """One reply as generated, or the reason why there is none.

    Attributes:
        text: without the stop token.
        prompt_tokens: length of the prompt; cached_tokens of them were not computed again.
        reply_tokens: generated tokens, the stop token included.
        stop: `stop` at a stop token, `length` when cut off, `looping` by the turn's watch.
        seconds: from submission to the end.
        failure: why the engine failed; the other fields are then empty.
    """

    text: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0
    stop: StopReason = "stop"
    seconds: float = 0.0
    failure: str | None = None


class AdapterInfo(BaseModel):
    """A LoRA adapter that was applied without merging."""

    model_config = ConfigDict(extra="forbid")

    path: str
    scale: float
    sha256: str


class EngineInfo(BaseModel):
    """What the replies came from, for the results file.

    Attributes:
        sha256: of the model's file; None for an endpoint.
        settings: what the engine runs with, where a setting left the choice to it as well.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["llama.cpp", "endpoint"]
    model: str
    source: str
    sha256: str | None = None
    adapters: list[AdapterInfo] = []
    settings: dict[str, Any] = {}


class Engine(Protocol):
    """Generates replies for many episodes at once."""

    info: EngineInfo

    @property
    def slots(self) -> int:
        """How many turns may be under way at once."""
        ...

    def protocol(self, name: ProtocolName) -> CallProtocol:
        """The protocol of that name, native calls in the dialect in which replies come.

        Raises:
            TooldrillError: when the model's template writes no native calls that can be read.
        """
        ...

    def cannot_constrain(self, protocol: CallProtocol, /) -> str | None:
        """Why replies in this protocol cannot be held to a grammar; None when they can."""
        ...

    def submit(self, turn: Turn) -> None:
        """Takes a turn; at most `slots` may be under way."""
        ...

    def collect(self) -> list[tuple[str, Generation]]:
        """Works until at least one turn is finished; empty when none is under way."""
        ...

    def release(self, key: str) -> None:
        """The episode is over or given up: what was kept for it may go, a turn under way ends."""
        ...

    def close(self) -> None:
        """Frees the model."""
        ...
