"""A task: a prompt in a world, the calls that solve it, and what its end state must be.

Tasks are plain JSON, so that a suite is a file. Making them is the worlds' work.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord, Message


class TaskKind(StrEnum):
    """What a task is about."""

    ACT = "act"  # one or more calls solve it
    RECOVER = "recover"  # the history ends with an error observation
    RESTRAIN = "restrain"  # nothing to call: any call is needless
    STOP = "stop"  # the history ends with an error that no call gets around: say so


class Ending(StrEnum):
    """What a conclusion must be, whatever it contains."""

    REPORT = "report"  # anything that contains what it must
    CLAIM = "claim"  # it reports success
    ADMIT = "admit"  # it says that something was not done, and claims no success
    ASK = "ask"  # it asks the user


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


class Padding(BaseModel):
    """Text that stands around what some tools return: the result itself is left as it is.

    Attributes:
        tools: names of the tools, as shown.
    """

    model_config = ConfigDict(extra="forbid")

    tools: list[str]
    before: str = ""
    after: str = ""


class Change(BaseModel):
    """One parameter of one tool that is not as the world has it (see `data.tasks.change`).

    Attributes:
        tool, parameter: as shown.
        kind: `dropped`, or what is wanted in its place: a whole number as `text`, a `list` of the
            one value, or a text in a `format`.
        value: what a dropped parameter always is; the regular expression of a format.
    """

    model_config = ConfigDict(extra="forbid")

    tool: str
    parameter: str
    kind: Literal["dropped", "text", "list", "format"]
    value: Any = None


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
        answer_mentions: of these a conclusion must contain one; empty when none is asked for.
        ending: what the conclusion must be.
        claim: a conclusion that would be untrue here (the one that the task had before something
            stood in its way); empty when there is none to warn of.
        history: messages between the prompt and the first reply (a failed call and its error, an
            earlier request and how it was met); the oracle goes on from there.
        situation: which of `tooldrill.data.situations` the task was put into, if any.
        prior: calls that changed the state before the prompt came, and that nobody shows.
        broken: tools that the world refuses from now on, by the text of their error.
        padding: what stands around the observations of some tools.
        said: the words in which the prompt says each placeholder of its wording.
        max_steps: replies before an episode is cut off.
        mask: how to get from the shown names to the world's; None when they are the same.
        change: what is done to one parameter, on top of the mask; None when nothing is.
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
    answer_mentions: list[str] = Field(default_factory=list)
    ending: Ending = Ending.REPORT
    claim: str = ""
    history: list[Message] = Field(default_factory=list)
    mask: Mask | None = None
    change: Change | None = None
    situation: str = ""
    prior: list[CallRecord] = Field(default_factory=list)
    broken: dict[str, str] = Field(default_factory=dict)
    padding: Padding | None = None
    said: dict[str, str] = Field(default_factory=dict)
    max_steps: int = 8

    @property
    def calls(self) -> list[Call]:
        """The oracle as the checker's calls."""
        return [Call(record.name, record.arguments) for record in self.oracle]
