"""Is a task sound? Its oracle is carried out and must solve it; doing nothing must not."""

from __future__ import annotations

from tooldrill.agent.checker import check_calls
from tooldrill.data.tasks.solve import concludes, open_task
from tooldrill.data.tasks.task import Task, TaskKind

# Kinds in which no call is due any more.
IDLE_KINDS = frozenset({TaskKind.RESTRAIN, TaskKind.STOP})


class OracleFailureError(Exception):
    """A task's own solution does not solve it: a defect of whatever made it."""


def verify(task: Task) -> None:
    """Carries out the oracle and checks that it solves the task, and that doing nothing does not.

    Raises:
        OracleFailureError: naming what went wrong.
    """
    with open_task(task) as opened:
        violations = check_calls(task.calls, opened.registry)
        if violations:
            raise OracleFailureError(f"{task.id}: the oracle breaks the contract: {violations}")
        start = opened.session.snapshot()
        for call in task.calls:
            observation = opened.session.call(call.name, call.arguments)
            if observation.error:
                raise OracleFailureError(f"{task.id}: {call} came back with {observation.text}")
        changed = opened.session.snapshot() != start
    _verify_answer(task)
    if task.kind in IDLE_KINDS and changed:
        raise OracleFailureError(f"{task.id}: nothing was to be done, yet the state changed")
    if task.kind not in IDLE_KINDS and not changed and concludes(task, task.prompt):
        raise OracleFailureError(f"{task.id}: doing nothing would solve it")


def _verify_answer(task: Task) -> None:
    if not concludes(task, task.answer):
        wanted = [*task.answer_contains, *task.answer_mentions, f"ending {task.ending}"]
        raise OracleFailureError(f"{task.id}: the answer lacks {wanted}")
    if task.claim and concludes(task, task.claim):
        raise OracleFailureError(f"{task.id}: the untrue conclusion would pass")
