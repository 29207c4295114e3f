"""Prompts of the `kitchen` world that ask for something, and the calls that find it out."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from datetime import timedelta

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.kitchen.larder import Larder, food, foods
from tooldrill.data.worlds.kitchen.store import quantity

BOOK = Book()


@BOOK.act(
    "What could we cook with {food} that takes {count} minutes at most?",
    "Hungry! Something with {food}, done in {count} minutes or less?",
    "Name me a dish that has {food} in it. I have {count} minutes, not more.",
    "{food}, {count} minutes - which recipe fits?",
)
def quick_idea(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw, 2), foods(draw, 2)
    count = draw.number(3, 9) * 5
    quick = larder.dish([other, item], minutes=count - draw.number(0, 10))
    larder.dish([other, item], minutes=count + draw.number(10, 60))
    arguments = {"containing": item.name, "ready_within": count}
    calls: list[OracleCall] = [("browse_cookbook", arguments)]
    prompt = draw.say(food=item.name, count=draw.spoken_number(count))
    return Draft(prompt, larder.state, calls, f"{quick} would do.", (quick,))


@BOOK.act(
    "Do we know something sweet with {food} to finish a meal?",
    "I need an afters with {food}.",
    "Which of our desserts uses {food}?",
    "{name} wants {food} in the pudding course. What can I make?",
)
def sweet_idea(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw, 2), foods(draw, 2)
    sweet = larder.dish([other, item], course="dessert")
    larder.dish([other, item], course="main")
    arguments = {"containing": item.name, "course": "dessert"}
    calls: list[OracleCall] = [("browse_cookbook", arguments)]
    prompt = draw.say(food=item.name, name=draw.first_name())
    return Draft(prompt, larder.state, calls, f"There is {sweet}.", (sweet,))


@BOOK.act(
    "How much {food} goes into {dish} when {count} of us eat?",
    "I cook {dish} for {count} people. What do I need of {food}?",
    "{dish}, but for {count}: amount of {food}?",
    "We are {count} tonight. {dish} then takes which quantity of {food}?",
)
def scaled_amount(draw: Draw) -> Draft:
    larder, items = Larder(draw, 2), foods(draw, 3)
    dish, count = larder.dish(items), draw.pick((2, 6, 8, 12, 16))
    item = draw.pick(larder.recipes[dish]["ingredients"])
    wanted = quantity(item["amount"] * count / 4, item["unit"])
    calls: list[OracleCall] = [("dish_card", {"dish": dish, "eaters": count})]
    prompt = draw.say(dish=dish, food=item["food"], count=draw.spoken_number(count))
    answer = f"For {count} you need {wanted} {item['food']}."
    return Draft(prompt, larder.state, calls, answer, (wanted,))


@BOOK.act(
    "Is there any {food} left, and how much?",
    "How are we off for {food}?",
    "Before I go to the shop: what is there of {food}?",
    "{food} - do we still have some? I need the amount.",
)
def supplies_left(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    lot = larder.lot(item, draw.number(3, 50))
    left = quantity(lot["amount"], lot["unit"])
    calls: list[OracleCall] = [("pantry_contents", {"food": item.name})]
    answer = f"What is left of {item.name}: {left}."
    return Draft(draw.say(food=item.name), larder.state, calls, answer, (left,))


@BOOK.act(
    "What has to be eaten by {day}?",
    "Which of our things go bad up to {day}?",
    "I am away from {day} on. Is there food that will not last that long?",
    "Anything in the pantry that spoils no later than {day}?",
)
def eat_first(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    keeps = draw.number(2, 20)
    larder.lot(item, keeps)
    day = larder.today + timedelta(days=keeps + draw.number(0, 9))
    calls: list[OracleCall] = [("soon_spoiled", {"by_day": day.isoformat()})]
    prompt, answer = draw.say(day=draw.spoken_date(day)), f"To be eaten by then: {item.name}."
    return Draft(prompt, larder.state, calls, answer, (item.name,))


@BOOK.act(
    "What do we eat in the {count} days that begin with {day}?",
    "Read me the menu for {count} days, starting {day}.",
    "From {day}, {count} days long: which dish did we plan?",
    "{name} asks what there will be to eat. Start at {day} and look {count} days ahead.",
)
def coming_meals(draw: Draw) -> Draft:
    larder, count = Larder(draw), draw.pick((2, 3, 4, 5, 10, 14))
    first = larder.soon()
    inside, outside = draw.sample(list(larder.recipes), 2)
    larder.meal(first + timedelta(days=draw.number(0, count - 1)), inside)
    larder.meal(first + timedelta(days=count), outside, "lunch")
    arguments = {"starting": first.isoformat(), "days_shown": count}
    calls: list[OracleCall] = [("menu_from", arguments)]
    said = {"count": draw.spoken_number(count), "day": draw.spoken_date(first)}
    prompt = draw.say(name=draw.first_name(), **said)
    return Draft(prompt, larder.state, calls, f"There will be {inside}.", (inside,))
