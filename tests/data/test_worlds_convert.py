"""The `convert` world: exact results, exact refusals, and spoken values that mean what they say."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world_calls import assert_answers_all, calls_of

from tooldrill.agent.call import Call
from tooldrill.data.worlds.catalog import get_world
from tooldrill.data.worlds.convert.session import ConvertSession
from tooldrill.data.worlds.convert.units import DIMENSIONS, converted, in_base, working_day

STATE: dict[str, Any] = {"register": {"freight": {"value": 12.5, "unit": "kg"}}}
WORLD = get_world("convert")


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("convert_units", {"value": 12, "from_unit": "mi", "to_unit": "km"}, "19.3121 km"),
        ("convert_units", {"value": 1, "from_unit": "gal", "to_unit": "cup"}, "16 cup"),
        (
            "convert_temperature",
            {"degrees": 212, "from_scale": "fahrenheit", "to_scale": "celsius"},
            "100 celsius",
        ),
        ("add_days", {"start": "2024-02-28", "days": 2}, "2024-03-01"),
        ("add_days", {"start": "2024-03-01", "days": -1}, "2024-02-29"),
        (
            "add_days",
            {"start": "2025-03-07", "days": 1, "working_days_only": True},
            "2025-03-10",
        ),
        (
            "add_days",
            {"start": "2025-03-08", "days": 5, "working_days_only": True},
            "2025-03-14",
        ),
        (
            "add_days",
            {"start": "2025-03-09", "days": -6, "working_days_only": True},
            "2025-02-28",
        ),
        ("days_between", {"earlier": "2024-02-28", "later": "2024-03-01"}, "2 days"),
        (
            "days_between",
            {"earlier": "2024-02-28", "later": "2024-03-01", "count_both_ends": True},
            "3 days",
        ),
        ("weekday_of", {"date": "2027-01-01"}, "Friday, week 53"),
        (
            "shift_clock",
            {"moment": "2025-12-31 23:30", "from_offset": "-03:30", "to_offset": "+05:45"},
            "2026-01-01 08:45",
        ),
        ("do_arithmetic", {"left": 7, "operation": "divide", "right": 4}, "1.75"),
        ("do_arithmetic", {"left": 2, "operation": "power", "right": 10}, "1024"),
        ("percent_of", {"amount": 80, "percent": 15}, "12"),
        ("percent_of", {"amount": 80, "percent": 15, "change": "take_off"}, "68"),
        ("round_number", {"number": 0.29, "step": 0.01, "direction": "down"}, "0.29"),
        ("round_number", {"number": -2.5, "direction": "up"}, "-2"),
        ("round_number", {"number": 1234, "step": 50}, "1250"),
        ("list_statistic", {"numbers": [4, 1, 3], "measure": "median"}, "3"),
        ("split_bill", {"total": 100, "people": 3}, "33.34 each"),
        ("split_bill", {"total": 50, "people": 4, "tip_percent": 10}, "13.75 each"),
        ("change_base", {"digits": "255"}, "ff"),
        ("change_base", {"digits": "-FF", "from_base": 16, "to_base": 2}, "-11111111"),
        ("recall_result", {"name": "freight"}, "12.5 kg (freight)"),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    session = ConvertSession(STATE)
    assert session.call(tool, arguments) == (text, False)
    assert session.snapshot() == ConvertSession(STATE).snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        (
            "convert_units",
            {"value": 1, "from_unit": "kg", "to_unit": "mi"},
            "kg is a unit of mass but mi is a unit of length",
        ),
        (
            "convert_temperature",
            {"degrees": -1, "from_scale": "kelvin", "to_scale": "celsius"},
            "`degrees` is below absolute zero",
        ),
        ("add_days", {"start": "2025-02-29", "days": 1}, "not a date (YYYY-MM-DD): 2025-02-29"),
        ("add_days", {"start": "9999-12-31", "days": 1}, "a number is too large"),
        (
            "days_between",
            {"earlier": "2025-01-02", "later": "2025-01-01"},
            "`later` (2025-01-01) lies before `earlier` (2025-01-02)",
        ),
        (
            "shift_clock",
            {"moment": "2025-01-01 24:00", "from_offset": "+00:00"},
            "not a moment (YYYY-MM-DD HH:MM): 2025-01-01 24:00",
        ),
        (
            "shift_clock",
            {"moment": "2025-01-01 12:00", "from_offset": "+15:00"},
            "no clock is set to UTC+15:00",
        ),
        (
            "do_arithmetic",
            {"left": 1, "operation": "divide", "right": 0},
            "cannot divide by zero: `right` is 0",
        ),
        (
            "do_arithmetic",
            {"left": -8, "operation": "power", "right": 0.5},
            "a negative number has no such power",
        ),
        (
            "do_arithmetic",
            {"left": 10**9, "operation": "power", "right": 10**9},
            "a number is too large",
        ),
        ("round_number", {"number": 1, "step": 0}, "`step` must be greater than 0"),
        ("split_bill", {"total": -1, "people": 2}, "`total` must not be negative"),
        (
            "change_base",
            {"digits": "12", "from_base": 2},
            "`digits` is no whole number in base 2: 12",
        ),
        (
            "store_result",
            {"name": "freight", "value": 1},
            "freight is taken: 12.5 kg (freight) (`replace` is false)",
        ),
        ("store_result", {"name": " ", "value": 1}, "`name` must not be empty"),
        ("recall_result", {"name": "roof"}, "nothing is kept as roof; there is freight"),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    session = ConvertSession(STATE)
    assert session.call(tool, arguments) == (f"ERROR: {error}", True)
    assert session.snapshot() == ConvertSession(STATE).snapshot()


def test_snapshots_are_equal_iff_the_same_is_kept() -> None:
    def after(*kept: tuple[str, float]) -> dict[str, Any]:
        session = ConvertSession({})
        for name, number in kept:
            assert not session.call("store_result", {"name": name, "value": number}).error
        return session.snapshot()

    assert after(("a", 1), ("b", 2.5)) == after(("b", 2.5), ("a", 1.0))
    assert after(("a", 19.31208)) == after(("a", 19.3121))
    assert after(("a", 1)) != after(("a", 1.001))
    assert after(("a", 1)) != after(("b", 1))


@given(
    amount=st.floats(0.01, 1e6),
    units=st.sampled_from(sorted(DIMENSIONS)).flatmap(
        lambda kind: st.tuples(*[st.sampled_from(sorted(DIMENSIONS[kind]))] * 2)
    ),
)
def test_there_and_back_again(amount: float, units: tuple[str, str]) -> None:
    there = converted(amount, units[0], units[1])
    assert converted(there, units[1], units[0]) == pytest.approx(amount)


@given(number=st.integers(-(10**12), 10**12), base=st.integers(2, 36))
def test_digits_are_read_back(number: int, base: int) -> None:
    assert int(in_base(number, base), base) == number


@given(day=st.dates(date(2000, 1, 1), date(2030, 1, 1)), count=st.integers(-60, 60))
def test_working_days_are_those_that_a_calendar_counts(day: date, count: int) -> None:
    step = 1 if count > 0 else -1
    at, left = day, abs(count)
    while left:
        at += timedelta(days=step)
        left -= at.weekday() < 5
    assert working_day(day, count) == at


@settings(max_examples=300, deadline=None)
@given(calls=calls_of(WORLD, ["freight", "2024-02-30", "2024-05-01"]))
def test_any_valid_call_gets_an_answer(calls: list[Call]) -> None:
    assert_answers_all(WORLD, STATE, calls)


def test_degrees_are_refused_only_where_no_tool_could_work_them_out() -> None:
    """Celsius is a formula: who may calculate can convert."""
    template = next(t for t in WORLD.book.templates if t.name == "no_thermometer")
    withheld = template.draft(random.Random(1)).without
    assert {"convert_temperature", "do_arithmetic"} <= set(withheld)
