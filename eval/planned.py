"""How many episodes a config asks for, before anything is drawn or opened."""

from __future__ import annotations

from tooldrill.eval.cells import Cell, cells
from tooldrill.eval.settings import EvalSettings
from tooldrill.eval.suites.catalog import SUITES


def planned_episodes(settings: EvalSettings, models: int) -> int:
    """Of so many models in all cells.

    What is in a folder is not read for that: such a suite counts like the config's own tasks.
    """
    return models * sum(_tasks(cell) for cell in cells(settings))


def _tasks(cell: Cell) -> int:
    settings = cell.settings
    if cell.suite not in SUITES:
        return settings.tasks
    return settings.suite_tasks or SUITES[cell.suite].size
