"""Opening a task in its world, running its oracle, and judging an end state.

A task is judged by what was achieved, never by which calls were made: any calls that lead to the
oracle's end state pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.environment import ERROR_PREFIX, Observation
from tooldrill.agent.episode import Episode, Message
from tooldrill.agent.tool import Registry
from tooldrill.data.situations.staging import StagedSession
from tooldrill.data.tasks.change import ChangedSession, change_registry
from tooldrill.data.tasks.claims import admits, asks, claims_success
from tooldrill.data.tasks.mask import MaskedSession, mask_registry
from tooldrill.data.tasks.task import Ending, Task
from tooldrill.data.worlds.base import Session
from tooldrill.data.worlds.catalog import get_world


@dataclass
class OpenedTask:
    """A task ready for its next reply; close it, or use it in a `with` block.

    Attributes:
        registry: the tools offered, as shown.
        session: the world's state after the history; answers to the names in `registry`.
        messages: the user's prompt and the history.
    """

    task: Task
    registry: Registry
    session: Session
    messages: list[Message]

    def judge(self, episode: Episode) -> bool:
        """Whether the episode, which has ended, solved the task."""
        return judge(self.task, self.session, episode.conclusion)

    def close(self) -> None:
        self.session.close()

    def __enter__(self) -> OpenedTask:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_task(task: Task) -> OpenedTask:
    """The task's world in the state its next reply finds, with the tools it offers."""
    session = _begin(task)
    for record in task.prior:
        session.call(record.name, record.arguments)
    for call, text in past_calls(task.history):
        # A failed call changed nothing: refused ones were never carried out.
        if not text.startswith(ERROR_PREFIX):
            session.call(call.name, call.arguments)
    if task.broken or task.padding:
        # What broke did so after the history.
        session = StagedSession(session, task.broken, task.padding)
    return OpenedTask(task, offered(task), session, [messages.user(task.prompt), *task.history])


def run_oracle(task: Task) -> list[tuple[Call, Observation]]:
    """Carries out the oracle's calls; an error does not stop it."""
    with open_task(task) as opened:
        return _carry_out(task, opened.session)


def end_state(task: Task) -> dict[str, Any]:
    """The world's state once the oracle has run."""
    with open_task(task) as opened:
        _carry_out(task, opened.session)
        return opened.session.snapshot()


def judge(task: Task, session: Session, conclusion: str | None) -> bool:
    """Whether `session` ended as the oracle's does and the conclusion says what it must."""
    return concludes(task, conclusion or "") and session.snapshot() == end_state(task)


def concludes(task: Task, conclusion: str) -> bool:
    """Whether the conclusion is of the kind the task asks for and contains what it must."""
    if not says(conclusion, task.answer_contains):
        return False
    if task.answer_mentions and not any(says(conclusion, [w]) for w in task.answer_mentions):
        return False
    match task.ending:
        case Ending.CLAIM:
            return claims_success(conclusion)
        case Ending.ADMIT:
            return admits(conclusion)
        case Ending.ASK:
            return asks(conclusion)
        case Ending.REPORT:
            return True


def says(conclusion: str, wanted: Sequence[str]) -> bool:
    """Whether every wanted string stands in the conclusion: any case, whole words and numbers."""
    text = " ".join(conclusion.split())
    return all(
        re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(item)}(?!\w|[.,]\d)", text, re.IGNORECASE)
        for item in (" ".join(w.split()) for w in wanted)
    )


def past_calls(history: Sequence[Message]) -> Iterator[tuple[Call, str]]:
    """The calls of a conversation with the text of their observations."""
    for message, answer in pairwise(history):
        if message.get("tool_calls") and answer["role"] == "tool":
            function = message["tool_calls"][0]["function"]
            yield Call(function["name"], function["arguments"]), answer["content"]


def offered(task: Task) -> Registry:
    """The tools that the task offers, under the names it shows."""
    world = get_world(task.world)
    if task.mask is None:
        registry = world.registry.select(task.tools)
    else:
        original = {new: old for old, new in task.mask.tools.items()}
        known = world.registry.select(original[name] for name in task.tools)
        registry = mask_registry(task.mask, known)
    return registry if task.change is None else change_registry(task.change, registry)


def _begin(task: Task) -> Session:
    session = get_world(task.world).open(task.state)
    if task.mask is not None:
        session = MaskedSession(session, task.mask)
    return session if task.change is None else ChangedSession(session, task.change)


def _carry_out(task: Task, session: Session) -> list[tuple[Call, Observation]]:
    return [(call, session.call(call.name, call.arguments)) for call in task.calls]
