"""An episode read reply by reply: which violations each reply answers for, and what came before it.

The discipline rate counts replies, but some violations are found only when the episode is whole.
Here is decided which reply each of those belongs to. Finding them is `grade`'s work, counting them
is `measure`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from tooldrill.agent.call import Call
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import Episode, Message, Step
from tooldrill.agent.violation import Violation, ViolationClass


@dataclass(frozen=True)
class JudgedReply:
    """One reply with everything it answers for.

    Attributes:
        index: its place among the episode's replies.
        step: the reply as it was recorded.
        violations: its own, then the episode's that were attached to it.
        after_error: whether the observation just before it was an error.
        failed_call: the call that brought that error, None when it could not be read.
    """

    index: int
    step: Step
    violations: tuple[Violation, ...]
    after_error: bool = False
    failed_call: Call | None = None

    @property
    def disciplined(self) -> bool:
        return not self.violations

    @property
    def repeats_failure(self) -> bool:
        """Whether it makes the very call that has just failed."""
        return self.failed_call is not None and carried_out(self.step) == self.failed_call


def judged_replies(episode: Episode) -> list[JudgedReply]:
    """The replies of a graded episode, in order."""
    attached: list[list[Violation]] = [list(step.violations) for step in episode.steps]
    for violation in episode.violations:
        for index in blamed_steps(episode, violation.kind):
            attached[index].append(violation)
    after_error, failed_call = opening_error(episode)
    replies = []
    for index, step in enumerate(episode.steps):
        replies.append(JudgedReply(index, step, tuple(attached[index]), after_error, failed_call))
        after_error, failed_call = step.error, carried_out(step) if step.error else None
    return replies


def blamed_steps(episode: Episode, kind: ViolationClass) -> list[int]:
    """Indices of the replies that answer for an episode-level violation.

    `needless_call` belongs to every reply that called a tool, so that a model which keeps calling
    is not forgiven all calls but the first. The others are about how the episode ended and belong
    to its last reply; `no_conclusion` to the last before a conclusion was forced.
    """
    if kind is ViolationClass.NEEDLESS_CALL:
        return [index for index, step in enumerate(episode.steps) if tool_calls(step)]
    last = episode.own_steps if kind is ViolationClass.NO_CONCLUSION else episode.steps
    return [len(last) - 1] if last else []


def tool_calls(step: Step) -> list[Call]:
    """The calls of a reply, without finishing written as a call.

    A `terminator_as_tool` is an attempt to conclude: it is neither needless nor proof that the
    model calls tools.
    """
    terminators = {
        violation.tool
        for violation in step.violations
        if violation.kind is ViolationClass.TERMINATOR_AS_TOOL
    }
    return [
        Call(record.name, record.arguments)
        for record in step.calls
        if record.name not in terminators
    ]


def carried_out(step: Step) -> Call | None:
    """The call that the observation answers: the first; the loop drops the others."""
    if not step.calls:
        return None
    return Call(step.calls[0].name, step.calls[0].arguments)


def opening(episode: Episode) -> list[Message]:
    """The messages before the first reply: prompts, and the history of a recovery task.

    Every reply adds exactly one assistant message, so the assistant messages beyond the number of
    replies are history.
    """
    turns = [i for i, message in enumerate(episode.messages) if message["role"] == "assistant"]
    history_turns = len(turns) - len(episode.steps)
    if history_turns < 0 or not episode.steps:
        return episode.messages
    return episode.messages[: turns[history_turns]]


def opening_error(episode: Episode) -> tuple[bool, Call | None]:
    """Whether the history ends with an error observation, and the call that brought it.

    The call is None when it could not be read (its observation is then a user message).
    """
    messages = opening(episode)
    turns = [message for message in messages if message["role"] == "assistant"]
    if not turns or messages[-1]["role"] not in ("tool", "user"):
        return False, None
    if not str(messages[-1].get("content") or "").startswith(ERROR_PREFIX):
        return False, None
    calls = turns[-1].get("tool_calls")
    if not calls:
        return True, None
    function = calls[-1]["function"]
    return True, Call(function["name"], function["arguments"])
