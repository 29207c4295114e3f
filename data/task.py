"""A task: a prompt in a world, the calls that solve it, and what its end state must be.

Tasks are plain JSON, so that a suite is a file. Making them is the worlds' work.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord, Message


class TaskKind(StrEnum):
    """What a task is about."""

    ACT = "act"  # one or more calls solve it
    RECOVER = "recover"  # the history ends with an error observation
    RESTRAIN = "restrain"  # nothing to call: any call is needless


class Split(StrEnum):
    """Training worlds and held-out worlds share no tool name and no prompt template."""

    TRAIN = "train"
    HELDOUT = "heldout"


class Mask(BaseModel):
    """New names for the tools and parameters of one task, each by the name the world knows.

    A parameter has the same new name on every tool, so that what is shared stays shared.
    """

    model_config = ConfigDict(extra="forbid")

    tools: dict[str, str]
    parameters: dict[str, str]


class Task(BaseModel):
    """One thing to do.

    `tools`, `oracle` and `history` use the names that are shown to the model: a masked task's new
    ones.

    Attributes:
        id: unique in a suite; contains world, template and a number.
        template: name of the prompt template, `<world>.<template>`.
        prompt: the user's message.
        state: the world's state before the episode.
        tools: names of the tools offered, in the order shown.
        oracle: the calls that solve it, in order; empty for `restrain`.
        answer: what the oracle concludes with.
        answer_contains: strings that a conclusion must contain (case does not matter).
        history: messages between the prompt and the first reply (a failed call and its error);
            the oracle goes on from there.
        mask: how to get from the shown names to the world's; None when they are the same.
    """

    model_config = ConfigDict(extra="forbid")

    id: str
    world: str
    split: Split
    template: str
    kind: TaskKind
    prompt: str
    state: dict[str, Any]
    tools: list[str]
    oracle: list[CallRecord]
    answer: str
    answer_contains: list[str] = Field(default_factory=list)
    history: list[Message] = Field(default_factory=list)
    mask: Mask | None = None
    max_steps: int = 8

    @property
    def calls(self) -> list[Call]:
        """The oracle as the checker's calls."""
        return [Call(record.name, record.arguments) for record in self.oracle]
