"""What an engine is: it takes turns of many episodes and gives back replies as they finish.

Engines generate text; they know nothing of tools beyond rendering them. A failure of the engine
(network, context length) is kept apart from anything the model did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.settings import ProtocolName, SamplingSettings


@dataclass(frozen=True)
class Turn:
    """One reply that is wanted.

    Attributes:
        key: the episode's name; the same key again goes on with the same cache.
        offset: the episode's number, added to the sampling seed.
        max_tokens: the reply is cut off there.
    """

    key: str
    messages: list[Message]
    tools: Tools
    protocol: CallProtocol
    sampling: SamplingSettings
    max_tokens: int
    offset: int = 0


@dataclass(frozen=True)
class Generation:
    """One reply as generated, or the reason why there is none.

    Attributes:
        text: without the stop token.
        prompt_tokens: length of the prompt; cached_tokens of them were not computed again.
        reply_tokens: generated tokens, the stop token included.
        stop: `stop` at a stop token, `length` when cut off.
        seconds: from submission to the end.
        failure: why the engine failed; the other fields are then empty.
    """

    text: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0
    stop: Literal["stop", "length"] = "stop"
    seconds: float = 0.0
    failure: str | None = None


class EngineInfo(BaseModel):
    """What the replies came from, for the results file."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["llama.cpp", "endpoint"]
    model: str
    source: str
    sha256: str | None = None
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

    def submit(self, turn: Turn) -> None:
        """Takes a turn; at most `slots` may be under way."""
        ...

    def collect(self) -> list[tuple[str, Generation]]:
        """Works until at least one turn is finished; empty when none is under way."""
        ...

    def release(self, key: str) -> None:
        """The episode is over: what was kept for it may go."""
        ...

    def close(self) -> None:
        """Frees the model."""
        ...
