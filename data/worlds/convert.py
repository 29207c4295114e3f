"""The `convert` world: arithmetic with units, days, clocks and numbers, and a register."""

from __future__ import annotations

from tooldrill.data.task import Split
from tooldrill.data.worlds import (
    convert_chains,
    convert_dates,
    convert_restraint,
    convert_tasks,
)
from tooldrill.data.worlds.base import World
from tooldrill.data.worlds.convert_session import ConvertSession


class ConvertWorld(World):
    """A desk calculator that knows units and dates."""

    name = "convert"
    split = Split.TRAIN
    session_type = ConvertSession
    book = convert_tasks.BOOK + convert_dates.BOOK + convert_chains.BOOK + convert_restraint.BOOK
