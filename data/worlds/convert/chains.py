"""Prompts of the `convert` world that take several calls, later ones fed by earlier results."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

import re

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.convert.session import ConvertSession
from tooldrill.data.worlds.convert.tasks import (
    first_part,
    quantity,
    register,
    register_name,
    say_unit,
    some_units,
    unspoiled,
)
from tooldrill.data.worlds.trail import Trail, as_number

BOOK = Book()


def counted(draw: Draw) -> str:
    """What a number may count: `hours`, `guests`, or some thing such as `ladders`."""
    thing = draw.product().split()[-1]
    plural = thing if thing.endswith("s") else re.sub(r"(?<=ch|sh|ox)$", "e", thing) + "s"
    plural = re.sub(r"lfs$", "lves", re.sub(r"(?<=[^aeiou])ys$", "ies", plural))
    return draw.pick((plural, plural, "dollars", "hours", "guests", "pages", "points"))


@BOOK.act(
    "Keep {value} as '{name}'.",
    "I will need {value} again later. Put it into the register under {name}.",
    "{name} = {value}, hold on to that please",
    "Make a note of the figure {value}; call it {name}.",
)
def keep_figure(draw: Draw) -> Draft:
    state, name, value = register(draw, 1), register_name(draw), quantity(draw)
    trail = Trail(ConvertSession, state)
    trail.do("store_result", name=name, value=value)
    prompt = draw.say(name=name, value=value)
    return Draft(prompt, state, trail.calls, f"Done: {name} is kept.", (), ("recall_result",))


@BOOK.act(
    "What did I keep under '{name}'?",
    "There should be a figure called {name}. Tell me what it is.",
    "{name}?? I forgot the number.",
    "Read me back {name} from the register, if you would.",
)
@unspoiled
def kept_figure(draw: Draw) -> Draft:
    state = register(draw, 3)
    name = draw.pick(list(state["register"]))
    trail = Trail(ConvertSession, state)
    found = first_part(trail.do("recall_result", name=name))
    answer = f"{name} is {found}."
    return Draft(draw.say(name=name), state, trail.calls, answer, (found,), ("store_result",))


@BOOK.act(
    "'{name}' is outdated: it should say {value} {unit} now, so overwrite it.",
    "New figure for {name}: {value} {unit}. The old one can go.",
    "Correct what is kept as {name} to {value} {unit}; replace what is there.",
    "{name} was measured again, {value} {unit}. Forget the previous number.",
)
def corrected_figure(draw: Draw) -> Draft:
    state = register(draw, 2)
    name, value = draw.pick(list(state["register"])), draw.number(2000, 99000) / 8
    unit = counted(draw)
    value = int(value) if value.is_integer() else value
    trail = Trail(ConvertSession, state)
    trail.do("store_result", name=name, value=value, unit=unit, replace=True)
    prompt = draw.say(name=name, value=value, unit=unit)
    return Draft(prompt, state, trail.calls, f"Done: {name} is {value} {unit}.")


@BOOK.act(
    "Convert {amount} {source} to {target} and keep it as '{name}'.",
    "{name} should hold {amount} {source}, but in {target}.",
    "Measured {amount} {source}. Our register is in {target}: enter it there as {name}, please.",
    "{amount} {source} -> {target}, then remember the figure under {name}",
)
def convert_and_keep(draw: Draw) -> Draft:
    (source, target), amount = some_units(draw), quantity(draw)
    state, name = register(draw, 1), register_name(draw)
    trail = Trail(ConvertSession, state)
    figure = trail.number("convert_units", value=amount, from_unit=source, to_unit=target)
    trail.do("store_result", name=name, value=figure)
    spoken = draw.spoken_number(amount)
    prompt = draw.say(
        amount=spoken, source=say_unit(draw, source), target=say_unit(draw, target), name=name
    )
    answer = f"Done: {name} is {figure} {target}."
    return Draft(prompt, state, trail.calls, answer, (), ("convert_temperature",))


@BOOK.act(
    "Take what is kept as '{name}', raise it by {percent} percent, round it {way} to full "
    "{step}s and keep that as '{other}'.",
    "{other} is {name} plus {percent}%, rounded {way} to the next {step}; {name} is kept already.",
    "The register has {name}. Add {percent} per cent, go {way} to a multiple of {step}, store it "
    "as {other}.",
    "hi, quick one: {name} is kept, right? {percent}% on top of it, then {way} to a "
    "multiple of {step}, and save the outcome under {other}",
)
def grow_and_round(draw: Draw) -> Draft:
    state, other = register(draw, 3), register_name(draw)
    name = draw.pick(list(state["register"]))
    percent, step = draw.number(3, 45), draw.pick((5, 10, 20, 50))
    way = draw.pick(("up", "down"))
    trail = Trail(ConvertSession, state)
    value = trail.number("recall_result", name=name)
    raised = trail.number("percent_of", amount=value, percent=percent, change="add")
    rounded = trail.number("round_number", number=raised, step=step, direction=way)
    trail.do("store_result", name=other, value=rounded)
    prompt = draw.say(name=name, other=other, percent=percent, step=step, way=way)
    answer = f"Done: {other} is {rounded}."
    return Draft(prompt, state, trail.calls, answer, (), ("do_arithmetic",))


@BOOK.act(
    "Our trip has three legs: {first} miles, {second} miles and {third} miles. Convert each to "
    "kilometres, add them up and keep the total as '{name}'.",
    "I rode {first}, then {second}, then {third} miles. How far is that in km altogether, every "
    "leg converted on its own? Store the total as {name}.",
    "legs in miles: {first} / {second} / {third}. Each one in km, then the total into {name}",
    "Three stages, {first}, {second} and {third} miles. The French organisers want "
    "kilometres for every stage and their sum; the sum gets kept as '{name}', please.",
)
@unspoiled
def three_legs(draw: Draw) -> Draft:
    state, name = register(draw, 1), register_name(draw)
    legs = draw.several(lambda: draw.number(11, 990) / 10, 3)
    trail = Trail(ConvertSession, state)
    each = [
        trail.number("convert_units", value=as_number(str(leg)), from_unit="mi", to_unit="km")
        for leg in legs
    ]
    total = trail.number("list_statistic", numbers=each, measure="sum")
    trail.do("store_result", name=name, value=total)
    said = [as_number(str(leg)) for leg in legs]
    prompt = draw.say(first=said[0], second=said[1], third=said[2], name=name)
    return Draft(prompt, state, trail.calls, f"The legs make {total} km.", (str(total),))


@BOOK.act(
    "The caterer asks {price}. Take off our {off} percent discount, then put {tax} percent tax "
    "on the rest and split it over {people} people. What does each pay?",
    "{price} minus {off}%, and on that {tax}% tax; {people} of us share it. One share is?",
    "Bill of {price}: first the rebate of {off} per cent, after that {tax} per cent tax, in the "
    "end {people} equal parts. How big is a part?",
    "{people} of us order together. List price {price}, we get {off}% off, the state "
    "takes {tax}% of what is left on top. What is my share?",
)
@unspoiled
def discount_tax_split(draw: Draw) -> Draft:
    state, price = register(draw, 1), draw.number(12000, 990000) / 100
    price = int(price) if price.is_integer() else price
    off, tax, people = draw.number(2, 25), draw.number(5, 24), draw.number(3, 19)
    trail = Trail(ConvertSession, state)
    less = trail.number("percent_of", amount=price, percent=off, change="take_off")
    gross = trail.number("percent_of", amount=less, percent=tax, change="add")
    each = first_part(trail.do("split_bill", total=gross, people=people))
    prompt = draw.say(price=price, off=off, tax=tax, people=draw.spoken_number(people))
    return Draft(prompt, state, trail.calls, f"Each pays {each}.", (each,), ("do_arithmetic",))


@BOOK.act(
    "The project ran from {first} to {second}. If the next one takes as many days and begins on "
    "{third}, on which date and weekday does it end?",
    "Phase one: {first} until {second}. Phase two is just as long, in days, and starts {third}. "
    "Tell me the end date with its weekday.",
    "Count the days between {first} and {second}, go that far from {third}, and name the day of "
    "the week you land on.",
    "{first} to {second} was how long the last survey took. We repeat it from {third} on, "
    "same number of days. When are we through, and what day of the week is that?",
)
@unspoiled
def same_length_again(draw: Draw) -> Draft:
    first, second, third = sorted(draw.several(lambda: draw.day(2022, 2027), 3))
    state = register(draw, 1)
    trail = Trail(ConvertSession, state)
    span = int(trail.number("days_between", earlier=str(first), later=str(second)))
    end = trail.do("add_days", start=str(third), days=span)
    weekday = trail.do("weekday_of", date=end).split(",")[0]
    days = [draw.spoken_date(day) for day in (first, second, third)]
    prompt = draw.say(first=days[0], second=days[1], third=days[2])
    return Draft(prompt, state, trail.calls, f"It ends on {weekday}, {end}.", (weekday, end))


@BOOK.act(
    "Add up what is kept as '{a}', '{b}' and '{c}', round the sum {way} to full tens, and keep it "
    "as '{name}' in {unit}.",
    "{name} = {a} + {b} + {c}, all from the register, brought {way} to a multiple of ten; "
    "its unit is {unit}.",
    "In the register there are {a}, {b} and {c}. Their total, {way} to the next ten, goes back "
    "in under {name} ({unit}).",
    "please total {a}, {b}, {c} (they are kept already), bring it {way} to whole tens, "
    "then save it: name {name}, unit {unit}",
)
def sum_of_kept(draw: Draw) -> Draft:
    state, name = register(draw, 5), register_name(draw)
    wanted = draw.sample(list(state["register"]), 3)
    unit, way = counted(draw), draw.pick(("up", "down"))
    trail = Trail(ConvertSession, state)
    values = [trail.number("recall_result", name=each) for each in wanted]
    total = trail.number("list_statistic", numbers=values, measure="sum")
    rounded = trail.number("round_number", number=total, step=10, direction=way)
    trail.do("store_result", name=name, value=rounded, unit=unit)
    prompt = draw.say(a=wanted[0], b=wanted[1], c=wanted[2], name=name, unit=unit, way=way)
    return Draft(prompt, state, trail.calls, f"Done: {name} is {rounded} {unit}.")


@BOOK.act(
    "The counter shows {first} and {second}, both hexadecimal. Put the decimal difference, first "
    "minus second, into the register as '{name}'.",
    "Hex {first} less hex {second}: work it out in decimal, keep it as {name}.",
    "Two addresses in base 16, {first} and {second}. How far apart in decimal (the first is the "
    "bigger one)? File the distance under {name}.",
    "{first} minus {second}, those are hex. My notes are in decimal, so keep the decimal "
    "difference as {name}.",
)
def hex_difference(draw: Draw) -> Draft:
    state, name = register(draw, 1), register_name(draw)
    small, large = sorted(draw.numbers(300, 1_000_000, 2))
    trail = Trail(ConvertSession, state)
    hexes = [f"{large:x}", f"{small:x}"]
    left, right = (
        trail.number("change_base", digits=text, from_base=16, to_base=10) for text in hexes
    )
    found = trail.number("do_arithmetic", left=left, operation="subtract", right=right)
    trail.do("store_result", name=name, value=found)
    prompt = draw.say(first=hexes[0], second=hexes[1], name=name)
    return Draft(prompt, state, trail.calls, f"Done: {name} is {found}.")


@BOOK.act(
    "Which is the {which} of '{a}', '{b}' and '{c}'? They are all in the register, in {source}. "
    "I want it in {target}, and {times} times as much of it.",
    "Look up {a}, {b} and {c}, pick the {which}, multiply it by {times} and convert from {source} "
    "to {target}.",
    "From the register take {a}, {b} and {c}. I order {times} times the {which} one; the "
    "figures are {source}, the shop sells by {target}. How much is it?",
    "{which} of {a}/{b}/{c}, times {times}, {source} into {target}",
)
@unspoiled
def extreme_of_kept(draw: Draw) -> Draft:
    state, (source, target) = register(draw, 4), some_units(draw)
    wanted, times = draw.sample(list(state["register"]), 3), draw.number(2, 12)
    which, measure = draw.pick((("largest", "max"), ("smallest", "min")))
    trail = Trail(ConvertSession, state)
    values = [trail.number("recall_result", name=each) for each in wanted]
    best = trail.number("list_statistic", numbers=values, measure=measure)
    more = trail.number("do_arithmetic", left=best, operation="multiply", right=times)
    text = trail.do("convert_units", value=more, from_unit=source, to_unit=target)
    prompt = draw.say(
        a=wanted[0],
        b=wanted[1],
        c=wanted[2],
        which=which,
        times=draw.spoken_number(times),
        source=say_unit(draw, source),
        target=say_unit(draw, target),
    )
    return Draft(prompt, state, trail.calls, f"That makes {text}.", (first_part(text),))
