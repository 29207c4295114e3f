"""One run of the loop on one task: the record that reports, graders and `data ingest` read.

An episode is plain JSON. It holds everything needed to judge it again later: the messages, the raw
text of every reply, the violations found, and the timings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tooldrill.agent.violation import Violation

Message = dict[str, Any]
"""An OpenAI-shaped chat message; `tool_calls` carry `arguments` as an object.

Two keys are ours: `weight: 0` on an assistant turn that must not be learned, and
`malformed: true` on one whose content is the raw text of a reply that could not be read.
"""


class Outcome(StrEnum):
    """How an episode ended."""

    CONCLUDED = "concluded"
    NO_CONCLUSION = "no_conclusion"  # the step budget ran out
    FAILED = "failed"  # the engine failed: says nothing about the model


class CallRecord(BaseModel):
    """A call as it stands in an episode."""

    model_config = ConfigDict(extra="forbid")

    name: str
    arguments: dict[str, Any]


class Step(BaseModel):
    """One reply and what came of it.

    Attributes:
        reply: the raw text as generated.
        thought: free text beside the call.
        calls: every call that was read; only the first is carried out.
        conclusion: the final answer, when the reply gave one.
        violations: breaches found in this reply.
        repaired: the reply was malformed; calls or conclusion are what its mending gave.
        observation: what the loop answered with; None after a conclusion.
        error: whether that observation was an error.
        injected: a watchdog's hint that followed the observation.
        prompt_tokens: length of the prompt; cached_tokens of them were not computed again.
        reply_tokens: generated tokens, the stop token included.
        seconds: from submission to the end of the reply.
    """

    model_config = ConfigDict(extra="forbid")

    reply: str
    thought: str = ""
    calls: list[CallRecord] = Field(default_factory=list)
    conclusion: str | None = None
    violations: list[Violation] = Field(default_factory=list)
    repaired: bool = False
    observation: str | None = None
    error: bool = False
    injected: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0
    seconds: float = 0.0


class Episode(BaseModel):
    """One run of the loop on one task.

    Attributes:
        task: the task's id; world and template say where it came from.
        tools: the OpenAI tool list that was offered.
        messages: the whole conversation, ending with the conclusion if there was one.
        violations: breaches of the episode as a whole (`no_conclusion`, `missing_call`...); those
            of single replies stand in `steps`.
        success: what the task's checker said; None when the episode failed or was not judged.
        failure: why the engine failed.
    """

    model_config = ConfigDict(extra="forbid")

    task: str
    world: str = ""
    template: str = ""
    kind: str = ""
    tools: list[dict[str, Any]]
    messages: list[Message]
    steps: list[Step]
    outcome: Outcome
    conclusion: str | None = None
    violations: list[Violation] = Field(default_factory=list)
    success: bool | None = None
    failure: str | None = None
    seconds: float = 0.0
