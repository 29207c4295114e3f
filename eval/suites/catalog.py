"""Every suite by name, and the one door to them. A folder is a suite of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.eval.suites import contract, counterfactual, recovery, restraint, unseen
from tooldrill.eval.suites.own_format import load_own_suite
from tooldrill.eval.suites.own_running import own_set
from tooldrill.eval.suites.task_set import Case, TaskSet


@dataclass(frozen=True)
class DrawnSuite:
    """A suite that is drawn from a seed.

    Attributes:
        size: tasks, where no number is asked for.
    """

    draw: Callable[[int, int], list[Case]]
    size: int


SUITES = {
    "contract": DrawnSuite(contract.draw, contract.SIZE),
    "unseen": DrawnSuite(unseen.draw, unseen.SIZE),
    "counterfactual": DrawnSuite(counterfactual.draw, counterfactual.SIZE),
    "recovery": DrawnSuite(recovery.draw, recovery.SIZE),
    "restraint": DrawnSuite(restraint.draw, restraint.SIZE),
}


def find_suite(named: str, seed: int, tasks: int | None = None) -> TaskSet:
    """The suite of that name, or in the folder of that name.

    Args:
        seed: of a drawn suite.
        tasks: how many of a drawn suite; its own size when None.

    Raises:
        TooldrillError: when there is none, or the folder's has a problem.
    """
    if named in SUITES:
        suite = SUITES[named]
        cases = suite.draw(seed, tasks or suite.size)
        return TaskSet([case.task for case in cases], named, seed, [case.labels for case in cases])
    if not Path(named).is_dir():
        raise TooldrillError(
            f"no suite named {named!r}, and no folder either",
            f"name one of {', '.join(SUITES)}, or a folder with tools.py and tasks.jsonl",
        )
    return own_set(load_own_suite(Path(named)))
