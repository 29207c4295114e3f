"""Prompts of the `convert` world about days and clocks that one call answers."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.values.spoken import offset_forms, span_forms
from tooldrill.data.values.words import word_list
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.convert.session import ConvertSession
from tooldrill.data.worlds.convert.tasks import first_part, register, unspoiled
from tooldrill.data.worlds.trail import Trail

BOOK = Book()

_OFFSETS = word_list(
    "-10:00 -08:00 -07:00 -06:00 -05:00 -04:00 -03:30 -03:00 -01:00 +01:00 +02:00 +03:00 +03:30 "
    "+04:00 +04:30 +05:00 +05:30 +05:45 +06:30 +07:00 +08:00 +09:00 +09:30 +10:00 +12:00"
)


@BOOK.act(
    "Which date is {span} after {day}?",
    "The warranty starts on {day} and lasts {span}. When is the last day?",
    "{name} ordered on {day}; delivery takes {span}, weekends included. What date do I promise?",
    "{day} plus {span}",
    "We signed on {day}. Counting {span} from there, where do we end up?",
)
@unspoiled
def later_date(draw: Draw) -> Draft:
    return _counted(draw, draw.pick((14, 21, 28, 42, 30, 45, 90, draw.number(8, 200))), {})


@BOOK.act(
    "{span} before {day}, what date was that?",
    "They must be told {span} ahead of {day}. Which day is the latest?",
    "Go back {span} from {day} for me, please.",
    "Notice period: {span} before {day}. So by when does {name} have to hand it in?",
)
@unspoiled
def earlier_date(draw: Draw) -> Draft:
    return _counted(draw, -draw.pick((14, 21, 28, 56, 30, 45, 90, draw.number(8, 120))), {})


@BOOK.act(
    "Not counting weekends, which date is {span} after {day}?",
    "The office promised an answer within {span} of {day}, Saturdays and Sundays do not count.",
    "{name} gets {span} from {day}, business days only. Until when is that?",
    "Bank transfer sent on {day}, takes {span} when the bank works Monday to Friday. Arrival?",
)
@unspoiled
def working_deadline(draw: Draw) -> Draft:
    return _counted(draw, draw.number(3, 40), {"working_days_only": True})


def _counted(draw: Draw, days: int, extra: dict[str, Any]) -> Draft:
    start, state = draw.day(), register(draw, 1)
    trail = Trail(ConvertSession, state)
    found = trail.do("add_days", start=start.isoformat(), days=days, **extra)
    forms = span_forms(abs(days) * 86400, article=True)
    # "Two weeks of business days" would be ten.
    span = draw.pick(forms[:2] if extra else forms)
    prompt = draw.say(span=span, day=draw.spoken_date(start), name=draw.first_name())
    return Draft(prompt, state, trail.calls, f"That is {found}.", (found,), ("days_between",))


@BOOK.act(
    "How many days from {first} to {second}?",
    "{name} was away from {first} until {second}. Length of the absence in days?",
    "Between {first} and {second} there are how many days, please?",
    "Our lease began on {first}, and {second} is today. How many days has it been?",
)
@unspoiled
def days_apart(draw: Draw) -> Draft:
    return _apart(draw, {})


@BOOK.act(
    "The fair opens on {first} and closes on {second}, both days included. How many days is it?",
    "I was ill from {first} through {second}; the last day counts too. How many sick days?",
    "{first} to {second} with both ends counted, in days",
    "Holiday from {first} up to and including {second}. What number of days do I put in?",
)
@unspoiled
def days_inclusive(draw: Draw) -> Draft:
    return _apart(draw, {"count_both_ends": True})


def _apart(draw: Draw, extra: dict[str, Any]) -> Draft:
    first, second = sorted(draw.several(lambda: draw.day(2023, 2026), 2))
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    text = trail.do("days_between", earlier=str(first), later=str(second), **extra)
    prompt = draw.say(
        first=draw.spoken_date(first), second=draw.spoken_date(second), name=draw.first_name()
    )
    answer = f"It is {text}."
    return Draft(prompt, state, trail.calls, answer, (first_part(text),), ("add_days",))


@BOOK.act(
    "On what day of the week does {day} fall?",
    "{name} was born on {day}. Was that a Sunday or what?",
    "{day} - weekday?",
    "I wonder whether {day} is a working day at all. Which weekday is it?",
)
@unspoiled
def day_of_week(draw: Draw) -> Draft:
    day, state = draw.day(1950, 2040), register(draw, 1)
    trail = Trail(ConvertSession, state)
    name = trail.do("weekday_of", date=day.isoformat()).split(",")[0]
    prompt = draw.say(day=draw.spoken_date(day), name=draw.first_name())
    return Draft(prompt, state, trail.calls, f"{day} is a {name}.", (name,))


@BOOK.act(
    "The call is at {time} on {day} here ({here}). What time is that at {there}?",
    "{name} sits at {there}. We are at {here}, it is {time} on {day}. What does their clock say?",
    "{day}, {time}, {here} -> {there}",
    "When it strikes {time} on {day} at {here}, how late is it where the clocks are {there}?",
)
@unspoiled
def elsewhere(draw: Draw) -> Draft:
    here, there = draw.sample(_OFFSETS, 2)
    day, hour, minute = draw.day(), draw.number(0, 23), draw.pick((0, 10, 15, 30, 45, 50))
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    moment = f"{day} {hour:02}:{minute:02}"
    found = trail.do("shift_clock", moment=moment, from_offset=here, to_offset=there)
    prompt = draw.say(
        time=draw.spoken_time(hour, minute),
        day=draw.spoken_date(day),
        here=draw.pick(offset_forms(here)),
        there=draw.pick(offset_forms(there)),
        name=draw.first_name(),
    )
    return Draft(prompt, state, trail.calls, f"It is {found} there.", (found,))
