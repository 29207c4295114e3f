"""The `convert` world: arithmetic with units, days, clocks and numbers, and a register."""

from __future__ import annotations

from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.convert import chains, dates, restraint, tasks
from tooldrill.data.worlds.convert.session import ConvertSession


class ConvertWorld(World):
    """A desk calculator that knows units and dates."""

    name = "convert"
    split = Split.TRAIN
    session_type = ConvertSession
    book = tasks.BOOK + dates.BOOK + chains.BOOK + restraint.BOOK
