"""What an episode cost beyond what the task needs: wasted steps, and valid calls beside the point.

Both are told from the task's oracle, one way to solve it. Another way is no breach of anything, so
these are measures and not violations.
"""

from __future__ import annotations

from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.task import Task, TaskKind
from tooldrill.eval.judged import Judged
from tooldrill.eval.replies import carried_out


def wasted_steps(one: Judged) -> int | None:
    """Replies beyond the oracle's calls and the conclusion; None where the task was not solved.

    Of a failed task nothing can be said: a model that gave up early wasted nothing. Nor can it of
    a task that needs calls and names none (see `suites.own_expect`).
    """
    if one.task is None or one.episode.success is not True or _unnamed(one.task):
        return None
    return max(0, len(one.replies) - len(one.task.oracle) - 1)


def wrong_calls(one: Judged) -> tuple[int, int]:
    """Of the replies whose call was carried out without a violation, those beside the oracle's.

    A call is the oracle's when tool and arguments are the same, arguments left at their defaults
    left out, wherever in the order it stands.

    Returns:
        (beside the oracle, carried out); (0, 0) where the task is not known.
    """
    if one.task is None or _unnamed(one.task):
        return 0, 0
    registry = Registry.from_openai(one.episode.tools)
    wanted = [_bare(call, registry) for call in one.task.calls]
    made = [
        _bare(call, registry)
        for reply in one.replies
        if reply.disciplined and not reply.step.error and (call := carried_out(reply.step))
    ]
    return sum(call not in wanted for call in made), len(made)


def is_wanted(one: Judged, call: Call) -> bool:
    """Whether the call is among the oracle's; never where the task is not known."""
    if one.task is None:
        return False
    registry = Registry.from_openai(one.episode.tools)
    return _bare(call, registry) in [_bare(wanted, registry) for wanted in one.task.calls]


def _unnamed(task: Task) -> bool:
    return task.kind is TaskKind.ACT and not task.oracle


def _bare(call: Call, registry: Registry) -> tuple[str, dict[str, Any]]:
    """The call without arguments that say what is so by default."""
    tool = registry.get(call.name)
    defaults = {p.name: p.default for p in tool.parameters if p.has_default} if tool else {}
    kept = {
        name: value
        for name, value in call.arguments.items()
        if name not in defaults or defaults[name] != value
    }
    return call.name, kept
