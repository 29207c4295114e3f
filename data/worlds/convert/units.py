"""Units by dimension, and how numbers are shown: the plain arithmetic below the `convert` world."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

from tooldrill.agent.environment import ToolError

Unit = Literal[
    "mm", "cm", "m", "km", "in", "ft", "yd", "mi", "g", "kg", "oz", "lb", "ml", "l", "cup", "gal"
]  # fmt: skip
Scale = Literal["celsius", "fahrenheit", "kelvin"]

# Metres, kilograms and litres in one of each; customary units are those of the US, exact by law.
DIMENSIONS: dict[str, dict[str, float]] = {
    "length": {
        "mm": 0.001, "cm": 0.01, "m": 1, "km": 1000,
        "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344,
    },
    "mass": {"g": 0.001, "kg": 1, "oz": 0.028349523125, "lb": 0.45359237},
    "volume": {"ml": 0.001, "l": 1, "cup": 0.2365882365, "gal": 3.785411784},
}  # fmt: skip

# Forms in which people name a unit, the plural among them.
SPOKEN_UNITS: dict[str, tuple[str, ...]] = {
    "mm": ("millimetres", "mm"),
    "cm": ("centimetres", "cm", "centimeters"),
    "m": ("metres", "meters"),
    "km": ("kilometres", "km", "kilometers"),
    "in": ("inches",),
    "ft": ("feet", "ft"),
    "yd": ("yards", "yd"),
    "mi": ("miles",),
    "g": ("grams", "g"),
    "kg": ("kilos", "kg", "kilograms"),
    "oz": ("ounces", "oz"),
    "lb": ("pounds", "lbs"),
    "ml": ("millilitres", "ml", "milliliters"),
    "l": ("litres", "liters"),
    "cup": ("cups",),
    "gal": ("gallons", "US gallons"),
}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MEASURES: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "sum": sum,
    "min": min,
    "max": max,
    "range": lambda numbers: max(numbers) - min(numbers),
}
_PLACES = 4
_LARGEST = 1e15


def dimension(unit: str) -> str:
    """The dimension that has the unit."""
    return next(name for name, units in DIMENSIONS.items() if unit in units)


def shown(value: float) -> str:
    """The number as every tool shows it: at most four decimals, none when it is whole.

    Raises:
        OverflowError: for numbers that would lose digits, and for what is no number.
    """
    if not math.isfinite(value) or abs(value) >= _LARGEST:
        raise OverflowError
    text = f"{value:.{_PLACES}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def converted(value: float, source: str, target: str) -> float:
    """The value in the other unit of the same dimension."""
    kind, other = dimension(source), dimension(target)
    if kind != other:
        raise ToolError(f"{source} is a unit of {kind} but {target} is a unit of {other}")
    return value * DIMENSIONS[kind][source] / DIMENSIONS[kind][target]


def in_scale(degrees: float, source: str, target: str) -> float:
    """A temperature in the other scale."""
    kelvin = {
        "celsius": degrees + 273.15,
        "fahrenheit": (degrees + 459.67) * 5 / 9,
        "kelvin": degrees,
    }[source]
    if kelvin < -1e-9:
        raise ToolError("`degrees` is below absolute zero")
    return {"celsius": kelvin - 273.15, "fahrenheit": kelvin * 9 / 5 - 459.67, "kelvin": kelvin}[
        target
    ]


def read_date(text: str) -> date:
    """A calendar day, or the error that says how to write one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ToolError(f"not a date (YYYY-MM-DD): {text}") from None


def offset_minutes(text: str) -> int:
    """Minutes east of UTC of `+05:30`."""
    sign, hours, minutes = text[0], int(text[1:3]), int(text[4:6])
    total = hours * 60 + minutes
    if total > 14 * 60 or minutes > 59:
        raise ToolError(f"no clock is set to UTC{text}")
    return -total if sign == "-" else total


def in_base(number: int, base: int) -> str:
    """The digits of a whole number in a base from 2 to 36."""
    if number == 0:
        return "0"
    digits, rest = "", abs(number)
    while rest:
        rest, digit = divmod(rest, base)
        digits = DIGITS[digit] + digits
    return f"-{digits}" if number < 0 else digits


def working_day(day: date, days: int) -> date:
    """The day so many working days after `day`, or before it when negative."""
    step = timedelta(days=1 if days > 0 else -1)
    while days and day.weekday() > 4:
        # From a weekend, the count begins at the working day behind it.
        day -= step
    # Five working days are a week; the rest is walked.
    day += step * 7 * (abs(days) // 5)
    left = abs(days) % 5
    while left:
        day += step
        left -= day.weekday() < 5
    return day


def power(left: float, right: float) -> float:
    """`left` to the power of `right`, where that is a real number."""
    try:
        # Whole numbers as floats: their exact power could take hours.
        value = float(left) ** float(right)
    except ZeroDivisionError:
        raise ToolError("cannot divide by zero: 0 to a negative power") from None
    if isinstance(value, complex):
        raise ToolError("a negative number has no such power")
    return float(value)
