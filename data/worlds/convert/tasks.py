"""Prompts of the `convert` world that one call answers."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, Make
from tooldrill.data.worlds.convert.session import ConvertSession
from tooldrill.data.worlds.convert.units import DIGITS, DIMENSIONS, SPOKEN_UNITS, in_base
from tooldrill.data.worlds.trail import Trail

BOOK = Book(
    asides=(
        "My calculator's battery died this morning.",
        "I never liked imperial units, but our American partners do.",
        "Homework with the kids, so bear with me.",
        "I did this in a spreadsheet first and do not trust it.",
        "The recipe is my grandmother's and the handwriting is awful.",
        "Sorry for asking so late.",
        "This is for that form again, the one nobody understands.",
    )
)

SCALES = {
    "celsius": ("Celsius", "degrees Celsius", "°C"),
    "fahrenheit": ("Fahrenheit", "degrees Fahrenheit", "°F"),
    "kelvin": ("kelvin", "K on the absolute scale"),
}
_BASES = {"binary": 2, "octal": 8, "hexadecimal": 16, "base 36": 36, "base 5": 5, "base 12": 12}


def unspoiled(make: Make) -> Make:
    """Draws again while the prompt itself says what the conclusion must contain."""

    @functools.wraps(make)
    def drawn(draw: Draw) -> Draft:
        while True:
            draft = make(draw)
            prompt, wanted = draft.prompt.casefold(), draft.answer_contains
            if not wanted or not all(item.casefold() in prompt for item in wanted):
                return draft

    return drawn


def quantity(draw: Draw) -> int | float:
    """An amount such as somebody measures: whole, with decimals, or ending in a half."""
    makers: tuple[Callable[[], float], ...] = (
        lambda: draw.number(2, 95),
        lambda: draw.number(100, 9800),
        lambda: draw.number(2, 40) + 0.5,
        lambda: draw.number(11, 9999) / 10,
        lambda: draw.number(101, 99999) / 100,
    )
    value = draw.pick(makers)()
    return int(value) if value == int(value) else value


def some_units(draw: Draw) -> tuple[str, str]:
    """Two units of one dimension."""
    source, target = draw.sample(list(DIMENSIONS[draw.pick(list(DIMENSIONS))]), 2)
    return source, target


def say_unit(draw: Draw, unit: str) -> str:
    return draw.pick(SPOKEN_UNITS[unit])


def register(draw: Draw, count: int) -> dict[str, Any]:
    """A state with some numbers kept."""
    names = draw.several(lambda: register_name(draw), count)
    return {"register": {name: {"value": quantity(draw), "unit": ""} for name in names}}


def register_name(draw: Draw) -> str:
    """A name such as `freight_Okafor` or `roof area`."""
    made: tuple[Callable[[], str], ...] = (
        draw.product_code,
        lambda: f"{draw.topic()}_{draw.brand()}",
        lambda: f"{draw.word()} {draw.pick(('area', 'total', 'length', 'weight', 'share'))}",
        lambda: f"{draw.pick(('q', 'lot', 'leg', 'run'))}{draw.number(1, 99)}-{draw.word()}",
        lambda: f"{draw.word()}.{draw.word()}.{draw.number(2, 40)}",
    )
    return draw.pick(made)()


def first_part(text: str) -> str:
    """The figure that an observation opens with."""
    return text.split(maxsplit=1)[0]


@BOOK.act(
    "{amount} {source} in {target}?",
    "The drawing says {amount} {source}. Our people think in {target}, what do I tell them?",
    "How much is {amount} {source} when measured in {target}, please?",
    "I need {amount} {source} expressed as {target}",
    "A supplier quotes {amount} {source}; could you turn that into {target} for the order form?",
    "{source} to {target}: {amount}",
)
@unspoiled
def other_unit(draw: Draw) -> Draft:
    (source, target), amount, state = some_units(draw), quantity(draw), register(draw, 1)
    trail = Trail(ConvertSession, state)
    text = trail.do("convert_units", value=amount, from_unit=source, to_unit=target)
    figure, said = first_part(text), say_unit(draw, target)
    spoken = draw.spoken_number(amount)
    prompt = draw.say(amount=spoken, source=say_unit(draw, source), target=said)
    answer = f"That is {figure} {said}."
    needs = ("convert_temperature",)
    return Draft(prompt, state, trail.calls, answer, (figure,), needs)


@BOOK.act(
    "The oven manual says {degrees} {source}. What is that in {target}?",
    "{degrees} {source} -> {target}",
    "It was {degrees} {source} in {city} yesterday. I only know {target}, so how warm was it?",
    "Could you give me {degrees} {source} on the other scale, in {target}?",
    "Sample no. {lot} is kept at {degrees} {source}; the label must state {target}.",
)
@unspoiled
def other_scale(draw: Draw) -> Draft:
    source, target = draw.sample(list(SCALES), 2)
    degrees = draw.number(200, 420) if source == "kelvin" else draw.number(-20, 450)
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    text = trail.do("convert_temperature", degrees=degrees, from_scale=source, to_scale=target)
    prompt = draw.say(
        degrees=degrees,
        source=draw.pick(SCALES[source]),
        target=SCALES[target][0],
        city=draw.city(),
        lot=draw.number(500, 999),
    )
    answer = f"That is {text.replace(target, SCALES[target][0])}."
    return Draft(prompt, state, trail.calls, answer, (first_part(text),), ("convert_units",))


@BOOK.act(
    "What is {percent}% of {amount}?",
    "{name} gets {percent} percent of {amount} dollars. How much is that?",
    "Commission: {percent} per cent on {amount}. The figure, please.",
    "share of {percent} % in {amount}",
)
@unspoiled
def share(draw: Draw) -> Draft:
    return _percentage(draw, {})


@BOOK.act(
    "{amount} dollars with {percent}% tax on top, what do I pay?",
    "Rents rise by {percent} percent and mine is {amount} now. What will it be?",
    "Price before tax {amount}, tax {percent} per cent. Final price?",
    "Please mark {amount} up by {percent}%.",
)
@unspoiled
def marked_up(draw: Draw) -> Draft:
    return _percentage(draw, {"change": "add"})


@BOOK.act(
    "The {thing} costs {amount} and is {percent}% off today. What is left to pay?",
    "{amount} less a discount of {percent} percent",
    "They knock {percent} per cent off {amount} dollars for {name}. The new price?",
    "If {amount} shrinks by {percent}%, what remains?",
)
@unspoiled
def marked_down(draw: Draw) -> Draft:
    return _percentage(draw, {"change": "take_off"})


def _percentage(draw: Draw, extra: dict[str, Any]) -> Draft:
    amount, percent = quantity(draw), draw.pick((draw.number(2, 60), draw.number(3, 39) + 0.5))
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    found = trail.do("percent_of", amount=amount, percent=percent, **extra)
    prompt = draw.say(amount=amount, percent=percent, name=draw.first_name(), thing=draw.product())
    return Draft(prompt, state, trail.calls, f"That is {found}.", (found,), ("do_arithmetic",))


_STEPS = {
    "cents": 0.01, "tenths": 0.1, "fives": 5, "tens": 10, "quarters": 0.25, "hundreds": 100,
    "dozens": 12, "halves": 0.5,
}  # fmt: skip


@BOOK.act(
    "Round {number} to {steps}.",
    "{number} looks silly on an invoice, make it full {steps} ({way}).",
    "Only {steps} fit into the field, and I have {number}. {way}, please.",
    "{number}, {way} to {steps}",
)
@unspoiled
def tidy_number(draw: Draw) -> Draft:
    name = draw.pick(list(_STEPS))
    number = draw.number(1000, 999999) / draw.pick((7, 9, 11, 13, 1000))
    number = round(number, 3)
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    direction = draw.pick(("up", "down", "nearest"))
    ways = {"up": "rounded up", "down": "rounded down", "nearest": "to the nearest"}
    prompt = draw.say(number=number, steps=name, way=ways[direction])
    # One wording leaves the way open: it is then the nearest.
    extra = {} if direction == "nearest" or ways[direction] not in prompt else {
        "direction": direction
    }  # fmt: skip
    found = trail.do("round_number", number=number, step=_STEPS[name], **extra)
    return Draft(prompt, state, trail.calls, f"That makes {found}.", (found,))


_MEASURES = {
    "mean": ("average", "mean"),
    "median": ("median", "middle value"),
    "sum": ("total", "sum"),
    "range": ("spread from lowest to highest", "range"),
}


@BOOK.act(
    "What is the {measure} of {numbers}?",
    "The sensor gave {numbers}. I need the {measure}.",
    "{measure}: {numbers}",
    "{name} ran these times: {numbers}. Please tell me the {measure} of them.",
    "From the readings ({numbers}) the report wants just the {measure}, nothing else.",
)
@unspoiled
def one_figure(draw: Draw) -> Draft:
    numbers = draw.several(lambda: quantity(draw), draw.number(3, 9))
    measure, state = draw.pick(list(_MEASURES)), register(draw, 1)
    extra = {} if measure == "mean" else {"measure": measure}
    trail = Trail(ConvertSession, state)
    found = trail.do("list_statistic", numbers=numbers, **extra)
    said = draw.pick(_MEASURES[measure])
    listed = draw.pick((", ", "; ", " / ", " and ")).join(str(n) for n in numbers)
    prompt = draw.say(measure=said, numbers=listed, name=draw.first_name())
    return Draft(prompt, state, trail.calls, f"The {said} is {found}.", (found,))


@BOOK.act(
    "Dinner was {total} and there are {people} of us. What does each owe?",
    "{people} people share a bill of {total} dollars",
    "We owe {name} {total} for the boat, split {people} ways. Amount per head?",
    "Please divide {total} fairly between {people} flatmates.",
)
@unspoiled
def each_pays(draw: Draw) -> Draft:
    return _bill(draw, None)


@BOOK.act(
    "Dinner was {total}, we want to leave {tip}% for the waiter, and we are {people}. Each?",
    "{total} plus a tip of {tip} percent over {people} guests, how much apiece?",
    "{name} paid {total}; add {tip} per cent tip and split it among {people}.",
    "bill {total}, service {tip}%, table of {people}: what is one share?",
)
@unspoiled
def each_pays_with_tip(draw: Draw) -> Draft:
    return _bill(draw, draw.number(5, 25))


def _bill(draw: Draw, tip: int | None) -> Draft:
    total, people = draw.number(2000, 99000) / 100, draw.number(3, 24)
    total = int(total) if total.is_integer() else total
    extra = {} if tip is None else {"tip_percent": tip}
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    found = first_part(trail.do("split_bill", total=total, people=people, **extra))
    prompt = draw.say(
        total=total, tip=tip, people=draw.spoken_number(people), name=draw.first_name()
    )
    answer = f"Everyone pays {found}."
    return Draft(prompt, state, trail.calls, answer, (found,), ("do_arithmetic", "percent_of"))


@BOOK.act(
    "Write {digits} (that is {source}) in {target}.",
    "{digits} is {source}. What is it in {target}?",
    "{source} {digits} as {target}",
    "The badge reader prints {digits} in {source}; the list has {target} numbers. Which one is it?",
)
@unspoiled
def other_base(draw: Draw) -> Draft:
    bases = {**_BASES, "decimal": 10}
    source, target = draw.sample(list(bases), 2)
    digits = in_base(draw.number(40, 400_000), bases[source])
    if draw.chance(0.4):
        digits = digits.upper()
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    options = {"from_base": (bases[source], 10), "to_base": (bases[target], 16)}
    given = {name: base for name, (base, usual) in options.items() if base != usual}
    found = trail.do("change_base", digits=digits, **given)
    assert set(found) <= set(DIGITS)
    prompt = draw.say(digits=digits, source=source, target=target)
    return Draft(prompt, state, trail.calls, f"In {target} it is {found}.", (found,))
