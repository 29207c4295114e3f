"""Prompts of the `tickets` world that take many calls, each fed by what the ones before showed."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.tickets.tasks import LABELS, problem, tickets, tracker

BOOK = Book()


def _reported(draw: Draw, count: int, others: int) -> tuple[str, list[dict[str, Any]]]:
    """A company, and tickets of which the first `count`, in the order of their ids, are theirs."""
    company = f"{draw.company()} {draw.city()}"
    entries = tickets(draw, count + others)
    theirs = sorted(entries[:count], key=lambda entry: int(entry["id"]))
    for entry in theirs:
        entry["title"] = problem(draw, company)
    return company, [*theirs, *entries[count:]]


@BOOK.act(
    "Everything that {company} reported is solved. Close all of it and write '{text}' under each "
    "ticket.",
    "{company} is happy again: comment '{text}' on every ticket of theirs, then close them all.",
    "Find all tickets about {company}, say '{text}' in each and set them to closed.",
)
def close_all(draw: Draw) -> Draft:
    count, text = draw.number(2, 3), draw.line()
    company, entries = _reported(draw, count, 2)
    calls: list[OracleCall] = [("search_tickets", {"text": company})]
    for entry in entries[:count]:
        calls.append(("add_comment", {"ticket_id": entry["id"], "text": text}))
        calls.append(("set_status", {"ticket_id": entry["id"], "status": "closed"}))
    answer = f"Done: {count} tickets about {company} have the comment and are closed."
    return Draft(draw.say(company=company, text=text), tracker(entries), calls, answer)


@BOOK.act(
    "Some of the tickets about {company} belong to nobody yet. Look at each one and give those to "
    "{person}.",
    "{person} takes whatever {company} reported and nobody works on. Tickets that have somebody "
    "stay with them.",
    "Go through what {company} reported: no person on it means {person}. The others keep theirs.",
)
def unclaimed(draw: Draw) -> Draft:
    count = draw.number(3, 4)
    company, entries = _reported(draw, count, 1)
    person, free = draw.first_name(), sorted(draw.sample(range(count), draw.number(1, count - 1)))
    for place in free:
        entries[place]["assignee"] = ""
    calls: list[OracleCall] = [("search_tickets", {"text": company})]
    calls += [("show_ticket", {"ticket_id": entry["id"]}) for entry in entries[:count]]
    numbers = [entries[place]["id"] for place in free]
    calls += [("assign_ticket", {"ticket_id": one, "assignee": person}) for one in numbers]
    answer = f"Done: {person} has {' and '.join(str(one) for one in numbers)} now."
    return Draft(draw.say(company=company, person=person), tracker(entries), calls, answer)


@BOOK.act(
    "{company} reported the same trouble several times. The ticket with the lowest number stays; "
    "note of each other one that it duplicates that, and close it.",
    "Of the tickets about {company} keep only the lowest number. All the rest are duplicates of "
    "it: connect them so, then close them.",
    "There should be one ticket about {company}, namely the one with the smallest number. Link "
    "the others to it as its duplicates and close those.",
)
def same_trouble(draw: Draw) -> Draft:
    count = draw.number(3, 4)
    company, entries = _reported(draw, count, 1)
    first, *rest = entries[:count]
    calls: list[OracleCall] = [("search_tickets", {"text": company})]
    for entry in rest:
        entry["title"] = first["title"]
        link = {"ticket_id": entry["id"], "other_id": first["id"], "relation": "duplicates"}
        calls.append(("link_tickets", link))
        calls.append(("set_status", {"ticket_id": entry["id"], "status": "closed"}))
    answer = f"Done: only {first['id']} is left, {count - 1} duplicates are closed."
    return Draft(draw.say(company=company), tracker(entries), calls, answer)


@BOOK.act(
    "New ticket: '{title}'. Label it {one} and {two}, note that it blocks {number}, and leave "
    "'{text}' in it for our eyes only.",
    "File '{title}', tag it with both {one} and {two}, connect it as blocking {number}. Then add "
    "'{text}' to it, hidden from customers.",
    "'{title}' needs a ticket, the labels {one} and {two}, a link that says it blocks {number}, "
    "and '{text}' as a remark that only we can read.",
)
def report_in_full(draw: Draw) -> Draft:
    old, title, text = tickets(draw, 2), problem(draw), draw.line()
    blocked, new = old[0]["id"], max(entry["id"] for entry in old) + 1
    one, two = draw.sample(LABELS, 2)
    calls: list[OracleCall] = [
        ("create_ticket", {"title": title}),
        ("add_label", {"ticket_id": new, "label": one}),
        ("add_label", {"ticket_id": new, "label": two}),
        ("link_tickets", {"ticket_id": new, "other_id": blocked, "relation": "blocks"}),
        ("add_comment", {"ticket_id": new, "text": text, "internal": True}),
    ]
    prompt = draw.say(title=title, one=one, two=two, number=blocked, text=text)
    answer = f"Done: ticket {new} is filed and blocks {blocked}."
    return Draft(prompt, tracker(old), calls, answer)
