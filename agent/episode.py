"""One run of the loop on one task: the record that reports, graders and `data ingest` read.

An episode is plain JSON. It holds everything needed to judge it again later: the messages, the raw
text of every reply, the violations found, and the timings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tooldrill.agent.violation import Violation, ViolationClass

Message = dict[str, Any]
"""An OpenAI-shaped chat message; `tool_calls` carry `arguments` as an object.

Two keys are ours: `weight: 0` on an assistant turn that must not be learned, and
`malformed: true` on one whose content is the raw text of a reply that could not be read.
"""


StopReason = Literal["stop", "length", "looping"]
"""Why a reply ended: a stop token, its longest length, or a watchdog that saw its text loop."""

Budget = Literal["steps", "tokens"]


class Outcome(StrEnum):
    """How an episode ended."""

    CONCLUDED = "concluded"
    NO_CONCLUSION = "no_conclusion"  # the budget of steps or tokens ran out
    FAILED = "failed"  # the engine failed: says nothing about the model
    INTERRUPTED = "interrupted"  # stopped from outside: says nothing about the model either


class TriggerName(StrEnum):
    """What a watchdog's hint was given for (docs/loop.md)."""

    LOOPING_TEXT = "looping_text"
    IDENTICAL_FAILURES = "identical_failures"
    ERROR_RATE = "error_rate"
    SAME_RESULTS = "same_results"
    SAME_REPLIES = "same_replies"
    BUDGET_ENDS = "budget_ends"


class Hint(BaseModel):
    """What a watchdog put into an episode.

    Attributes:
        trigger: what it was given for.
        text: the user message that the model read.
        step: the reply it followed, counted from 1.
        thresholds: the settings that made it due, by their names.
        helped: whether it helped, by the rule in `watchdog.judge_hints`; None when no reply of the
            model's own came after it.
    """

    model_config = ConfigDict(extra="forbid")

    trigger: TriggerName
    text: str
    step: int | None = None
    thresholds: dict[str, int] = Field(default_factory=dict)
    helped: bool | None = None


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
        stop: why the reply ended; None in records made before this was kept.
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
    injected: Hint | None = None
    stop: StopReason | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0
    seconds: float = 0.0

    @field_validator("injected", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """Records made before hints had a structure hold the text alone; there were two texts."""
        if not isinstance(value, str):
            return value
        same = value.startswith("The same call of ")
        trigger = TriggerName.IDENTICAL_FAILURES if same else TriggerName.ERROR_RATE
        return {"trigger": trigger, "text": value}


class Episode(BaseModel):
    """One run of the loop on one task.

    Attributes:
        task: the task's id; world and template say where it came from.
        tools: the OpenAI tool list that was offered.
        messages: the whole conversation, ending with the conclusion if there was one.
        violations: breaches of the episode as a whole (`no_conclusion`, `missing_call`...); those
            of single replies stand in `steps`.
        success: what the task's checker said; None when the episode failed or was not judged.
        spent: which budget ran out; None when the model concluded before.
        forced: whether the last reply is what came after a budget had run out, when a conclusion
            was asked for and no tools were offered.
        failure: why the engine failed, or what stopped the episode.
        impossible: violations that no reply could have, because of the grammar it was held to.
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
    spent: Budget | None = None
    forced: bool = False
    failure: str | None = None
    impossible: list[ViolationClass] = Field(default_factory=list)
    seconds: float = 0.0

    @property
    def own_steps(self) -> list[Step]:
        """The steps without the one in which a conclusion was forced."""
        return self.steps[:-1] if self.forced else self.steps
