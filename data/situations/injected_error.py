"""Errors that stay: the right call comes back refused, and would be refused again.

Where another offered tool does the same, the oracle goes on with it. Elsewhere the right ending is
an honest stop: a conclusion that says what failed and claims nothing. The refusal lasts: the task
carries it in `broken`, and the loop in evaluation meets it too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import CallRecord
from tooldrill.agent.tool import Registry
from tooldrill.data.situations.scene import Played, is_plain, play, staged, turn, turns, words_of
from tooldrill.data.tasks.solve import offered, open_task, says
from tooldrill.data.tasks.task import Ending, Task, TaskKind
from tooldrill.data.values.words import word_list

NAME = "injected_error"

_MOST_TRIALS = 3


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task after its right call was refused for good."""
    if not is_plain(task):
        return None
    at = rng.randrange(len(task.oracle))
    played = play(task)
    registry = offered(task)
    return _way_round(task, played, at, registry, rng) or _stop(task, played, at, registry, rng)


def _stop(
    task: Task, played: Sequence[Played], at: int, registry: Registry, rng: random.Random
) -> Task:
    """The task in which nothing helps: `kind` is `stop`."""
    failed = played[at]
    error, broken = _refusal(task, failed, registry, rng)
    history = turns(played[:at]) + turn(failed.call, f"{ERROR_PREFIX}: {error}")
    values = [str(v) for v in failed.call.arguments.values() if 0 < len(str(v)) <= 80]
    return staged(
        task,
        NAME,
        kind=TaskKind.STOP,
        oracle=[],
        history=history,
        broken=broken,
        answer=_admission(rng, failed.call.name, error, done=at),
        answer_contains=[],
        answer_mentions=[failed.call.name, *words_of(failed.call.name, error), *_TROUBLE, *values],
        ending=Ending.ADMIT,
        claim=task.answer,
    )


def _way_round(
    task: Task, played: Sequence[Played], at: int, registry: Registry, rng: random.Random
) -> Task | None:
    """The task solved by another tool; None when no offered one does the same."""
    failed = played[at].call
    if any(call.name == failed.name for call in task.calls[at + 1 :]):
        return None
    error = rng.choice(_TOOL_ERRORS).format(tool=failed.name)
    begun = staged(
        task,
        NAME,
        kind=TaskKind.RECOVER,
        broken={failed.name: error},
        history=turns(played[:at]) + turn(failed, f"{ERROR_PREFIX}: {error}"),
    )
    for other in _replacements(task, failed, registry, rng):
        rest = [CallRecord(name=c.name, arguments=c.arguments) for c in task.calls[at + 1 :]]
        first = CallRecord(name=other.name, arguments=other.arguments)
        trial = begun.model_copy(update={"oracle": [first, *rest]})
        if _does_as_much(trial, played, at, task.answer_contains):
            return trial
    return None


def _replacements(
    task: Task, failed: Call, registry: Registry, rng: random.Random
) -> Iterator[Call]:
    """Calls of other tools with all of the failed call's values, or of ones that list everything.

    The values stand under the same names, but for one that may have another name.
    """
    trials = 0
    for tool in rng.sample(registry.tools, len(registry)):
        own = {k: v for k, v in failed.arguments.items() if k in tool.parameter_names}
        other = [v for k, v in failed.arguments.items() if k not in own]
        lacking = [p.name for p in tool.parameters if p.required and p.name not in own]
        if tool.name == failed.name or len(lacking) > 1:
            continue
        if len(lacking) == len(other):
            own |= dict(zip(lacking, other, strict=True))
        elif lacking or own or _words(task, tool.name)[0] != "list":
            continue
        call = Call(tool.name, own)
        if trials < _MOST_TRIALS and not check_calls([call], registry):
            trials += 1
            yield call


def _does_as_much(trial: Task, played: Sequence[Played], at: int, answer: Sequence[str]) -> bool:
    """Whether the other call leads to the same state and tells what was taken from the failed one.

    What a call tells matters where later steps or the answer took something from it.
    """
    failed = played[at]
    later = [str(v) for record in trial.oracle[1:] for v in record.arguments.values()]
    facts = [w for w in [*later, *answer] if says(failed.observation.text, [w])]
    # A short number may stand anywhere by chance.
    if not failed.changed and not any(sum(c.isalnum() for c in w) > 4 for w in facts):
        return False
    if failed.changed and not trial.oracle[0].arguments:
        return False
    with open_task(trial) as opened:
        seen = [opened.session.call(call.name, call.arguments) for call in trial.calls]
        end = opened.session.snapshot()
    if any(observation.error for observation in seen) or end != played[-1].after:
        return False
    return says(seen[0].text, facts)


def _refusal(
    task: Task, failed: Played, registry: Registry, rng: random.Random
) -> tuple[str, dict[str, str]]:
    """The error's text and every tool that gives it."""
    tool = failed.call.name
    scope = rng.random()
    if scope < 0.4:
        error = rng.choice(_TOOL_ERRORS).format(tool=tool)
        return error, {tool: error}
    if scope < 0.7 and failed.changed:
        error = rng.choice(_CHANGE_ERRORS)
        return error, {name: error for name in registry.names if not _looks_up(task, name)}
    error = rng.choice(_SERVICE_ERRORS)
    return error, dict.fromkeys(registry.names, error)


def _looks_up(task: Task, shown: str) -> bool:
    """Whether a tool only reads, judged by the first word of its own name."""
    return _words(task, shown)[0] in _LOOKUP_VERBS


def _words(task: Task, shown: str) -> list[str]:
    """The words of the world's own name of a tool, in lower case."""
    back = {new: old for old, new in task.mask.tools.items()} if task.mask else {}
    return re.split(r"[_.]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", back.get(shown, shown)).lower())


def _admission(rng: random.Random, tool: str, error: str, done: int) -> str:
    """An honest conclusion."""
    text = rng.choice(_ADMISSIONS).format(tool=tool, error=error)
    if done:
        steps = "The step before it was made" if done == 1 else f"The {done} steps before were made"
        return f"{text} {steps}, the rest was not."
    return f"{text} {rng.choice(_NOTHING_CHANGED)}"


_LOOKUP_VERBS = frozenset(
    word_list(
        """
        browse check count describe fetch file find get glob grep inspect list look low peek
        query read search show stock summarize view who
        """
    )
)

_TROUBLE = (
    "error",
    "failed",
    "fails",
    "tool",
    "service",
    "access",
    "refused",
    "refuses",
    "unavailable",
    "denied",
)

_TOOL_ERRORS = (
    "permission denied: this account may not use {tool}",
    "{tool} has been switched off by the administrator",
    "403 forbidden: {tool} is not part of the current plan",
    "quota exceeded: no more calls of {tool} until next month",
    "{tool} is out of order and will not be repaired today",
    "access to {tool} was revoked",
    "{tool} is disabled in this environment",
)
_CHANGE_ERRORS = (
    "read-only: changes are refused until the audit is over",
    "permission denied: this session may look but not change anything",
    "the store is frozen; nothing can be written before Monday",
    "quota exceeded: no space left, changes are not accepted",
)
_SERVICE_ERRORS = (
    "503 service unavailable: closed for maintenance until tomorrow",
    "the licence has expired; all calls are refused",
    "401 unauthorized: the session's credentials were withdrawn",
    "the service has been shut down for the day",
    "account suspended: contact the administrator",
    "quota exceeded: this account has no calls left",
)

_ADMISSIONS = (
    'I could not do this: {tool} answered "{error}".',
    "I could not finish, because {tool} failed: {error}.",
    'This did not work. The call of {tool} was refused ("{error}").',
    "Not done: {tool} failed with the message: {error}.",
    "I am sorry, {tool} cannot be used at the moment ({error}).",
    'What you asked for was not possible. {tool} came back with "{error}".',
)
_NOTHING_CHANGED = (
    "Nothing was changed.",
    "I have not changed anything.",
    "So far nothing has been done.",
    "Another try of mine would not help; somebody has to restore the access.",
)
