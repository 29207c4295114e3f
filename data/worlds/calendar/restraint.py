"""Prompts of the `calendar` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw, number_word
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.calendar.tasks import agenda, some_day

BOOK = Book()


@BOOK.restrain(
    "What a lovely week that was!",
    "{name} and I had a great time at lunch.",
    "I am back from my holidays. Did you miss me?",
    "You keep my days in order, I appreciate it.",
)
def small_joys(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "That is nice to hear! Tell me when something is to be planned.",
            "Lovely! I am here whenever you want to plan something.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), agenda(draw, some_day(draw), []), [], reply)


@BOOK.restrain(
    "How many minutes are {hours} hours? I only want the number.",
    "Tell me, {hours} hours make how many minutes?",
)
def minutes_in_hours(draw: Draw) -> Draft:
    hours = draw.number(2, 9)
    state = agenda(draw, some_day(draw), [])
    answer = f"That is {hours * 60} minutes."
    return Draft(draw.say(hours=number_word(hours)), state, [], answer, (str(hours * 60),))


@BOOK.restrain(
    "Would you {wish} for me?",
    "My wish for today: {wish}.",
    "Go ahead and {wish}.",
)
def beyond_calendar(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"buy two train tickets to {draw.city()}", "buy tickets"),
            (f"bake a cake for {draw.first_name()}", "bake"),
            (f"drive {draw.person()} to the airport", "drive"),
            (f"write the minutes of the talk with {draw.company()}", "write minutes"),
            (f"reserve a hotel room in {draw.city()}", "reserve rooms"),
        )
    )
    answer = f"I would like to help, but I cannot {short} with the tools I have."
    return Draft(
        draw.say(wish=wish), agenda(draw, some_day(draw), []), [], answer, ending=Ending.ADMIT
    )


@BOOK.restrain(
    "Cross event {number} out, I am not going.",
    "Event {number} is off, so take it away.",
)
def no_cancelling(draw: Draw) -> Draft:
    state = agenda(draw, some_day(draw), [10])
    number = state["events"][0]["id"]
    answer = f"I would like to, but I have no tool that cancels event {number}."
    return Draft(
        draw.say(number=number), state, [], answer, without=("cancel_event",), ending=Ending.ADMIT
    )
