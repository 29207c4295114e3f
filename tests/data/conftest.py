"""Tasks for the tests of situations; see `staged_tasks`."""

from __future__ import annotations

import pytest
from staged_tasks import Staged, plain_tasks, staged_tasks

from tooldrill.data.tasks.task import Task


@pytest.fixture(scope="session")
def plain() -> list[Task]:
    return plain_tasks()


@pytest.fixture(scope="session")
def staged() -> Staged:
    return staged_tasks()
