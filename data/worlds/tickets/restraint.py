"""Prompts of the `tickets` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.tickets.tasks import problem, tickets, tracker

BOOK = Book()


@BOOK.restrain(
    "Nice, the board looks tidy.",
    "{name} here. I will bring a few bug reports tomorrow.",
    "That was all for this sprint, thank you!",
    "No rush today, {name} is on holiday.",
    "You can relax: {name} closed the last one alone.",
)
def pleasantries(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "Thanks! Write to me when a ticket comes up.",
            "Fine with me. I am around if something breaks.",
            "Good to hear. There is nothing for me to do then.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), tracker(tickets(draw, 1)), [], reply)


@BOOK.restrain(
    "Suppose a ticket is called '{title}'. Which company is it about? Do not touch the tracker.",
    'The subject says "{title}". Who is the customer there? You can tell from the words.',
    "In the sentence '{title}', which company is meant?",
)
def named_company(draw: Draw) -> Draft:
    company = draw.company()
    title = f"{problem(draw).split(' ')[0]} fails for {company}"
    state = tracker(tickets(draw, 1))
    return Draft(draw.say(title=title), state, [], f"It is about {company}.", (company,))


@BOOK.restrain(
    "Can you {wish}?",
    "{name} wonders if you would {wish}.",
    "Next, {wish}, please.",
)
def beyond_tickets(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"deploy the new version for {draw.company()}", "deploy anything"),
            (f"fix the source code of the {draw.topic()} page", "change source code"),
            (f"restart the server in {draw.city()}", "restart servers"),
            (f"give {draw.company()} their money back", "pay money back"),
            (f"draw a logo for {draw.company()}", "draw"),
            (f"interview {draw.person()} for the job", "hold interviews"),
        )
    )
    answer = f"I am afraid I cannot {short}; my tools only manage tickets."
    prompt = draw.say(wish=wish, name=draw.first_name())
    return Draft(prompt, tracker(tickets(draw, 1)), [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Say '{text}' in ticket {number}.",
    "Ticket {number} needs the remark '{text}'.",
)
def no_comments(draw: Draw) -> Draft:
    entries = tickets(draw, 1)
    number = entries[0]["id"]
    answer = f"I am afraid I have no tool for comments on ticket {number}."
    prompt = draw.say(text=draw.line(), number=number)
    return Draft(
        prompt, tracker(entries), [], answer, without=("add_comment",), ending=Ending.ADMIT
    )
