"""The `jobs` world: a deployment board with services, timed jobs, logs, alerts and runbooks."""

from __future__ import annotations

from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.jobs import chains, restraint, sweeps, tasks, timed
from tooldrill.data.worlds.jobs.session import JobsSession


class JobsWorld(World):
    """A deployment board."""

    name = "jobs"
    split = Split.TRAIN
    session_type = JobsSession
    book = tasks.BOOK + timed.BOOK + chains.BOOK + sweeps.BOOK + restraint.BOOK
