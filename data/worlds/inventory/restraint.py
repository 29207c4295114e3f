"""Prompts of the `inventory` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.inventory.tasks import some_items, some_shelves, warehouse

BOOK = Book()


@BOOK.restrain(
    "Thanks, the count is right again.",
    "Morning! I am {name} from the loading dock, only wanted to say hi.",
    "All shelves look great today, well done.",
    "{name} says the truck is late. We wait.",
    "Forget it, {name} has already booked everything.",
)
def small_talk(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "All right! Tell me when something has to be booked.",
            "Thank you. I am ready when there is work.",
            "Good to know. Just ask when you need the stock checked.",
        )
    )
    state = warehouse(draw, some_items(draw, 1), some_shelves(draw, 1), [])
    return Draft(draw.say(name=draw.first_name()), state, [], reply)


@BOOK.restrain(
    "A box holds {each} pieces and I have {boxes} boxes. How many pieces is that?",
    "{boxes} boxes with {each} in each of them: what does that make?",
    "Quick sum, nothing to book: {boxes} times {each}?",
)
def arithmetic(draw: Draw) -> Draft:
    boxes, each = draw.number(2, 9), draw.pick((2, 5, 10, 20, 50, 100))
    state = warehouse(draw, some_items(draw, 1), some_shelves(draw, 1), [])
    total = boxes * each
    prompt = draw.say(boxes=boxes, each=each)
    return Draft(prompt, state, [], f"That makes {total} pieces.", (str(total),))


@BOOK.restrain(
    "Please {wish}.",
    "It would help if you could {wish}.",
    "The boss says: {wish}, today!",
)
def beyond_inventory(draw: Draw) -> Draft:
    (item,) = some_items(draw, 1)
    wish, short = draw.pick(
        (
            (f"phone {draw.company()} about {item['sku']}", "phone anybody"),
            (f"pay the invoice of {draw.company()}", "pay invoices"),
            (f"take a photo of {item['sku']}", "take photos"),
            (f"repair the {item['name']}", "repair things"),
            (f"hire {draw.person()} for the night shift", "hire people"),
            (f"paint a label for the {item['name']}", "paint labels"),
        )
    )
    answer = f"Sorry, I cannot {short}: no tool of mine does that."
    return Draft(
        draw.say(wish=wish),
        warehouse(draw, [item], some_shelves(draw, 1), []),
        [],
        answer,
        ending=Ending.ADMIT,
    )


@BOOK.restrain(
    "{sku} should cost {price} instead.",
    "Change what we ask for {sku} to {price}, please.",
)
def no_prices(draw: Draw) -> Draft:
    (item,), price = some_items(draw, 1), draw.number(5, 300)
    answer = f"Sorry, I have no tool that changes the price of {item['sku']}."
    state = warehouse(draw, [item], some_shelves(draw, 1), [])
    return Draft(
        draw.say(sku=item["sku"], price=price),
        state,
        [],
        answer,
        without=("set_price",),
        ending=Ending.ADMIT,
    )
