"""Prompts of the `inventory` world in which something has to be looked up first, or only that."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw, number_word
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.inventory.tasks import CATEGORIES, some_items, some_shelves, warehouse

BOOK = Book()


@BOOK.act(
    "The {name} goes to {target}: {count} pieces, from {source}. I do not know its code.",
    "Carry {count} of our {name} from {source} to {target}; look up the code first.",
    "We need {count} pieces of the {name} on {target} instead of {source}.",
)
def relocate_by_name(draw: Draw) -> Draft:
    items, (source, target) = some_items(draw, 2), some_shelves(draw, 2)
    item, before = items[0], draw.number(12, 50)
    quantity = draw.number(2, 12)
    calls = [
        ("find_item", {"query": item["name"]}),
        (
            "move_stock",
            {"sku": item["sku"], "quantity": quantity, "source": source, "target": target},
        ),
    ]
    prompt = draw.say(name=item["name"], count=number_word(quantity), source=source, target=target)
    answer = f"Done: moved {quantity} of {item['sku']} to {target}."
    state = warehouse(draw, items, [source, target], [(item, source, before)])
    return Draft(prompt, state, calls, answer)


@BOOK.act(
    "How many {sku} do we have in all?",
    "What is our total of {sku}?",
    "I need to know how much of {sku} there is, over all shelves.",
    "{sku}: how many?",
)
def count_all(draw: Draw) -> Draft:
    (item,), shelves = some_items(draw, 1), some_shelves(draw, 2)
    amounts = draw.numbers(1, 45, 2)
    stock = [(item, shelf, amount) for shelf, amount in zip(shelves, amounts, strict=True)]
    total = sum(amounts)
    answer = f"There are {total} pieces of {item['sku']}."
    calls = [("stock_level", {"sku": item["sku"]})]
    state = warehouse(draw, [item], shelves, stock)
    return Draft(draw.say(sku=item["sku"]), state, calls, answer, (str(total),))


@BOOK.act(
    "How many {sku} are left on {shelf}?",
    "Just for shelf {shelf}: how much {sku} is there?",
    "Count of {sku} at {shelf}, please.",
    "Somebody asks what {shelf} still holds of {sku}.",
)
def count_shelf(draw: Draw) -> Draft:
    (item,), shelves = some_items(draw, 1), some_shelves(draw, 2)
    amounts = draw.numbers(41, 99, 2)
    stock = [(item, shelf, amount) for shelf, amount in zip(shelves, amounts, strict=True)]
    answer = f"There are {amounts[0]} pieces of {item['sku']} on {shelves[0]}."
    calls = [("stock_level", {"sku": item["sku"], "location": shelves[0]})]
    state = warehouse(draw, [item], shelves, stock)
    prompt = draw.say(sku=item["sku"], shelf=shelves[0])
    return Draft(prompt, state, calls, answer, (str(amounts[0]),))


@BOOK.act(
    "Sell the {name} for {price} from today on.",
    "What we call {name} should cost {price}. I have no code at hand.",
    "Our {name} is too cheap. Make it {price}, please.",
)
def reprice_by_name(draw: Draw) -> Draft:
    items, price = some_items(draw, 2), draw.price()
    item = items[0]
    calls = [
        ("find_item", {"query": item["name"]}),
        ("set_price", {"sku": item["sku"], "price": price}),
    ]
    answer = f"Done: {item['sku']} now costs {price}."
    state = warehouse(draw, items, some_shelves(draw, 1), [])
    return Draft(draw.say(name=item["name"], price=price), state, calls, answer)


@BOOK.act(
    "What do we have too little of?",
    "Which things must be ordered again?",
    "Anything running out?",
    "The buyer asks what is getting scarce.",
)
def scarce(draw: Draw) -> Draft:
    items, shelves = some_items(draw, 2), some_shelves(draw, 1)
    low, fine = items
    low["reorder_level"], fine["reorder_level"] = 20, 2
    stock = [(low, shelves[0], draw.number(1, 9)), (fine, shelves[0], draw.number(5, 30))]
    answer = f"There is too little of {low['sku']}, the {low['name']}."
    state = warehouse(draw, items, shelves, stock)
    return Draft(draw.say(), state, [("low_stock", {})], answer, (low["sku"],))


@BOOK.act(
    "Find out which of the {category} things is running low, and get a warning for it below "
    "{level} from now on.",
    "One article in {category} is scarce. Whichever it is, we want to order it again as soon as "
    "there are fewer than {level}.",
)
def warn_earlier(draw: Draw) -> Draft:
    items, shelves = some_items(draw, 2), some_shelves(draw, 1)
    low, level = items[0], draw.number(30, 90)
    categories = draw.sample(CATEGORIES, 2)
    for item, category in zip(items, categories, strict=True):
        item["category"], item["reorder_level"] = category, draw.number(10, 20)
    calls = [
        ("low_stock", {"category": low["category"]}),
        ("set_reorder_level", {"sku": low["sku"], "reorder_level": level}),
    ]
    answer = f"Done: {low['sku']} is ordered again below {level}."
    state = warehouse(draw, items, shelves, [(low, shelves[0], draw.number(1, 9))])
    return Draft(draw.say(category=low["category"], level=level), state, calls, answer)


@BOOK.act(
    "Book {count} pieces of {sku} that came in. They are on the shelf called '{note}'.",
    "{count} x {sku} arrived and lie at '{note}'; see which shelf that is.",
    "Somebody put {count} new {sku} on the '{note}' shelf. Enter them, please.",
)
def arrival_somewhere(draw: Draw) -> Draft:
    (item,), shelves = some_items(draw, 1), some_shelves(draw, 3)
    state = warehouse(draw, [item], shelves, [])
    place, count = draw.pick(state["locations"]), draw.number(2, 40)
    arguments = {"sku": item["sku"], "quantity": count, "location": place["code"]}
    calls: list[OracleCall] = [("list_locations", {}), ("receive_stock", arguments)]
    answer = f"Done: {count} pieces of {item['sku']} are on {place['code']}."
    prompt = draw.say(count=count, sku=item["sku"], note=place["note"])
    return Draft(prompt, state, calls, answer)
