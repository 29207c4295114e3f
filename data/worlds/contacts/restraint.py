"""Prompts of the `contacts` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.contacts.tasks import book_of, people

BOOK = Book()


@BOOK.restrain(
    "{name} sends you warm greetings.",
    "It is good to have all my friends in one place.",
    "I finally spoke to {name} again, after ten years!",
    "Sleep well, we go on tomorrow.",
)
def greetings(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "How nice! Let me know when an entry has to change.",
            "Thank you, that is kind. I am ready whenever you are.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), book_of(people(draw, 1)), [], reply)


@BOOK.restrain(
    "Take the name {name}: what is the last name in it?",
    "Out of curiosity, which part of '{name}' is the family name?",
)
def family_name(draw: Draw) -> Draft:
    name = draw.person()
    last = name.split()[-1]
    answer = f"The family name is {last}."
    return Draft(draw.say(name=name), book_of(people(draw, 1)), [], answer, (last,))


@BOOK.restrain(
    "Let us {wish}.",
    "Be so kind and {wish}.",
    "{name} says you could {wish}.",
)
def beyond_contacts(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"send flowers to {draw.person()}", "send flowers"),
            (f"ring up {draw.person()} right away", "make calls"),
            (f"post a parcel to {draw.city()}", "post parcels"),
            (f"sing a song for {draw.first_name()}", "sing"),
            (f"find out the weather in {draw.city()}", "see the weather"),
        )
    )
    answer = f"That is beyond me: I cannot {short}, I only keep the address book."
    prompt = draw.say(wish=wish, name=draw.first_name())
    return Draft(prompt, book_of(people(draw, 1)), [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Contact {number} has to go for good.",
    "Strike contact {number} from the book.",
)
def no_deleting(draw: Draw) -> Draft:
    entries = people(draw, 1)
    number = entries[0]["id"]
    answer = f"That is beyond me: I have no tool that removes contact {number}."
    without = ("delete_contact", "merge_contacts")
    return Draft(
        draw.say(number=number), book_of(entries), [], answer, without=without, ending=Ending.ADMIT
    )
