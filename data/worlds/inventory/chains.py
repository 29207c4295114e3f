"""Prompts of the `inventory` world that take many calls, fed by what the ones before showed."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.inventory.tasks import CATEGORIES, some_items, some_shelves, warehouse

BOOK = Book()


@BOOK.act(
    "Bring all we have of the {name} together on {target}. I know neither its code nor where it "
    "lies.",
    "The {name} lies on several shelves. Find out which and move every piece to {target}.",
    "All pieces of the {name}, wherever they are now: to {target} with them.",
    "{target} is to hold our whole stock of the {name}, so clear the other shelves of it.",
)
def gather(draw: Draw) -> Draft:
    items, count = some_items(draw, 2), draw.number(2, 4)
    item, (target, *shelves) = items[0], some_shelves(draw, count + 1)
    amounts = dict(zip(sorted(shelves), draw.numbers(2, 40, count), strict=True))
    calls: list[OracleCall] = [
        ("find_item", {"query": item["name"]}),
        ("stock_level", {"sku": item["sku"]}),
    ]
    calls += [
        ("move_stock", {"sku": item["sku"], "quantity": pieces, "source": shelf, "target": target})
        for shelf, pieces in amounts.items()
    ]
    stock = [(item, shelf, pieces) for shelf, pieces in amounts.items()]
    state = warehouse(draw, items, [*shelves, target], stock)
    answer = f"Done: all {sum(amounts.values())} pieces of {item['sku']} are on {target}."
    return Draft(draw.say(name=item["name"], target=target), state, calls, answer)


@BOOK.act(
    "A delivery for {category}: {count} pieces each of whatever runs low there. They lie on the "
    "shelf noted as '{note}', so find its code and book them. After that, each of these articles "
    "needs a warning below {level}.",
    "See what is scarce in {category}. Of each such article {count} arrived, on the '{note}' "
    "shelf; book that, then have every one of them ordered again below {level}.",
    "{count} apiece of all that runs short in {category} came in, put away at '{note}' (look up "
    "which shelf that is). Enter them and, for each, order again below {level} in future.",
)
def delivery_for_all(draw: Draw) -> Draft:
    low = draw.number(2, 3)
    items, shelves = some_items(draw, low + 2), some_shelves(draw, 3)
    category, other = draw.sample(CATEGORIES, 2)
    for item in items:
        item["category"], item["reorder_level"] = category, draw.number(10, 20)
    plenty, foreign = items[low:]
    foreign["category"] = other
    stock = [(item, shelves[0], draw.number(1, 9)) for item in [*items[:low], foreign]]
    state = warehouse(draw, items, shelves, [*stock, (plenty, shelves[1], draw.number(21, 60))])
    place, count, level = draw.pick(state["locations"]), draw.number(12, 48), draw.number(50, 90)
    scarce = sorted(str(item["sku"]) for item in items[:low])
    calls: list[OracleCall] = [("low_stock", {"category": category}), ("list_locations", {})]
    calls += [
        ("receive_stock", {"sku": sku, "quantity": count, "location": place["code"]})
        for sku in scarce
    ]
    calls += [("set_reorder_level", {"sku": sku, "reorder_level": level}) for sku in scarce]
    prompt = draw.say(category=category, count=count, note=place["note"], level=level)
    answer = f"Done: {count} pieces each of {' and '.join(scarce)} are on {place['code']}."
    return Draft(prompt, state, calls, answer)


@BOOK.act(
    "No matter which kind of {thing}, each of them costs {price} from now on.",
    "All our kinds of {thing} get one price: {price}",
    "Find each {thing} in the catalogue and make it {price}, one after the other.",
    "We have more than one {thing}. All of them cost {price} from today on.",
)
def one_price(draw: Draw) -> Draft:
    items, thing = some_items(draw, draw.number(3, 5)), draw.product().split()[-1]
    *same, other = items
    kinds = draw.several(lambda: draw.product().rsplit(" ", 1)[0], len(same))
    price = draw.price()
    for item, kind in zip(same, kinds, strict=True):
        item["name"] = f"{kind} {thing}"
        item["price"] += item["price"] == price
    while thing in other["name"]:
        other["name"] = draw.product()
    calls: list[OracleCall] = [("find_item", {"query": thing})]
    calls += [
        ("set_price", {"sku": sku, "price": price}) for sku in sorted(item["sku"] for item in same)
    ]
    answer = f"Done: {len(same)} articles cost {price} now."
    state = warehouse(draw, items, some_shelves(draw, 1), [])
    return Draft(draw.say(thing=thing, price=price), state, calls, answer)
