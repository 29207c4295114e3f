"""Prompts of the `kitchen` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.kitchen.larder import Larder, food, foods
from tooldrill.data.worlds.kitchen.store import quantity

BOOK = Book()


@BOOK.restrain(
    "Mmm, the {food} was delicious!",
    "{name} licked the plate clean.",
    "I burnt my tongue on the {food}, but it was worth it.",
    "Tell you what, {name} and I make a good team at the stove.",
    "Full to the brim. That {food}!",
)
def table_talk(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "How nice! Call me when the next meal is to be planned.",
            "That sounds tasty. I leave the kitchen as it is.",
            "Wonderful! Just say so when you cook again.",
        )
    )
    prompt = draw.say(food=food(draw).name, name=draw.first_name())
    return Draft(prompt, Larder(draw, 1).state, [], reply)


@BOOK.restrain(
    "How many grams are {count} kilos? Just work it out.",
    "{count} kilograms, what is that in grams?",
    "On the scale it says {count} kg. And in grams, that would be?",
)
def kilos_to_grams(draw: Draw) -> Draft:
    count = draw.number(2, 19)
    prompt = draw.say(count=draw.spoken_number(count))
    answer = f"That makes {count * 1000} grams."
    return Draft(prompt, Larder(draw, 1).state, [], answer, (str(count * 1000),))


@BOOK.restrain(
    "I wish you would {wish}.",
    "Do me a favour and {wish}.",
    "Chef, {wish}!",
    "{name} cannot do it, so {wish} yourself.",
)
def beyond_kitchen(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"peel the {food(draw).name}", "peel anything"),
            (f"taste the {food(draw).name}", "taste"),
            (f"have a pizza delivered to {draw.person()}", "order deliveries"),
            (f"do the dishes before {draw.first_name()} comes", "do the dishes"),
            (f"preheat the oven for the {food(draw).name}", "reach the oven"),
        )
    )
    prompt = draw.say(wish=wish, name=draw.first_name())
    answer = f"Sorry, I cannot {short}. I only keep the books of this kitchen."
    return Draft(prompt, Larder(draw, 1).state, [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Ring in {count} minutes for the {food}.",
    "Wake me up in {count} minutes, the {food} is in the oven.",
    "{count} minutes on the clock for the {food}!",
)
def no_timer(draw: Draw) -> Draft:
    thing, count = food(draw).name, draw.number(4, 70)
    prompt = draw.say(food=thing, count=draw.spoken_number(count))
    answer = f"I have no tool that sets timers here, please watch the {thing} yourself."
    return Draft(
        prompt, Larder(draw, 1).state, [], answer, without=("start_timer",), ending=Ending.ADMIT
    )


@BOOK.restrain(
    "Throw the {food} out, all of it.",
    "The {food} stinks. Into the compost!",
    "All our {food} must leave the pantry, it is mouldy.",
)
def no_discarding(draw: Draw) -> Draft:
    larder, item = Larder(draw, 1), food(draw)
    larder.lot(item, -draw.number(2, 30))
    answer = f"I have no tool to throw food away, so this is still listed: {item.name}."
    # Using all of it up would come to the same, so that is not offered either.
    without = ("discard_food", "take_from_pantry")
    return Draft(
        draw.say(food=item.name), larder.state, [], answer, without=without, ending=Ending.ADMIT
    )


@BOOK.restrain(
    "Put {food} on the shopping list.",
    "We are short of {food}, note it for the shop.",
    "{food} has to be bought!",
    "Do not let me forget the {food} when I shop.",
)
def how_much_to_buy(draw: Draw) -> Draft:
    name = food(draw).name
    answer = draw.pick((f"How much {name} do you want?", f"Which amount of {name} should I list?"))
    return Draft(draw.say(food=name), Larder(draw, 1).state, [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "Plan {dish} for us.",
    "We should have {dish} again, set it on the menu.",
    "{name} longs for {dish}. Put that down.",
    "Menu: {dish}, please!",
)
def which_day(draw: Draw) -> Draft:
    larder = Larder(draw, 2)
    dish = draw.pick(list(larder.recipes))
    answer = f"On which day would you like {dish}, and at which meal?"
    return Draft(
        draw.say(dish=dish, name=draw.first_name()), larder.state, [], answer, ending=Ending.ASK
    )


@BOOK.restrain(
    "I counted myself: {amount} {food}, just as the pantry says. Nothing to correct.",
    "There are {amount} {food}, and that is what you have on record. Good.",
    "The record says {amount} {food} until {day}, the packet as well. Leave it so.",
)
def counts_agree(draw: Draw) -> Draft:
    larder, (item, _) = Larder(draw, 1), foods(draw, 2)
    lot = larder.lot(item, keeps := draw.number(9, 90))
    amount = quantity(lot["amount"], lot["unit"])
    day = draw.spoken_date(type(larder.today).fromordinal(larder.today.toordinal() + keeps))
    prompt = draw.say(amount=amount, food=item.name, day=day)
    return Draft(prompt, larder.state, [], f"Then nothing changes for {item.name}.")
