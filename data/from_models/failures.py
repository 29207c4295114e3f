"""The model's own failures as preference pairs: its violating reply against the oracle's.

Only where the oracle's reply is known to be right: everything before it was the oracle's own or
came back as an error and changed nothing. That is not assumed: the episode is carried out again in
the task's world, and from every point that makes a pair the oracle goes on and must solve the task.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import BLOCKING, check_calls, refusal, rejected_arguments
from tooldrill.agent.episode import Episode, Message, Outcome, Step
from tooldrill.agent.messages import (
    call_message,
    calls_message,
    conclusion_message,
    malformed_message,
)
from tooldrill.agent.run import past_calls
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.from_models.rollouts import Rollout
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.report import Report
from tooldrill.data.tasks.solve import OpenedTask, judge, open_task
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.worlds.catalog import get_world

Row = dict[str, Any]
SOURCE = "own_failure"
HELDOUT = "heldout_world"  # why an episode of an evaluation gives no row


def own_failures(rollouts: Iterable[Rollout], report: Report | None = None) -> Iterator[Row]:
    """Rows of the DPO set, in the order of the episodes.

    Args:
        rollouts: episodes of the model being trained, with their tasks.
        report: counts episodes: kept ones gave at least one row. Those on held-out tasks, which
            are what an evaluation is made of, never do (`heldout_world`).
    """
    balance = Report() if report is None else report
    for rollout in rollouts:
        try:
            rows = pairs_of(rollout)
        except DroppedError as error:
            balance.drop(rollout.task.id, error)
            continue
        balance.keep(SOURCE)
        yield from rows


def pairs_of(rollout: Rollout) -> list[Row]:
    """One row per violating reply of the episode that the oracle can answer for.

    Raises:
        DroppedError: when there is none, with the reason.
    """
    episode = rollout.episode
    if Split.HELDOUT in (rollout.task.split, get_world(rollout.task.world).split):
        raise DroppedError(HELDOUT, rollout.task.world)
    if episode.outcome is Outcome.FAILED:
        raise DroppedError("engine_failure", episode.failure or "")
    points = list(_points(rollout.task, episode))
    found = [point for point in points if point.violation is not None]
    if not found:
        ended = points and points[-1].left_oracle
        raise DroppedError("left_oracle" if ended else "no_violation")
    rows = [_row(rollout, point) for point in found if _can_be_taught(rollout.task, point)]
    if not rows:
        raise DroppedError("oracle_does_not_fit", str(found[0].violation))
    return rows


@dataclass(frozen=True)
class _Point:
    """One reply of the episode, and what was due in its place.

    Attributes:
        index: of the step.
        before: the messages it replies to.
        past: the calls before it.
        done: how many of the oracle's calls had been carried out.
        violation: the class that the reply violates; None when it is in order.
        left_oracle: whether the episode went another way than the oracle here.
    """

    index: int
    step: Step
    before: list[Message]
    past: tuple[PastCall, ...]
    done: int
    violation: ViolationClass | None
    left_oracle: bool = False


def _points(task: Task, episode: Episode) -> Iterator[_Point]:
    """The replies up to the one with which the episode leaves the oracle's way."""
    expected = _oracle_states(task)
    with open_task(task) as opened:
        messages, at = episode.messages, len(opened.messages)
        if _bare(messages[:at]) != _bare(opened.messages):
            raise DroppedError("other_task", "the episode does not begin as its task does")
        past = past_calls(opened.messages, opened.registry)
        done, state = 0, _frozen(opened)
        for index, step in enumerate(episode.own_steps):
            kind = _violation(task, episode, step, done)
            seen = tuple(past)
            shown = _unlearned(messages[:at], episode, len(opened.messages))
            if step.conclusion is not None:
                yield _Point(index, step, shown, seen, done, kind)
                return
            text = _carry_out(opened, step, past)
            if text != step.observation:
                raise DroppedError("other_observation", f"step {index}: {text[:80]}")
            after = _frozen(opened)
            own = done < len(expected) and (text, after) == expected[done] and not step.error
            left = not own and not (step.error and after == state)
            yield _Point(index, step, shown, seen, done, kind, left)
            if left:
                return
            done, state = done + own, after
            at += 2 + (step.injected is not None)


def _oracle_states(task: Task) -> list[tuple[str, str]]:
    """What the oracle's calls come back with, and the state after each."""
    with open_task(task) as opened:
        found = []
        for call in task.calls:
            text = opened.session.call(call.name, call.arguments).text
            found.append((text, _frozen(opened)))
        if not judge(task, opened.session, task.answer):
            raise DroppedError("oracle_fails", "the task's own oracle does not solve it")
        return found


def _frozen(opened: OpenedTask) -> str:
    """The state as it is now: a snapshot may be the session's own, and change with it."""
    return json.dumps(opened.session.snapshot(), sort_keys=True)


def _carry_out(opened: OpenedTask, step: Step, past: list[PastCall]) -> str:
    """What the step comes back with, carried out as the loop did it; `past` grows by its call."""
    if not step.calls:
        past.append(PastCall(Call("", {"text": step.reply}), True))
        return step.observation or ""
    call = Call(step.calls[0].name, step.calls[0].arguments)
    found = check_calls([call], opened.registry, past)
    past.append(PastCall(call, step.error, rejected_arguments(found)))
    if any(violation.kind in BLOCKING for violation in found):
        return refusal(found, opened.registry)
    return opened.session.call(call.name, call.arguments).text


def _violation(task: Task, episode: Episode, step: Step, done: int) -> ViolationClass | None:
    """What is wrong with the reply: by itself, or because of what was due."""
    if step.violations:
        return step.violations[0].kind
    if step.calls and task.kind is TaskKind.RESTRAIN:
        return ViolationClass.NEEDLESS_CALL
    if step.conclusion is not None and done < len(task.oracle) and episode.success is False:
        claimed = {v.kind for v in episode.violations} & {ViolationClass.FABRICATED_SUCCESS}
        return next(iter(claimed), ViolationClass.MISSING_CALL)
    return None


def _can_be_taught(task: Task, point: _Point) -> bool:
    """Whether the oracle's next reply is in order here and, gone on with, solves the task."""
    with open_task(task) as opened:
        for call in task.calls[: point.done]:
            opened.session.call(call.name, call.arguments)
        past = list(point.past)
        for call in task.calls[point.done :]:
            if check_calls([call], opened.registry, past):
                return False
            observation = opened.session.call(call.name, call.arguments)
            if observation.error:
                return False
            past.append(PastCall(call, False))
        return judge(task, opened.session, task.answer)


def _row(rollout: Rollout, point: _Point) -> Row:
    task, step = rollout.task, point.step
    rejected = _rejected(step)
    return {
        "prompt": point.before,
        "chosen": [_chosen(task, point)],
        "rejected": [rejected],
        "tools": rollout.episode.tools,
        "trace_id": f"{task.id}+own@{point.index}",
        "world": task.world,
        "split": str(task.split),
        "template": task.template,
        "kind": str(task.kind),
        "violation": str(point.violation),
        # Raw text that could not be read is text of one protocol.
        "variant": rollout.protocol if rejected.get("malformed") else "",
        "source": SOURCE,
    }


def _chosen(task: Task, point: _Point) -> Message:
    if point.done == len(task.oracle):
        return conclusion_message(task.answer)
    call, step = task.calls[point.done], point.step
    # The thought that led to the same tool is kept, so that the pair differs in the call alone.
    same = bool(step.calls) and step.calls[0].name == call.name and not _is_malformed(step)
    return call_message(call, step.thought if same else "")


def _rejected(step: Step) -> Message:
    if _is_malformed(step):
        return malformed_message(step.reply)
    if step.conclusion is not None:
        return conclusion_message(step.conclusion)
    calls = [Call(record.name, record.arguments) for record in step.calls]
    return calls_message(calls, step.thought)


def _is_malformed(step: Step) -> bool:
    unread = step.conclusion is None and not step.calls
    return unread or any(v.kind is ViolationClass.MALFORMED_CALL for v in step.violations)


def _unlearned(messages: list[Message], episode: Episode, opening: int) -> list[Message]:
    """The messages so far, with weight 0 on the turns that were answered with an error."""
    wrong, at = set(), opening
    for step in episode.steps:
        if step.error or step.violations:
            wrong.add(at)
        at += 2 + (step.injected is not None)
    return [{**m, "weight": 0} if i in wrong else m for i, m in enumerate(messages)]


def _bare(messages: Sequence[Message]) -> list[Message]:
    return [{k: v for k, v in message.items() if k != "weight"} for message in messages]
