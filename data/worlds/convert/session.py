"""The tools of the `convert` world: units, days, clocks and numbers, and a register for results.

State: `{"register": {name: {"value": number, "unit": text}}}`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tooldrill.agent.environment import ToolError
from tooldrill.data.worlds.base import Session
from tooldrill.data.worlds.convert.units import (
    DIGITS,
    MEASURES,
    Scale,
    Unit,
    converted,
    in_base,
    in_scale,
    offset_minutes,
    power,
    read_date,
    shown,
    working_day,
)

_LONGEST_DIGITS = 48
_MOST_DAYS = 200_000
_NINES = 10**15

Offset = Annotated[str, Field(pattern=r"^[+-][0-9]{2}:[0-9]{2}$")]
Base = Annotated[int, Field(ge=2, le=36)]


class ConvertSession(Session):
    """A desk calculator with a register."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "convert_units",
        "convert_temperature",
        "add_days",
        "days_between",
        "weekday_of",
        "shift_clock",
        "do_arithmetic",
        "percent_of",
        "round_number",
        "list_statistic",
        "split_bill",
        "change_base",
        "store_result",
        "recall_result",
    )

    def __init__(self, state: dict[str, Any]) -> None:
        self._register = {name: dict(entry) for name, entry in state.get("register", {}).items()}

    def snapshot(self) -> dict[str, Any]:
        entries = sorted(self._register.items())
        return {"register": {name: dict(entry) for name, entry in entries}}

    def convert_units(self, value: float, from_unit: Unit, to_unit: Unit) -> str:
        """Convert a length, mass or volume to another unit.

        Fails when the two units measure different things (`kg` to `mi`).

        Args:
            value: How much there is.
            from_unit: Unit it is given in.
            to_unit: Unit it is wanted in.
        """
        return f"{shown(converted(value, from_unit, to_unit))} {to_unit}"

    def convert_temperature(self, degrees: float, from_scale: Scale, to_scale: Scale) -> str:
        """Convert a temperature to another scale.

        Fails below absolute zero.

        Args:
            degrees: The reading.
            from_scale: Scale it is given in.
            to_scale: Scale it is wanted in.
        """
        return f"{shown(in_scale(degrees, from_scale, to_scale))} {to_scale}"

    def add_days(self, start: str, days: int, working_days_only: bool = False) -> str:
        """Find the date some days after another, or before it for a negative count.

        Fails for what is not a date, or one outside the years 1 to 9999.

        Args:
            start: First day, YYYY-MM-DD.
            days: How many to go.
            working_days_only: Skip Saturdays and Sundays.
        """
        day = read_date(start)
        if abs(days) > _MOST_DAYS:
            raise ToolError(f"`days` must lie between -{_MOST_DAYS} and {_MOST_DAYS}")
        if not working_days_only:
            return (day + timedelta(days=days)).isoformat()
        return working_day(day, days).isoformat()

    def days_between(self, earlier: str, later: str, count_both_ends: bool = False) -> str:
        """Count the days from one date to another.

        Fails when they are the wrong way round.

        Args:
            earlier: Day the count begins, YYYY-MM-DD.
            later: Day it ends, YYYY-MM-DD.
            count_both_ends: Count the last day as well.
        """
        span = (read_date(later) - read_date(earlier)).days
        if span < 0:
            raise ToolError(f"`later` ({later}) lies before `earlier` ({earlier})")
        return f"{span + count_both_ends} days"

    def weekday_of(self, date: str) -> str:
        """Name the day of the week and the ISO week of a date.

        Fails for what is not a date.

        Args:
            date: Calendar day, YYYY-MM-DD.
        """
        day = read_date(date)
        return f"{day:%A}, week {day.isocalendar().week}"

    def shift_clock(self, moment: str, from_offset: Offset, to_offset: Offset = "+00:00") -> str:
        """Tell what time it is elsewhere at a moment.

        Offsets are fixed: no summer time is added. Fails for a moment that does not exist and
        for offsets beyond 14 hours.

        Args:
            moment: Local date and time, YYYY-MM-DD HH:MM.
            from_offset: Distance from UTC where it is read, such as +02:00.
            to_offset: Distance from UTC of the other place.
        """
        try:
            local = datetime.strptime(moment, "%Y-%m-%d %H:%M")
        except ValueError:
            raise ToolError(f"not a moment (YYYY-MM-DD HH:MM): {moment}") from None
        shift = offset_minutes(to_offset) - offset_minutes(from_offset)
        return f"{local + timedelta(minutes=shift):%Y-%m-%d %H:%M}"

    def do_arithmetic(
        self,
        left: float,
        operation: Literal["add", "subtract", "multiply", "divide", "power"],
        right: float,
    ) -> str:
        """Work out one operation on two numbers.

        Fails when dividing by zero.

        Args:
            left: First number.
            operation: What to do.
            right: Second number; for subtract and divide, the one taken off or divided by.
        """
        if operation == "divide" and right == 0:
            raise ToolError("cannot divide by zero: `right` is 0")
        if operation == "power":
            return shown(power(left, right))
        results = {"add": left + right, "subtract": left - right, "multiply": left * right}
        return shown(results[operation] if operation in results else left / right)

    def percent_of(
        self, amount: float, percent: float, change: Literal["none", "add", "take_off"] = "none"
    ) -> str:
        """Work out a percentage of an amount, or the amount raised or lowered by it.

        Args:
            amount: The whole.
            percent: Share in percent.
            change: Put the share on top of the amount or take it off; none gives the share alone.
        """
        share = amount * percent / 100
        return shown({"none": share, "add": amount + share, "take_off": amount - share}[change])

    def round_number(
        self,
        number: float,
        step: float = 1,
        direction: Literal["nearest", "up", "down"] = "nearest",
    ) -> str:
        """Round a number to a multiple of a step.

        Fails unless the step is positive.

        Args:
            number: What to round.
            step: Size of the steps: 0.01 for cents, 5 for fives, 100 for hundreds.
            direction: Which way.
        """
        if step <= 0:
            raise ToolError("`step` must be greater than 0")
        # 0.29 / 0.01 is a hair below 29: what nobody would see must not decide the direction.
        steps = round(number / step, 9)
        whole = {"nearest": int(steps + 0.5 if steps >= 0 else steps - 0.5)}
        floor = int(steps // 1)
        whole |= {"down": floor, "up": floor + (steps != floor)}
        return shown(whole[direction] * step)

    def list_statistic(
        self,
        numbers: Annotated[list[float], Field(min_length=1, max_length=40)],
        measure: Literal["mean", "median", "sum", "min", "max", "range"] = "mean",
    ) -> str:
        """Summarize a list of numbers by one figure.

        Args:
            numbers: All of them, in any order.
            measure: Which figure.
        """
        return shown(MEASURES[measure](numbers))

    def split_bill(
        self,
        total: float,
        people: Annotated[int, Field(ge=1, le=100)],
        tip_percent: Annotated[float, Field(ge=0, le=100)] = 0,
    ) -> str:
        """Divide a bill evenly, in cents rounded up.

        Fails when the total is negative.

        Args:
            total: What is to be paid.
            people: How many share it.
            tip_percent: Tip that is added first.
        """
        if total < 0:
            raise ToolError("`total` must not be negative")
        if total >= _NINES:
            raise OverflowError
        cents = round(total * (100 + tip_percent), 6)
        each = -int(-cents // people)
        return f"{shown(each / 100)} each"

    def change_base(self, digits: str, from_base: Base = 10, to_base: Base = 16) -> str:
        """Write a whole number in another base.

        Fails on a digit the base does not have.

        Args:
            digits: The number as it is written, without a prefix such as 0x.
            from_base: Base it is written in.
            to_base: Base it is wanted in.
        """
        body = digits.removeprefix("-").lower()
        wrong = next((d for d in body if d not in DIGITS[:from_base]), None)
        if not body or len(body) > _LONGEST_DIGITS or wrong:
            raise ToolError(f"`digits` is no whole number in base {from_base}: {digits}")
        number = int(body, from_base)
        return in_base(-number if digits.startswith("-") else number, to_base)

    def store_result(self, name: str, value: float, unit: str = "", replace: bool = False) -> str:
        """Keep a number in the register under a name.

        Fails when the name is taken, unless it may be replaced.

        Args:
            name: What to keep it as.
            value: The number.
            unit: What it counts.
            replace: Overwrite what the name held before.
        """
        if not name.strip():
            raise ToolError("`name` must not be empty")
        if name in self._register and not replace:
            raise ToolError(f"{name} is taken: {self._line(name)} (`replace` is false)")
        # Equal numbers must be equal states, however they were written.
        kept = float(shown(value))
        self._register[name] = {"value": kept, "unit": unit}
        return f"kept {self._line(name)}"

    def recall_result(self, name: str) -> str:
        """Read a number from the register.

        Fails when nothing is kept under the name.

        Args:
            name: What it was kept as.
        """
        if name not in self._register:
            listed = ", ".join(sorted(self._register)) or "nothing"
            raise ToolError(f"nothing is kept as {name}; there is {listed}")
        return self._line(name)

    def _line(self, name: str) -> str:
        entry = self._register[name]
        return f"{shown(entry['value'])} {entry['unit']} ({name})".replace("  ", " ")
