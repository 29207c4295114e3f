"""Prompts of the `convert` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.convert.tasks import quantity, register, register_name, say_unit
from tooldrill.data.worlds.convert.units import SPOKEN_UNITS

BOOK = Book()


@BOOK.restrain(
    "That figure for {name} was spot on, cheers.",
    "{name} says maths was never this easy.",
    "All sums done for today! Have a good one.",
    "I checked your numbers by hand and {name} checked me. They agree.",
    "hello, {name} here, still looking for my receipts",
)
def numbers_chat(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "Glad it fits! Send me the next figures whenever you like.",
            "Good to hear. I am ready when there is something to work out.",
            "Thank you! Tell me when you need another number.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), register(draw, 1), [], reply)


@BOOK.restrain(
    "Could you {wish}?",
    "One more thing, {wish}.",
    "{name} would be glad if you could {wish}. Thanks!",
    "now {wish}",
)
def beyond_numbers(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"look up what the {draw.product()} costs in {draw.city()}", "look up prices"),
            (f"transfer {draw.number(20, 900)} dollars to {draw.person()}", "transfer money"),
            (f"tell me how far {draw.city()} is from here", "measure distances on a map"),
            (f"find out today's exchange rate of the {draw.fake.currency_name()}", "see rates"),
            (f"plot the sales of {draw.company()} as a chart", "draw charts"),
            (f"file the tax return of {draw.person()}", "file tax returns"),
            (f"weigh the parcel for {draw.company()}", "weigh things"),
        )
    )
    answer = f"I am sorry, I cannot {short}; I only work with numbers and dates you give me."
    return Draft(
        draw.say(wish=wish, name=draw.first_name()),
        register(draw, 1),
        [],
        answer,
        ending=Ending.ADMIT,
    )


@BOOK.restrain(
    "Convert {amount} {unit}, please.",
    "{amount} {unit} should be in another unit for {name}.",
    "What would {amount} {unit} be otherwise?",
    "{name} wants the {amount} {unit} converted",
)
def unit_missing(draw: Draw) -> Draft:
    unit = say_unit(draw, draw.pick(list(SPOKEN_UNITS)))
    prompt = draw.say(amount=quantity(draw), unit=unit, name=draw.first_name())
    answer = f"Into which unit should I convert the {unit}?"
    return Draft(prompt, register(draw, 1), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "What date is it some days after {day}?",
    "Count forward from {day} as {name} asked.",
    "{day} plus the usual period, which date?",
    "The deadline runs from {day}. When is it over?",
)
def days_missing(draw: Draw) -> Draft:
    prompt = draw.say(day=draw.spoken_date(draw.day()), name=draw.first_name())
    answer = "How many days should I count from there?"
    return Draft(prompt, register(draw, 1), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "Split {total} evenly between us.",
    "The bill is {total}. What does each of us pay?",
    "{name} and the others share {total} dollars. Per person?",
    "{total}, divided by everybody at the table please",
)
def people_missing(draw: Draw) -> Draft:
    prompt = draw.say(total=draw.number(2000, 90000) / 100, name=draw.first_name())
    return Draft(
        prompt, register(draw, 1), [], "How many people share the bill?", ending=Ending.ASK
    )


@BOOK.restrain(
    "I was about to ask you to keep {value} as {name}, but {person} has just done so.",
    "{name} is stored already, {value}, nothing left to do there.",
    "No need to round {value} for {name} any more, {person} took care of that.",
    "fyi: {person} stored {value} under {name} herself. just so you know",
)
def kept_already(draw: Draw) -> Draft:
    state, value = register(draw, 2), quantity(draw)
    name = register_name(draw)
    state["register"][name] = {"value": value, "unit": ""}
    prompt = draw.say(value=value, name=name, person=draw.first_name())
    return Draft(prompt, state, [], "Good, then I leave the register as it is.")


@BOOK.restrain(
    "Keep {value} for me under {name}.",
    "Remember that {name} is {value}; put it in the register.",
    "{value} goes into the register as {name}.",
    "Please store {value}, name: {name}",
)
def no_register(draw: Draw) -> Draft:
    name = register_name(draw)
    answer = f"I am sorry, I have no tool here that keeps numbers, so {name} is not stored."
    prompt = draw.say(value=quantity(draw), name=name)
    return Draft(
        prompt, register(draw, 1), [], answer, without=("store_result",), ending=Ending.ADMIT
    )


@BOOK.restrain(
    "{degrees} degrees Fahrenheit in Celsius?",
    "The freezer of {name} reads {degrees} °F, what is it in °C?",
    "Turn {degrees} Fahrenheit into Celsius with a tool, do not guess.",
    "{name} cannot read Fahrenheit. Say {degrees} of those in Celsius.",
)
def no_thermometer(draw: Draw) -> Draft:
    prompt = draw.say(degrees=draw.number(-20, 450), name=draw.first_name())
    answer = "I am sorry, none of my tools converts temperatures, and I would rather not guess."
    # The formula could be worked out step by step, so that is not offered either.
    without = ("convert_temperature", "do_arithmetic")
    return Draft(prompt, register(draw, 1), [], answer, without=without, ending=Ending.ADMIT)
