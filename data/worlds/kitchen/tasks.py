"""Prompts of the `kitchen` world in which one call changes something, and the call.

Questions are in `kitchen_lookups`, longer ones in `kitchen_chains`.
"""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.values.spoken import in_words
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.kitchen.larder import Larder, amount_of, dish_name, food, foods, spoken

BOOK = Book(
    asides=(
        "My hands are full of dough.",
        "The kids are starving already.",
        "Something smells burnt in here.",
        "Grandma would be proud of me.",
        "The market was so crowded today.",
        "I really must sharpen these knives.",
        "We have guests all weekend.",
        "The oven is warming up.",
    )
)


@BOOK.act(
    "I brought {amount} {food} home, good until {day}.",
    "{amount} {food} go on the pantry shelf; the packet says {day}.",
    "Add this to our supplies: {amount} {food}, best before {day}.",
    "We have {amount} more of the {food} now. It keeps until {day}.",
    "groceries! {food}, {amount}, spoils after {day}",
)
def brought_home(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    said, amount, unit = spoken(draw, amount_of(draw, item.unit), item.unit)
    day = larder.soon()
    arguments = {"food": item.name, "amount": amount, "unit": unit, "best_before": str(day)}
    prompt = draw.say(amount=said, food=item.name, day=draw.spoken_date(day))
    calls: list[OracleCall] = [("stock_pantry", arguments)]
    answer = f"Done, now in the pantry: {item.name}."
    return Draft(prompt, larder.state, calls, answer, needs=("need_to_buy",))


@BOOK.act(
    "I have just cooked with {amount} {food}, so there is less of it now.",
    "{amount} {food} went into the pot.",
    "Subtract {amount} {food} from what we have.",
    "The neighbours borrowed {amount} of our {food}. Keep the pantry up to date.",
    "minus {amount} {food}",
)
def used_up(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    said, amount, unit = spoken(draw, amount_of(draw, item.unit), item.unit)
    larder.lot(item, draw.number(20, 90), amount=amount * (1000 if unit in ("kg", "l") else 1) * 3)
    arguments = {"food": item.name, "amount": amount, "unit": unit}
    answer = f"Done, used up: {said} {item.name}."
    prompt = draw.say(amount=said, food=item.name)
    calls: list[OracleCall] = [("take_from_pantry", arguments)]
    return Draft(prompt, larder.state, calls, answer, needs=("discard_food",))


@BOOK.act(
    "The {food} that went off has to go, the good rest stays.",
    "Bin the {food}, but only what is past its day.",
    "Some of our {food} is rotten. Get rid of just that.",
    "Sort out the {food}: old out, still fine ones remain.",
)
def gone_off(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    larder.lot(item, -draw.number(2, 40))
    larder.lot(item, draw.number(3, 60))
    calls: list[OracleCall] = [("discard_food", {"food": item.name, "spoiled_only": True})]
    answer = f"Done, thrown away where spoiled: {item.name}."
    return Draft(draw.say(food=item.name), larder.state, calls, answer)


@BOOK.act(
    "We are out of {food}; {amount} should do. Write it down for the shop.",
    "Next time somebody goes shopping: {amount} {food}.",
    "Could {amount} {food} go on the shopping list, please?",
    "buy {amount} {food}",
    "I am not at the shop yet, but remind us there to take {amount} {food}.",
)
def for_the_shop(draw: Draw) -> Draft:
    larder, item = Larder(draw), food(draw)
    said, amount, unit = spoken(draw, amount_of(draw, item.unit), item.unit)
    arguments = {"food": item.name, "amount": amount, "unit": unit}
    calls: list[OracleCall] = [("need_to_buy", arguments)]
    answer = f"Done, on the list: {item.name}."
    prompt = draw.say(amount=said, food=item.name)
    return Draft(prompt, larder.state, calls, answer, needs=("stock_pantry",))


@BOOK.act(
    "We do not need {food} from the shop after all.",
    "Scratch {food} from what we want to buy.",
    "No {food}! Off the shopping list with it.",
    "{food} can come off the list, nobody likes it.",
)
def not_needed(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw), foods(draw, 2)
    larder.wish(item)
    larder.wish(other)
    calls: list[OracleCall] = [("strike_off", {"food": item.name})]
    answer = f"Done, off the list: {item.name}."
    return Draft(draw.say(food=item.name), larder.state, calls, answer, needs=("discard_food",))


@BOOK.act(
    "I got the {food} from our list, it stands in the pantry now.",
    "{food}: bought as listed and put away.",
    "The {food} we wanted is bought. Tick it and count it among our supplies.",
    "Back from the shop with the {food}; all of what was on the list is in the pantry.",
)
def bought(draw: Draw) -> Draft:
    larder, (item, other) = Larder(draw), foods(draw, 2)
    larder.wish(item)
    larder.wish(other)
    calls: list[OracleCall] = [("strike_off", {"food": item.name, "into_pantry": True})]
    answer = f"Done, off the list and in the pantry: {item.name}."
    return Draft(draw.say(food=item.name), larder.state, calls, answer)


@BOOK.act(
    "On {day} we have {dish} for {mealtime}, there will be {count} of us.",
    "{dish} for {count} people, {mealtime}, {day}. Onto the menu!",
    "Let us eat {dish} at {mealtime} on {day}; set it down for {count}.",
    "{count} mouths to feed on {day}: {mealtime} will be {dish}.",
    "{day} {mealtime} = {dish} x {count}",
)
def menu_entry(draw: Draw) -> Draft:
    larder = Larder(draw)
    dish, day, count = draw.pick(list(larder.recipes)), larder.soon(), draw.number(3, 14)
    mealtime = draw.pick(("breakfast", "lunch"))
    arguments = {"dish": dish, "meal_day": str(day), "mealtime": mealtime, "eaters": count}
    prompt = draw.say(
        dish=dish, day=draw.spoken_date(day), mealtime=mealtime, count=draw.spoken_number(count)
    )
    calls: list[OracleCall] = [("plan_dish", arguments)]
    return Draft(prompt, larder.state, calls, f"Done: {dish} is planned for {day}.")


@BOOK.act(
    "We eat out on {day}, so no cooking that evening.",
    "Nobody is home for dinner on {day}. Drop what was planned.",
    "The dinner of {day} falls through; empty that spot.",
    "free the evening of {day} on our menu",
)
def eating_out(draw: Draw) -> Draft:
    larder = Larder(draw)
    day = larder.soon()
    larder.meal(day, draw.pick(list(larder.recipes)))
    calls: list[OracleCall] = [("clear_meal", {"meal_day": str(day)})]
    answer = f"Done: nothing is planned for the evening of {day}."
    return Draft(draw.say(day=draw.spoken_date(day)), larder.state, calls, answer)


@BOOK.act(
    "The {thing} needs {count} minutes. Beep when it is done.",
    "{count} minutes for the {thing}, go!",
    "Let me know in {count} minutes that the {thing} is ready.",
    "I have put the {thing} on. Ring after {count} minutes, please.",
    "timer {thing} {count} min",
)
def beep(draw: Draw) -> Draft:
    thing, count = food(draw).name, draw.number(3, 90)
    arguments = {"rings_for": thing, "after_minutes": count}
    calls: list[OracleCall] = [("start_timer", arguments)]
    prompt = draw.say(thing=thing, count=draw.spoken_number(count))
    answer = f"Done: it rings for the {thing} in {count} minutes."
    return Draft(prompt, Larder(draw, 1).state, calls, answer)


@BOOK.act(
    "In {span} the {thing} must come out. I am hard of hearing, so do not stop ringing.",
    "{thing}, {span}, and the bell should go on until I come.",
    "Ring for the {thing} in {span} and keep at it, I will be in the garden.",
)
def loud_beep(draw: Draw) -> Draft:
    thing, hours = food(draw).name, draw.number(2, 9)
    arguments = {"rings_for": thing, "after_minutes": hours * 60, "keep_ringing": True}
    calls: list[OracleCall] = [("start_timer", arguments)]
    prompt = draw.say(thing=thing, span=f"{in_words(hours)} hours")
    answer = f"Done: it rings for the {thing} in {hours} hours."
    return Draft(prompt, Larder(draw, 1).state, calls, answer)


@BOOK.act(
    "New recipe! {dish}, for {count}, {minutes} minutes of cooking. You take {one} and {two}.",
    "I want to keep {dish}: {one}, {two}; it feeds {count} and takes {minutes} minutes.",
    "Write {dish} into the cookbook. {count} people, {minutes} minutes, ingredients: {one}; {two}.",
    "{dish} ({minutes} min, serves {count}) = {one} + {two}. Please save that.",
)
def family_recipe(draw: Draw) -> Draft:
    larder, items, dish = Larder(draw, 1), foods(draw, 2), dish_name(draw)
    one, two = (f"{amount_of(draw, item.unit)} {item.unit} {item.name}" for item in items)
    count, minutes = draw.number(2, 8), draw.number(2, 20) * 5
    arguments = {"dish": dish, "serves": count, "cooking_minutes": minutes}
    calls: list[OracleCall] = [("write_recipe", {**arguments, "ingredient_lines": [one, two]})]
    said = {"count": draw.spoken_number(count), "minutes": draw.spoken_number(minutes)}
    prompt = draw.say(dish=dish, one=one, two=two, **said)
    return Draft(prompt, larder.state, calls, f"Done: {dish} is in the cookbook.")
