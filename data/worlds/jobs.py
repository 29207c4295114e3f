"""The `jobs` world: a deployment board with services, timed jobs, logs, alerts and runbooks."""

from __future__ import annotations

from tooldrill.data.task import Split
from tooldrill.data.worlds import jobs_chains, jobs_restraint, jobs_tasks, jobs_timed
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.jobs_session import JobsSession


class JobsWorld(World):
    """A deployment board."""

    name = "jobs"
    split = Split.TRAIN
    session_type = JobsSession
    book = jobs_tasks.BOOK + jobs_timed.BOOK + jobs_chains.BOOK + jobs_restraint.BOOK
