"""Prompts of the `inventory` world, in many voices, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.names import Draw, number_word
from tooldrill.data.worlds.book import Book, Draft

BOOK = Book(
    asides=(
        "The forklift is back from repair, finally.",
        "We count everything again next month.",
        "It is loud in the warehouse today.",
        "My shift ends soon.",
        "The new colleague starts on Monday, by the way.",
    )
)

_CATEGORIES = ("tools", "kitchen", "garden", "camping", "office", "lighting", "plumbing")


def _items(draw: Draw, count: int) -> list[dict[str, Any]]:
    numbers = draw.numbers(101, 989, count)
    return [
        {
            "sku": f"SK-{number}",
            "name": name,
            "category": draw.pick(_CATEGORIES),
            "price": draw.number(3, 180) + draw.pick((0.0, 0.5)),
            "reorder_level": draw.number(0, 5),
        }
        for number, name in zip(numbers, draw.several(draw.product, count), strict=True)
    ]


def _shelves(draw: Draw, count: int) -> list[str]:
    return draw.several(lambda: f"{draw.pick('ABCDEFGH')}{draw.number(1, 40)}", count)


def _warehouse(
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
    (item,), (shelf, other) = _items(draw, 1), _shelves(draw, 2)
    quantity, before = draw.number(2, 60), draw.number(0, 20)
    stock = [(item, shelf, before)] if before else []
    arguments = {"sku": item["sku"], "quantity": quantity, "location": shelf}
    prompt = draw.say(quantity=quantity, sku=item["sku"], shelf=shelf)
    answer = f"Done: {before + quantity} pieces of {item['sku']} are now on {shelf}."
    state = _warehouse(draw, [item], [shelf, other], stock)
    return Draft(prompt, state, [("receive_stock", arguments)], answer)


@BOOK.act(
    "A customer gets {quantity} of {sku} from {shelf}. Take them out of the books.",
    "{quantity} x {sku} leave shelf {shelf} today.",
    "Please send off {quantity} pieces of {sku}; take them from {shelf}.",
    "The van picks up {quantity} {sku} that stand on {shelf}, note that please.",
)
def departure(draw: Draw) -> Draft:
    (item,), (shelf, other) = _items(draw, 1), _shelves(draw, 2)
    before = draw.number(10, 60)
    quantity = draw.number(1, before)
    arguments = {"sku": item["sku"], "quantity": quantity, "location": shelf}
    prompt = draw.say(quantity=quantity, sku=item["sku"], shelf=shelf)
    answer = f"Done: {quantity} pieces of {item['sku']} left {shelf}."
    state = _warehouse(draw, [item], [shelf, other], [(item, shelf, before)])
    return Draft(prompt, state, [("ship_stock", arguments)], answer)


@BOOK.act(
    "Ship up to {quantity} of {sku} from {shelf}. If there are fewer, ship all of them.",
    "The customer wants {quantity} x {sku} from {shelf} but takes whatever there is.",
    "{quantity} pieces of {sku} should go out from {shelf}; fewer are fine if we run short.",
)
def as_many_as_possible(draw: Draw) -> Draft:
    (item,), (shelf, other) = _items(draw, 1), _shelves(draw, 2)
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
    state = _warehouse(draw, [item], [shelf, other], [(item, shelf, there)])
    return Draft(prompt, state, [("ship_stock", arguments)], answer)


@BOOK.act(
    "Bring {quantity} of {sku} from {source} over to {target}.",
    "{source} is too full: {quantity} pieces of {sku} go to {target}.",
    "Please put {quantity} x {sku} on {target}; they are on {source} now.",
    "{sku}, {quantity} pieces, {source} to {target}",
)
def relocate(draw: Draw) -> Draft:
    (item,), (source, target) = _items(draw, 1), _shelves(draw, 2)
    before = draw.number(5, 50)
    quantity = draw.number(1, before)
    arguments = {"sku": item["sku"], "quantity": quantity, "source": source, "target": target}
    prompt = draw.say(quantity=quantity, sku=item["sku"], source=source, target=target)
    answer = f"Done: {quantity} pieces of {item['sku']} are on {target} now."
    state = _warehouse(draw, [item], [source, target], [(item, source, before)])
    return Draft(prompt, state, [("move_stock", arguments)], answer)


@BOOK.act(
    "The {name} goes to {target}: {count} pieces, from {source}. I do not know its code.",
    "Carry {count} of our {name} from {source} to {target}; look up the code first.",
    "We need {count} pieces of the {name} on {target} instead of {source}.",
)
def relocate_by_name(draw: Draw) -> Draft:
    items, (source, target) = _items(draw, 2), _shelves(draw, 2)
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
    state = _warehouse(draw, items, [source, target], [(item, source, before)])
    return Draft(prompt, state, calls, answer)


@BOOK.act(
    "How many {sku} do we have in all?",
    "What is our total of {sku}?",
    "I need to know how much of {sku} there is, over all shelves.",
    "{sku}: how many?",
)
def count_all(draw: Draw) -> Draft:
    (item,), shelves = _items(draw, 1), _shelves(draw, 2)
    amounts = draw.numbers(1, 45, 2)
    stock = [(item, shelf, amount) for shelf, amount in zip(shelves, amounts, strict=True)]
    total = sum(amounts)
    answer = f"There are {total} pieces of {item['sku']}."
    calls = [("stock_level", {"sku": item["sku"]})]
    state = _warehouse(draw, [item], shelves, stock)
    return Draft(draw.say(sku=item["sku"]), state, calls, answer, (str(total),))


@BOOK.act(
    "How many {sku} are left on {shelf}?",
    "Just for shelf {shelf}: how much {sku} is there?",
    "Count of {sku} at {shelf}, please.",
    "Somebody asks what {shelf} still holds of {sku}.",
)
def count_shelf(draw: Draw) -> Draft:
    (item,), shelves = _items(draw, 1), _shelves(draw, 2)
    amounts = draw.numbers(41, 99, 2)
    stock = [(item, shelf, amount) for shelf, amount in zip(shelves, amounts, strict=True)]
    answer = f"There are {amounts[0]} pieces of {item['sku']} on {shelves[0]}."
    calls = [("stock_level", {"sku": item["sku"], "location": shelves[0]})]
    state = _warehouse(draw, [item], shelves, stock)
    prompt = draw.say(sku=item["sku"], shelf=shelves[0])
    return Draft(prompt, state, calls, answer, (str(amounts[0]),))


@BOOK.act(
    "{sku} costs {price} from now on.",
    "Please make it {price} for {sku}.",
    "The supplier wants more, so we sell {sku} at {price}.",
    "new price {sku}: {price}",
)
def reprice(draw: Draw) -> Draft:
    (item,), price = _items(draw, 1), draw.number(200, 999) / 2
    calls = [("set_price", {"sku": item["sku"], "price": price})]
    answer = f"Done: {item['sku']} now costs {price:g}."
    state = _warehouse(draw, [item], _shelves(draw, 1), [])
    return Draft(draw.say(sku=item["sku"], price=f"{price:g}"), state, calls, answer)


@BOOK.act(
    "Sell the {name} for {price} from today on.",
    "What we call {name} should cost {price}. I have no code at hand.",
    "Our {name} is too cheap. Make it {price}, please.",
)
def reprice_by_name(draw: Draw) -> Draft:
    items, price = _items(draw, 2), draw.number(200, 999) / 2
    item = items[0]
    calls = [
        ("find_item", {"query": item["name"]}),
        ("set_price", {"sku": item["sku"], "price": price}),
    ]
    answer = f"Done: {item['sku']} now costs {price:g}."
    state = _warehouse(draw, items, _shelves(draw, 1), [])
    return Draft(draw.say(name=item["name"], price=f"{price:g}"), state, calls, answer)


@BOOK.act(
    "We will sell a {name} now; it belongs to {category} and costs {price}.",
    "New in our range: {name}, {price} apiece, filed under {category}.",
    "Please enter the {name} into the catalogue ({category}, {price}).",
)
def new_item(draw: Draw) -> Draft:
    items, name = _items(draw, 1), draw.product() + " " + draw.word()
    category, price = draw.pick(_CATEGORIES), draw.number(6, 400) / 2
    calls = [("add_item", {"name": name, "category": category, "price": price})]
    prompt = draw.say(name=name, category=category, price=f"{price:g}")
    sku = f"SK-{int(items[0]['sku'][3:]) + 1}"
    state = _warehouse(draw, items, _shelves(draw, 1), [])
    return Draft(prompt, state, calls, f"Done: the {name} is {sku}.", (sku,))


@BOOK.act(
    "We start with {name}. Enter it without anything special and put {count} pieces on {shelf}.",
    "There is a new thing, {name}: make an entry for it, then book {count} of them onto {shelf}.",
    "{count} pieces of {name} arrived, which we never had before. They are on {shelf}.",
)
def new_item_arrives(draw: Draw) -> Draft:
    items, shelves = _items(draw, 1), _shelves(draw, 2)
    name, quantity = draw.product() + " " + draw.word(), draw.number(2, 30)
    sku = f"SK-{int(items[0]['sku'][3:]) + 1}"
    calls = [
        ("add_item", {"name": name}),
        ("receive_stock", {"sku": sku, "quantity": quantity, "location": shelves[0]}),
    ]
    prompt = draw.say(name=name, count=quantity, shelf=shelves[0])
    answer = f"Done: {sku} was entered, {quantity} pieces are on {shelves[0]}."
    return Draft(prompt, _warehouse(draw, items, shelves, []), calls, answer, (sku,))


@BOOK.act(
    "What do we have too little of?",
    "Which things must be ordered again?",
    "Anything running out?",
    "The buyer asks what is getting scarce.",
)
def scarce(draw: Draw) -> Draft:
    items, shelves = _items(draw, 2), _shelves(draw, 1)
    low, fine = items
    low["reorder_level"], fine["reorder_level"] = 20, 2
    stock = [(low, shelves[0], draw.number(1, 9)), (fine, shelves[0], draw.number(5, 30))]
    answer = f"There is too little of {low['sku']}, the {low['name']}."
    state = _warehouse(draw, items, shelves, stock)
    return Draft(draw.say(), state, [("low_stock", {})], answer, (low["sku"],))


@BOOK.act(
    "Find out which of the {category} things is running low, and get a warning for it below "
    "{level} from now on.",
    "One article in {category} is scarce. Whichever it is, we want to order it again as soon as "
    "there are fewer than {level}.",
)
def warn_earlier(draw: Draw) -> Draft:
    items, shelves = _items(draw, 2), _shelves(draw, 1)
    low, level = items[0], draw.number(30, 90)
    categories = draw.sample(_CATEGORIES, 2)
    for item, category in zip(items, categories, strict=True):
        item["category"], item["reorder_level"] = category, draw.number(10, 20)
    calls = [
        ("low_stock", {"category": low["category"]}),
        ("set_reorder_level", {"sku": low["sku"], "reorder_level": level}),
    ]
    answer = f"Done: {low['sku']} is ordered again below {level}."
    state = _warehouse(draw, items, shelves, [(low, shelves[0], draw.number(1, 9))])
    return Draft(draw.say(category=low["category"], level=level), state, calls, answer)


@BOOK.act(
    "We put up a shelf {shelf} for {purpose}. Then move {count} of {sku} there from {source}.",
    "Shelf {shelf} is new and meant for {purpose}; {count} pieces of {sku} should go there from "
    "{source}.",
)
def new_shelf(draw: Draw) -> Draft:
    (item,), (source, shelf) = _items(draw, 1), _shelves(draw, 2)
    purpose = draw.pick(("returns", "spare parts", "heavy goods", "samples", "gifts", "seconds"))
    before = draw.number(10, 40)
    quantity = draw.number(1, before)
    calls = [
        ("open_location", {"code": shelf, "note": purpose}),
        (
            "move_stock",
            {"sku": item["sku"], "quantity": quantity, "source": source, "target": shelf},
        ),
    ]
    prompt = draw.say(shelf=shelf, purpose=purpose, count=quantity, sku=item["sku"], source=source)
    answer = f"Done: {shelf} is open and holds {quantity} of {item['sku']}."
    return Draft(
        prompt, _warehouse(draw, [item], [source], [(item, source, before)]), calls, answer
    )


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
    state = _warehouse(draw, _items(draw, 1), _shelves(draw, 1), [])
    return Draft(draw.say(name=draw.first_name()), state, [], reply)


@BOOK.restrain(
    "A box holds {each} pieces and I have {boxes} boxes. How many pieces is that?",
    "{boxes} boxes with {each} in each of them: what does that make?",
    "Quick sum, nothing to book: {boxes} times {each}?",
)
def arithmetic(draw: Draw) -> Draft:
    boxes, each = draw.number(2, 9), draw.pick((2, 5, 10, 20, 50, 100))
    state = _warehouse(draw, _items(draw, 1), _shelves(draw, 1), [])
    total = boxes * each
    prompt = draw.say(boxes=boxes, each=each)
    return Draft(prompt, state, [], f"That makes {total} pieces.", (str(total),))


@BOOK.restrain(
    "Please {wish}.",
    "It would help if you could {wish}.",
    "The boss says: {wish}, today!",
)
def beyond_inventory(draw: Draw) -> Draft:
    (item,) = _items(draw, 1)
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
    return Draft(draw.say(wish=wish), _warehouse(draw, [item], _shelves(draw, 1), []), [], answer)


@BOOK.restrain(
    "{sku} should cost {price} instead.",
    "Change what we ask for {sku} to {price}, please.",
)
def no_prices(draw: Draw) -> Draft:
    (item,), price = _items(draw, 1), draw.number(5, 300)
    answer = f"Sorry, I have no tool that changes the price of {item['sku']}."
    state = _warehouse(draw, [item], _shelves(draw, 1), [])
    return Draft(draw.say(sku=item["sku"], price=price), state, [], answer, without=("set_price",))
