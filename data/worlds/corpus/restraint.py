"""Prompts of the `library` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.corpus import shelf as shelves

BOOK = Book()


@BOOK.restrain(
    "{name} loved the seminar, thank you for all the digging.",
    "What a pile of paper. I will have tea with {name} now.",
    "Good morning from the reading room, {name} and I have just sat down.",
    "the bibliography is perfect as it is. greetings, {name}",
    "I am {name}, new here. Nothing to look for yet!",
)
def reading_room_chat(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "Lovely! Tell me when there is something to look up.",
            "Thank you. I am here when you need a document.",
            "Have a good time! I will be around for the next question.",
        )
    )
    state = shelves.holding(shelves.shelf(draw, 1))
    return Draft(draw.say(name=draw.first_name()), state, [], reply)


@BOOK.restrain(
    "Can I ask you to {wish}?",
    "{name} would like you to {wish}.",
    "And then, {wish}.",
    "next on my list: {wish}",
)
def beyond_shelves(draw: Draw) -> Draft:
    (row,) = shelves.shelf(draw, 1)
    wish, short = draw.pick(
        (
            (f"renew the loan of {row['id']} until Friday", "renew loans"),
            (f"translate {row['id']} into Polish", "translate documents"),
            (f"invite {draw.person()} to the seminar", "invite people"),
            (f"buy the new edition of '{row['title']}'", "buy books"),
            (f"correct the misprint in {row['id']} itself", "change documents"),
            (f"scan the map of {draw.city()} on the shelf", "scan things"),
            (f"delete {row['id']} from the catalogue", "delete documents"),
        )
    )
    answer = f"I regret that I cannot {short}: my tools only search, read and collect."
    prompt = draw.say(wish=wish, name=draw.first_name())
    return Draft(prompt, shelves.holding([row]), [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Put {code} on a reading list.",
    "{code} should be on one of the lists, {name} says.",
    "List it: {code}.",
    "Please add {code} to the list, you know which",
)
def list_missing(draw: Draw) -> Draft:
    (row,) = shelves.shelf(draw, 1)
    names = draw.several(lambda: shelves.list_name(draw), 2)
    state = shelves.holding([row], lists={name: [] for name in names})
    prompt = draw.say(code=row["id"], name=draw.first_name())
    return Draft(
        prompt, state, [], f"Which reading list should {row['id']} go on?", ending=Ending.ASK
    )


@BOOK.restrain(
    "Attach a remark to {code}.",
    "{code} needs a note from me.",
    "I have something to say about {code}, note it down.",
    "note on {code} please, {name} will read it",
)
def remark_missing(draw: Draw) -> Draft:
    (row,) = shelves.shelf(draw, 1)
    prompt = draw.say(code=row["id"], name=draw.first_name())
    return Draft(
        prompt,
        shelves.holding([row]),
        [],
        f"What should the note on {row['id']} say?",
        ending=Ending.ASK,
    )


@BOOK.restrain(
    "Quote that sentence in {code} for me.",
    "One sentence of {code} has to go among the quotations.",
    "{name} wants a quotation from {code}.",
    "get me the quote, {code}",
)
def sentence_missing(draw: Draw) -> Draft:
    (row,) = shelves.shelf(draw, 1)
    prompt = draw.say(code=row["id"], name=draw.first_name())
    answer = f"Which sentence of {row['id']} should I quote, and from which section?"
    return Draft(prompt, shelves.holding([row]), [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "{name} has already put {code} on '{where}', so you need not.",
    "No need to bookmark {code} any more, I printed it. '{where}' is fine too.",
    "'{where}' has {code} on it since yesterday, everything is in order there.",
    "forget about {code}: {name} exported '{where}' an hour ago",
)
def listed_already(draw: Draw) -> Draft:
    (row,), name = shelves.shelf(draw, 1), shelves.list_name(draw)
    state = shelves.holding([row], lists={name: [row["id"]]})
    prompt = draw.say(code=row["id"], where=name, name=draw.first_name())
    return Draft(prompt, state, [], f"Fine, then {name} stays as it is.")


@BOOK.restrain(
    'Here is what I read: "{passage}" Which town is named in it? No need to search.',
    '"{passage}" - in this sentence, which town is meant?',
    "I paste a line: {passage} What is the town called? It stands right there.",
    "One for you, no catalogue needed. {passage} Name the town.",
)
def pasted_passage(draw: Draw) -> Draft:
    town = draw.city()
    passage = f"{draw.person()} reported {draw.number(3, 900)} cases near {town}."
    state = shelves.holding(shelves.shelf(draw, 1))
    return Draft(draw.say(passage=passage), state, [], f"The town is {town}.", (town,))


@BOOK.restrain(
    "Write '{where}' out as a bibliography.",
    "Give me the list {where} in BibTeX.",
    "{name} needs '{where}' exported before noon.",
    "export {where}",
)
def no_export(draw: Draw) -> Draft:
    documents, name = shelves.shelf(draw, 2), shelves.list_name(draw)
    state = shelves.holding(documents, lists={name: [d["id"] for d in documents]})
    answer = f"I regret that I have no tool that writes out {name}."
    prompt = draw.say(where=name, name=draw.first_name())
    without = ("export_list", "show_reading_list")
    return Draft(prompt, state, [], answer, without=without, ending=Ending.ADMIT)
