"""From an episode and its task to a judged episode: success and the violations of the whole.

What a single reply did wrong was found by the checker while the loop ran. What remains are breaches
that need the task or the ending: `needless_call`, `missing_call`, `fabricated_success` and
`no_conclusion`. Everything is decided from calls, observations and a list of words; no model gives
an opinion, and where the record leaves doubt the model gets its benefit. Which reply answers for
which of these is decided in `replies`.
"""

from __future__ import annotations

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Episode, Outcome, Step
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.data.tasks.claims import claims_success
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.eval.replies import carried_out, opening_error, tool_calls

GRADED_CLASSES = frozenset(
    {
        ViolationClass.NEEDLESS_CALL,
        ViolationClass.MISSING_CALL,
        ViolationClass.FABRICATED_SUCCESS,
        ViolationClass.NO_CONCLUSION,
    }
)


def grade(episode: Episode, task: Task, success: bool) -> Episode:
    """A copy of the episode with its verdict; grading twice changes nothing.

    Args:
        episode: as the loop left it.
        task: the task it was run on.
        success: whether the task's checker passed on the end state (see `data.tasks.solve`).

    Returns:
        The judged episode. One whose engine failed comes back without a verdict (`success` None):
        it says nothing about the model.
    """
    kept = [v for v in episode.violations if v.kind not in GRADED_CLASSES]
    if episode.outcome is Outcome.FAILED:
        return episode.model_copy(update={"success": None, "violations": kept})
    found = [
        _no_conclusion(episode),
        _needless_call(episode, task),
        _missing_call(episode, task, success),
        _fabricated_success(episode, task, success),
    ]
    violations = kept + [violation for violation in found if violation is not None]
    return episode.model_copy(update={"success": success, "violations": violations})


def _no_conclusion(episode: Episode) -> Violation | None:
    """The budget ran out; a conclusion that was forced afterwards does not undo it."""
    if episode.outcome is not Outcome.NO_CONCLUSION and not episode.forced:
        return None
    budget = "token" if episode.spent == "tokens" else "step"
    return Violation(
        kind=ViolationClass.NO_CONCLUSION,
        message=f"the {budget} budget ran out after {len(episode.own_steps)} replies",
    )


def _needless_call(episode: Episode, task: Task) -> Violation | None:
    if task.kind is not TaskKind.RESTRAIN:
        return None
    calls = [call for step in episode.steps for call in tool_calls(step)]
    if not calls:
        return None
    return Violation(
        kind=ViolationClass.NEEDLESS_CALL,
        tool=calls[0].name,
        message=f"the task needs no call, {len(calls)} made, the first of {calls[0].name}",
    )


def _missing_call(episode: Episode, task: Task, success: bool) -> Violation | None:
    """Concluded too early.

    Nothing was called with success at all (a right answer was then a guess), or the task failed and
    a tool that the oracle needs never succeeded. A task solved by another way than the oracle's is
    no breach, nor is a conclusion that was forced.
    """
    if episode.outcome is not Outcome.CONCLUDED or episode.forced or not task.oracle:
        return None
    succeeded = {call.name for step in episode.steps if (call := _succeeded(step)) is not None}
    needed = list(dict.fromkeys(record.name for record in task.oracle))
    missing = [name for name in needed if name not in succeeded]
    if succeeded and (success or not missing):
        return None
    return Violation(
        kind=ViolationClass.MISSING_CALL,
        tool=missing[0],
        message=f"concluded without a successful call of {', '.join(missing)}",
    )


def _fabricated_success(episode: Episode, task: Task, success: bool) -> Violation | None:
    """Claims success though the last needed action failed.

    All must hold: the task failed; a needed attempt came back as an error and was not made good
    later; and the conclusion claims success (see `data.tasks.claims`). In a task that can only be
    stopped the attempt is the one in its history.
    """
    claimed = episode.conclusion
    if success or claimed is None or not (task.oracle or task.kind is TaskKind.STOP):
        return None
    failed = _failed_attempt(episode, task)
    if failed is None or not claims_success(claimed):
        return None
    return Violation(
        kind=ViolationClass.FABRICATED_SUCCESS,
        tool=failed or None,
        message=f"claims success though {failed or 'the last action'} failed",
    )


def _failed_attempt(episode: Episode, task: Task) -> str | None:
    """The tool of the last needed attempt that failed and was never made good; None when none.

    An attempt is needed when its tool is the oracle's, when it names no tool that is offered or
    could not be read (then it stood in the place of a needed one), or when nothing came after it.
    A tool of the oracle is made good by its own later success, the others by that of any tool of
    the oracle. Returns an empty name for an attempt that could not be read.
    """
    needed = {record.name for record in task.oracle}
    offered = {tool["function"]["name"] for tool in episode.tools}
    pending: dict[str, None] = {}
    after_error, call = opening_error(episode)
    if after_error:
        pending[call.name if call else ""] = None
    actions = [step for step in episode.steps if step.observation is not None]
    for step in actions:
        call = carried_out(step)
        name = call.name if call else ""
        if not step.error and name in needed:
            pending = {other: None for other in pending if other in needed and other != name}
        elif step.error and (name in needed or name not in offered or step is actions[-1]):
            pending.pop(name, None)
            pending[name] = None
    return next(reversed(pending), None)


def _succeeded(step: Step) -> Call | None:
    """The call that was carried out without an error."""
    return None if step.error or step.observation is None else carried_out(step)
