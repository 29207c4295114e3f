"""Prompts of the `kitchen` world that need several calls: one finds what the next one uses."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.kitchen.larder import Larder, food, foods
from tooldrill.data.worlds.kitchen.store import quantity

BOOK = Book(
    asides=(
        "The fridge makes funny noises again.",
        "I have flour all over the tablet.",
        "Dinner parties are hard work.",
    )
)


def _scaled(larder: Larder, dish: str, people: int) -> list[dict[str, Any]]:
    """The ingredients of a dish for so many people, as arguments of a call."""
    return [
        {**item, "amount": item["amount"] * people // 4}
        for item in larder.recipes[dish]["ingredients"]
    ]


@BOOK.act(
    "I want to make {dish} for {count}. Put all it takes on the shopping list.",
    "We have nothing at home for {dish}. List for the shop what {count} people need of it.",
    "{dish} x {count}: write down everything I must buy for that.",
    "Look up {dish}, calculate it for {count} eaters and let the shopping list have each "
    "ingredient.",
)
def shop_for(draw: Draw) -> Draft:
    larder = Larder(draw, 2)
    dish, count = larder.dish(foods(draw, draw.number(2, 3))), draw.pick((2, 6, 8, 10, 12))
    calls: list[OracleCall] = [("dish_card", {"dish": dish, "eaters": count})]
    calls += [("need_to_buy", item) for item in _scaled(larder, dish, count)]
    prompt = draw.say(dish=dish, count=draw.spoken_number(count))
    answer = f"Done: all that {dish} takes is on the list."
    return Draft(prompt, larder.state, calls, answer, needs=("stock_pantry",))


@BOOK.act(
    "We had {dish} tonight, {count} of us. Take what that used out of the pantry.",
    "{dish} for {count} has been cooked; the supplies should show it.",
    "Correct our stocks: I made {dish} for {count} people.",
    "cooked {dish} ({count} portions), please book the ingredients out",
)
def cooked_it(draw: Draw) -> Draft:
    larder = Larder(draw, 1)
    items, count = foods(draw, draw.number(2, 3)), draw.pick((2, 6, 8, 12))
    dish = larder.dish(items)
    used = _scaled(larder, dish, count)
    for item, need in zip(items, used, strict=True):
        larder.lot(item, draw.number(5, 99), amount=need["amount"] + draw.number(1, 90))
    calls: list[OracleCall] = [("dish_card", {"dish": dish, "eaters": count})]
    calls += [("take_from_pantry", need) for need in used]
    prompt = draw.say(dish=dish, count=draw.spoken_number(count))
    answer = f"Done: what {dish} used is out of the pantry."
    return Draft(prompt, larder.state, calls, answer)


@BOOK.act(
    "Something spoils by {first}. Find a dish that uses it up and plan it for dinner on {day}.",
    "See which food must be eaten by {first}, then choose a dish with it for the evening of {day}.",
    "I hate waste: whatever does not last beyond {first} should be in our dinner on {day}.",
)
def against_waste(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw, 2), foods(draw, 2)
    keeps = draw.number(4, 12)
    larder.lot(item, keeps)
    dish = larder.dish([other, item])
    first = larder.today + timedelta(days=keeps + draw.number(0, 3))
    day = larder.today + timedelta(days=draw.number(1, keeps))
    calls: list[OracleCall] = [
        ("soon_spoiled", {"by_day": first.isoformat()}),
        ("browse_cookbook", {"containing": item.name}),
        ("plan_dish", {"dish": dish, "meal_day": day.isoformat()}),
    ]
    prompt = draw.say(first=draw.spoken_date(first), day=draw.spoken_date(day))
    return Draft(prompt, larder.state, calls, f"Done: {dish} on {day} uses the {item.name}.")


@BOOK.act(
    "Let us have the dish with {food} for dinner on {day}. I forgot what it is called.",
    "Whatever we can cook from {food}: that is the dinner of {day}, for the usual two.",
    "{day}, dinner, the recipe that has {food} in it. Put it on the menu, I do not know its name.",
    "Search the cookbook for {food} and set what you find as our dinner on {day}.",
)
def nameless_dish(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw), foods(draw, 2)
    dish, day = larder.dish([other, item]), larder.soon()
    calls: list[OracleCall] = [
        ("browse_cookbook", {"containing": item.name}),
        ("plan_dish", {"dish": dish, "meal_day": day.isoformat()}),
    ]
    prompt = draw.say(food=item.name, day=draw.spoken_date(day))
    return Draft(prompt, larder.state, calls, f"Done: {dish} is planned for {day}.")


@BOOK.act(
    "The dinner of {old} has to wait: have the same dish on the evening of {new} instead.",
    "Shift what we planned for dinner on {old} to dinner on {new}.",
    "{old} does not work for us. That dinner goes to {new}, same dish.",
    "See what the evening of {old} brings, take it off, and let us eat it on {new} (dinner).",
)
def postponed_dinner(draw: Draw) -> Draft:
    larder = Larder(draw)
    old, dish = larder.soon(), draw.pick(list(larder.recipes))
    new = old + timedelta(days=draw.number(1, 9))
    larder.meal(old, dish)
    calls: list[OracleCall] = [
        ("menu_from", {"starting": old.isoformat()}),
        ("clear_meal", {"meal_day": old.isoformat()}),
        ("plan_dish", {"dish": dish, "meal_day": new.isoformat()}),
    ]
    prompt = draw.say(old=draw.spoken_date(old), new=draw.spoken_date(new))
    return Draft(prompt, larder.state, calls, f"Done: {dish} is planned for {new}.")


@BOOK.act(
    "If there is less than {limit} of {food}, put {limit} on the shopping list. How much is there?",
    "Check the {food}. Below {limit} we buy {limit}; otherwise nothing. Tell me what we have.",
    "We should never have under {limit} {food}. Look, add {limit} to the list if need be, and say "
    "how much you saw.",
)
def restock_if_low(draw: Draw) -> Draft:
    larder, item, low = Larder(draw), food(draw), draw.chance(0.5)
    lot = larder.lot(item, draw.number(5, 60))
    step = draw.number(1, lot["amount"] - 1)
    limit = lot["amount"] + (step if low else -step)
    left, wanted = quantity(lot["amount"], item.unit), quantity(limit, item.unit)
    calls: list[OracleCall] = [("pantry_contents", {"food": item.name})]
    arguments = {"food": item.name, "amount": limit, "unit": item.unit}
    calls += [("need_to_buy", arguments)] if low else []
    done = f"so {wanted} are on the list" if low else "so there is nothing to buy"
    answer = f"We have {left}, {done}."
    return Draft(draw.say(food=item.name, limit=wanted), larder.state, calls, answer, (left,))


@BOOK.act(
    "The only {course} with {food}: plan it for {count} on the evening of {day}, list its "
    "ingredients for the shop, and set a timer named {name} for as long as it takes.",
    "Find our {course} that has {food}. It is for {count} on {day} in the evening. I need the menu "
    "entry, the shopping list and a timer '{name}' with its cooking time.",
    "{day}, dinner, {count} people, the {course} made with {food}. Menu, shopping list (every "
    "ingredient), and finally a timer called {name} over the minutes in the recipe.",
)
def whole_evening(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw, 2), foods(draw, 2)
    course, count, name = draw.pick(("starter", "dessert")), draw.pick((6, 8, 12)), draw.brand()
    dish = larder.dish([item, other], course=course)
    larder.dish([item, other], course="main")
    day, minutes = larder.soon(), larder.recipes[dish]["minutes"]
    calls: list[OracleCall] = [
        ("browse_cookbook", {"containing": item.name, "course": course}),
        ("dish_card", {"dish": dish, "eaters": count}),
        ("plan_dish", {"dish": dish, "meal_day": day.isoformat(), "eaters": count}),
        *[("need_to_buy", need) for need in _scaled(larder, dish, count)],
        ("start_timer", {"rings_for": name, "after_minutes": minutes}),
    ]
    said = {"count": draw.spoken_number(count), "day": draw.spoken_date(day)}
    prompt = draw.say(course=course, food=item.name, name=name, **said)
    answer = f"Done: {dish} is planned, its ingredients are on the list, the timer runs."
    return Draft(prompt, larder.state, calls, answer)
