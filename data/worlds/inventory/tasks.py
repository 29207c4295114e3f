"""Prompts of the `inventory` world that need calls, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall

BOOK = Book(
    asides=(
        "The forklift is back from repair, finally.",
        "We count everything again next month.",
        "It is loud in the warehouse today.",
        "My shift ends soon.",
        "The new colleague starts on Monday, by the way.",
    )
)

CATEGORIES = ("tools", "kitchen", "garden", "camping", "office", "lighting", "plumbing")


def some_items(draw: Draw, count: int) -> list[dict[str, Any]]:
    numbers = draw.numbers(101, 989, count)
    return [
        {
            "sku": f"SK-{number}",
            "name": name,
            "category": draw.pick(CATEGORIES),
            "price": draw.number(3, 99),
            "reorder_level": draw.number(0, 5),
        }
        for number, name in zip(numbers, draw.several(draw.product, count), strict=True)
    ]


def some_shelves(draw: Draw, count: int) -> list[str]:
    return draw.several(lambda: f"{draw.pick('ABCDEFGH')}{draw.number(1, 40)}", count)


def warehouse(
    draw: Draw,
    items: list[dict[str, Any]],
    shelves: list[str],
    stock: list[tuple[dict[str, Any], str, int]],
) -> dict[str, Any]:
    notes = draw.sample(("ground floor", "upper rack", "by the door", "cold room", "yard"), 5)
    return {
        "items": sorted(items, key=lambda item: str(item["sku"])),
        "locations": [
            {"code": code, "note": note} for code, note in zip(shelves, notes, strict=False)
        ],
        "stock": [
            {"sku": item["sku"], "location": shelf, "quantity": quantity}
            for item, shelf, quantity in stock
        ],
    }


@BOOK.act(
    "{quantity} pieces of {sku} just came in and lie on {shelf}. Book them.",
    "A delivery: {quantity} x {sku}, put away at {shelf}.",
    "Please record that we got {quantity} more of {sku}; I stored them on shelf {shelf}.",
    "We now have {quantity} additional {sku} on {shelf}, can you enter that?",
)
def arrival(draw: Draw) -> Draft:
    (item,), (shelf, other) = some_items(draw, 1), some_shelves(draw, 2)
    quantity, before = draw.number(2, 60), draw.number(0, 20)
    stock = [(item, shelf, before)] if before else []
    arguments = {"sku": item["sku"], "quantity": quantity, "location": shelf}
    prompt = draw.say(quantity=quantity, sku=item["sku"], shelf=shelf)
    answer = f"Done: {before + quantity} pieces of {item['sku']} are now on {shelf}."
    state = warehouse(draw, [item], [shelf, other], stock)
    return Draft(prompt, state, [("receive_stock", arguments)], answer)


@BOOK.act(
    "A customer gets {quantity} of {sku} from {shelf}. Take them out of the books.",
    "{quantity} x {sku} leave shelf {shelf} today.",
    "Please send off {quantity} pieces of {sku}; take them from {shelf}.",
    "The van picks up {quantity} {sku} that stand on {shelf}, note that please.",
)
def departure(draw: Draw) -> Draft:
    (item,), (shelf, other) = some_items(draw, 1), some_shelves(draw, 2)
    before = draw.number(10, 60)
    quantity = draw.number(2, before)
    arguments = {"sku": item["sku"], "quantity": quantity, "location": shelf}
    prompt = draw.say(quantity=quantity, sku=item["sku"], shelf=shelf)
    answer = f"Done: {quantity} pieces of {item['sku']} left {shelf}."
    state = warehouse(draw, [item], [shelf, other], [(item, shelf, before)])
    return Draft(prompt, state, [("ship_stock", arguments)], answer)


@BOOK.act(
    "Ship up to {quantity} of {sku} from {shelf}. If there are fewer, ship all of them.",
    "The customer wants {quantity} x {sku} from {shelf} but takes whatever there is.",
    "{quantity} pieces of {sku} should go out from {shelf}; fewer are fine if we run short.",
)
def as_many_as_possible(draw: Draw) -> Draft:
    (item,), (shelf, other) = some_items(draw, 1), some_shelves(draw, 2)
    quantity, there = draw.number(20, 60), draw.number(2, 40)
    sent = min(quantity, there)
    arguments = {
        "sku": item["sku"],
        "quantity": quantity,
        "location": shelf,
        "allow_partial": True,
    }
    prompt = draw.say(quantity=quantity, sku=item["sku"], shelf=shelf)
    answer = f"Done: {sent} pieces of {item['sku']} were shipped."
    state = warehouse(draw, [item], [shelf, other], [(item, shelf, there)])
    return Draft(prompt, state, [("ship_stock", arguments)], answer)


@BOOK.act(
    "Bring {quantity} of {sku} from {source} over to {target}.",
    "{source} is too full: {quantity} pieces of {sku} go to {target}.",
    "Please put {quantity} x {sku} on {target}; they are on {source} now.",
    "{sku}, {quantity} pieces, {source} to {target}",
)
def relocate(draw: Draw) -> Draft:
    (item,), (source, target) = some_items(draw, 1), some_shelves(draw, 2)
    before = draw.number(5, 50)
    quantity = draw.number(2, before)
    arguments = {"sku": item["sku"], "quantity": quantity, "source": source, "target": target}
    prompt = draw.say(quantity=quantity, sku=item["sku"], source=source, target=target)
    answer = f"Done: {quantity} pieces of {item['sku']} are on {target} now."
    state = warehouse(draw, [item], [source, target], [(item, source, before)])
    return Draft(prompt, state, [("move_stock", arguments)], answer)


@BOOK.act(
    "{sku} costs {price} from now on.",
    "Please make it {price} for {sku}.",
    "The supplier wants more, so we sell {sku} at {price}.",
    "new price {sku}: {price}",
)
def reprice(draw: Draw) -> Draft:
    (item,), price = some_items(draw, 1), draw.price()
    calls = [("set_price", {"sku": item["sku"], "price": price})]
    answer = f"Done: {item['sku']} now costs {price}."
    state = warehouse(draw, [item], some_shelves(draw, 1), [])
    return Draft(draw.say(sku=item["sku"], price=price), state, calls, answer)


@BOOK.act(
    "The {name} is new in our shop; it belongs to {category} and costs {price}.",
    "New in our range: {name}, {price} apiece, filed under {category}.",
    "Please enter the {name} into the catalogue ({category}, {price}).",
)
def new_item(draw: Draw) -> Draft:
    items, name = some_items(draw, 1), draw.brand() + " " + draw.product()
    category, price = draw.pick(CATEGORIES), draw.price()
    calls = [("add_item", {"name": name, "category": category, "price": price})]
    prompt = draw.say(name=name, category=category, price=price)
    sku = f"SK-{int(items[0]['sku'][3:]) + 1}"
    state = warehouse(draw, items, some_shelves(draw, 1), [])
    return Draft(prompt, state, calls, f"Done: the {name} is {sku}.")


@BOOK.act(
    "We start with {name}. Enter it without anything special and put {count} pieces on {shelf}.",
    "There is a new thing, {name}: make an entry for it, then book {count} of them onto {shelf}.",
    "{count} pieces of {name} arrived, which we never had before. They are on {shelf}.",
)
def new_item_arrives(draw: Draw) -> Draft:
    items, shelves = some_items(draw, 1), some_shelves(draw, 2)
    name, quantity = draw.brand() + " " + draw.product(), draw.number(2, 30)
    sku = f"SK-{int(items[0]['sku'][3:]) + 1}"
    calls: list[OracleCall] = [
        ("add_item", {"name": name}),
        ("receive_stock", {"sku": sku, "quantity": quantity, "location": shelves[0]}),
    ]
    prompt = draw.say(name=name, count=quantity, shelf=shelves[0])
    answer = f"Done: {sku} was entered, {quantity} pieces are on {shelves[0]}."
    return Draft(prompt, warehouse(draw, items, shelves, []), calls, answer)


@BOOK.act(
    "We put up a shelf {shelf} for {purpose}. Then move {count} of {sku} there from {source}.",
    "Shelf {shelf} is new and meant for {purpose}; {count} pieces of {sku} should go there from "
    "{source}.",
)
def new_shelf(draw: Draw) -> Draft:
    (item,), (source, shelf) = some_items(draw, 1), some_shelves(draw, 2)
    purpose = draw.pick(("returns", "spare parts", "heavy goods", "samples", "gifts", "seconds"))
    before = draw.number(10, 40)
    quantity = draw.number(2, before)
    calls = [
        ("open_location", {"code": shelf, "note": purpose}),
        (
            "move_stock",
            {"sku": item["sku"], "quantity": quantity, "source": source, "target": shelf},
        ),
    ]
    prompt = draw.say(shelf=shelf, purpose=purpose, count=quantity, sku=item["sku"], source=source)
    answer = f"Done: {shelf} is open and holds {quantity} of {item['sku']}."
    return Draft(prompt, warehouse(draw, [item], [source], [(item, source, before)]), calls, answer)
