"""Traces: a task carried out for real, call by call, as a conversation to learn from.

Every observation comes from the world's own session or, for a wrong reply put in on purpose, from
the same checker that refuses it in the loop. A trace whose task is not solved at its end does not
exist: `record` gives None.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message, observation_message
from tooldrill.agent.run import past_calls
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.moment import Moment
from tooldrill.data.tasks.solve import OpenedTask, judge, open_task
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.data.worlds.catalog import get_world
from tooldrill.data.wrong_turns import Turn, wrong_turns


@dataclass(frozen=True)
class Fault:
    """A wrong reply to be put before the right one.

    Attributes:
        step: before which of the right replies, counted from 0; the conclusion is the last.
        kind: the class of the violation.
    """

    step: int
    kind: ViolationClass


@dataclass(frozen=True)
class Trace:
    """A solved task: opening messages, then turns, the last of which concludes.

    Attributes:
        registry: the tools offered (renamed ones when the task is masked).
        opening: the prompt and the task's history, in which the failed call has weight 0.
        fault: the wrong reply that was put in, if any.
    """

    task: Task
    registry: Registry
    opening: tuple[Message, ...]
    turns: tuple[Turn, ...]
    fault: Fault | None = None

    @property
    def id(self) -> str:
        if self.fault is None:
            return self.task.id
        return f"{self.task.id}+{self.fault.kind}@{self.fault.step}"

    @property
    def kind(self) -> TaskKind:
        """The task's kind; one with a fault is about recovering, whatever the task was."""
        return self.task.kind if self.fault is None else TaskKind.RECOVER

    @property
    def messages(self) -> list[Message]:
        messages = list(self.opening)
        for turn in self.turns:
            messages.append(turn.reply)
            if turn.answer is not None:
                messages.append(turn.answer)
        return messages

    @property
    def right_turns(self) -> list[int]:
        """Indices of the turns that are to be learned."""
        return [index for index, turn in enumerate(self.turns) if turn.right]

    def before(self, index: int) -> list[Message]:
        """The messages that turn `index` replies to."""
        messages = list(self.opening)
        for turn in self.turns[:index]:
            messages += [turn.reply, turn.answer] if turn.answer else [turn.reply]
        return messages

    def moment(self, index: int) -> Moment:
        """The point at which turn `index` is due."""
        past = past_calls(self.opening, self.registry)
        past += [turn.past for turn in self.turns[:index] if turn.past]
        done = sum(turn.right or turn.done for turn in self.turns[:index])
        return _moment(self.task, self.registry, done, past)

    def row(self) -> dict[str, Any]:
        """The trace as a row of the SFT set."""
        return {
            "messages": self.messages,
            "tools": self.registry.to_openai(),
            "trace_id": self.id,
            "world": self.task.world,
            "split": str(self.task.split),
            "template": self.task.template,
            "kind": str(self.kind),
            "violation": self.violation,
            "source": "oracle" if self.fault is None else "corruption",
        }

    @property
    def violation(self) -> str:
        """The class of the wrong turn in the context; empty when there is none."""
        if self.fault is not None:
            return str(self.fault.kind)
        kinds = _history_violations(self.opening, self.registry)
        return str(next(kinds, ""))


def record(task: Task, rng: random.Random, fault: Fault | None = None) -> Trace | None:
    """Carries the task out.

    Returns:
        None when the fault does not apply at its step, when an oracle call breaks the contract, or
        when the task is not solved at the end.
    """
    opened = open_task(task)
    try:
        turns = _turns(task, opened, rng, fault)
        if turns is None or not judge(task, opened.session, task.answer):
            return None
        return Trace(task, opened.registry, tuple(opened.messages), tuple(turns), fault)
    finally:
        opened.close()


def _turns(
    task: Task, opened: OpenedTask, rng: random.Random, fault: Fault | None
) -> list[Turn] | None:
    registry = opened.registry
    past = past_calls(opened.messages, registry)
    turns: list[Turn] = []
    rights: list[Call | None] = [*task.calls, None]
    for step, call in enumerate(rights):
        if fault is not None and fault.step == step:
            moment = _moment(task, registry, step, past)
            wrong = wrong_turns(fault.kind, moment, opened.session, rng)
            if wrong is None:
                return None
            turns += wrong
            past += [turn.past for turn in wrong if turn.past]
            if wrong[-1].done:
                continue
        if call is None:
            turns.append(Turn(conclusion_message(task.answer)))
        elif check_calls([call], registry, past):
            return None
        else:
            observation = opened.session.call(call.name, call.arguments)
            past.append(PastCall(call, observation.error))
            answer = observation_message(call.name, observation.text)
            turns.append(Turn(call_message(call), answer, past[-1], call))
    return turns


def _moment(task: Task, registry: Registry, step: int, past: list[PastCall]) -> Moment:
    """The point at which the right reply number `step` is due; the conclusion is the last."""
    calls = [*task.calls, None, None]
    # Where names are masked, the world's own name for the right tool would give the mask away.
    known = get_world(task.world).registry.names if task.mask is None else ()
    absent = tuple(name for name in known if name not in registry)
    return Moment(
        registry=registry,
        call=calls[step],
        following=calls[step + 1],
        answer=task.answer,
        past=tuple(past),
        needs_calls=bool(task.oracle),
        claim=task.claim,
        absent_tools=absent,
    )


def _history_violations(
    messages: tuple[Message, ...], registry: Registry
) -> Iterator[ViolationClass]:
    # Where no tools are listed any more, nothing can be said of the calls made before.
    past = past_calls(messages, registry) if len(registry) else []
    for index, one in enumerate(past):
        for violation in check_calls([one.call], registry, past[:index]):
            yield violation.kind
