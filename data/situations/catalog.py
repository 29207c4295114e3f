"""Every situation by name, and the one door to them: a situation that was put in is verified."""

from __future__ import annotations

import random
from collections.abc import Callable

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.situations import (
    already_done,
    injected_error,
    long_observation,
    misleading_error,
    missing_value,
    steps_run_out,
    tempting_history,
)
from tooldrill.data.tasks.task import Task
from tooldrill.data.tasks.verify import OracleFailureError, verify

Situation = Callable[[Task, random.Random], Task | None]

SITUATIONS: dict[str, Situation] = {
    module.NAME: module.situation
    for module in (
        tempting_history,
        misleading_error,
        injected_error,
        long_observation,
        steps_run_out,
        missing_value,
        already_done,
    )
}


def put_into(task: Task, name: str, rng: random.Random) -> Task | None:
    """The task in the situation of that name, verified; None where it does not apply.

    Raises:
        TooldrillError: when there is no such situation.
    """
    if name not in SITUATIONS:
        raise TooldrillError(
            f"no situation named {name!r}", f"name one of {', '.join(sorted(SITUATIONS))}"
        )
    made = SITUATIONS[name](task, rng)
    if made is None:
        return None
    try:
        verify(made)
    except OracleFailureError:
        # What a draw says by chance can make a situation unsound: then it does not apply.
        return None
    return made
