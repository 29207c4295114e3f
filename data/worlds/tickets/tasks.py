"""Prompts of the `tickets` world that need calls, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall

BOOK = Book(
    asides=(
        "The stand-up took forever again.",
        "Our customers are patient today, luckily.",
        "I am on the train, so I will be brief.",
        "Release day is near.",
        "Coffee first, but then this:",
    )
)

LABELS = ("bug", "ui", "docs", "backend", "billing", "mobile", "security", "wording", "login")
_SPOKEN_STATUS = {"open": "open", "in_progress": "in progress", "closed": "closed"}


def problem(draw: Draw, company: str = "") -> str:
    """A ticket's title, such as `Export fails for Smith Ltd`, about any company or that one."""
    part = draw.pick(
        ("Export", "Login", "Search", "Invoice page", "Upload", "Sync", "Report", "Password reset")
    )
    trouble = draw.pick(("fails for", "is slow for", "shows an error to", "is empty for"))
    return f"{part} {trouble} {company or draw.company()}"


def tickets(draw: Draw, count: int, **fixed: Any) -> list[dict[str, Any]]:
    """Tickets with random content; `fixed` holds for the first."""
    made = [
        {
            "id": number,
            "title": title,
            "status": draw.pick(("open", "in_progress")),
            "priority": draw.pick(("low", "normal")),
            "assignee": draw.first_name(),
        }
        for number, title in zip(
            draw.numbers(110, 980, count), draw.several(lambda: problem(draw), count), strict=True
        )
    ]
    made[0].update(fixed)
    return made


def tracker(entries: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> dict[str, Any]:
    """A state with the given tickets and other rows."""
    return {"tickets": sorted(entries, key=lambda entry: int(entry["id"])), **tables}


@BOOK.act(
    "Open a ticket: {title}",
    'We need a new ticket called "{title}".',
    "A customer reports '{title}'. Please file it.",
    "please log '{title}'",
    "Could you write down '{title}' in the tracker?",
)
def report(draw: Draw) -> Draft:
    old, title = tickets(draw, 1), problem(draw)
    number = old[0]["id"] + 1
    calls: list[OracleCall] = [("create_ticket", {"title": title})]
    answer = f"Done: this is ticket {number}."
    return Draft(draw.say(title=title), tracker(old), calls, answer)


@BOOK.act(
    "Open a ticket '{title}' for {person}; its priority is {priority}.",
    "{person} has to look at '{title}', {priority} priority. Make a ticket.",
    '"{title}" needs a ticket with {priority} priority, and {person} takes it.',
)
def report_for(draw: Draw) -> Draft:
    old, title, person = tickets(draw, 1), problem(draw), draw.first_name()
    priority = draw.pick(("low", "high"))
    arguments = {"title": title, "priority": priority, "assignee": person}
    number = old[0]["id"] + 1
    prompt = draw.say(title=title, person=person, priority=priority)
    answer = f"Done: {person} got ticket {number}."
    calls: list[OracleCall] = [("create_ticket", arguments)]
    return Draft(prompt, tracker(old), calls, answer)


@BOOK.act(
    "Ticket {number} counts as {status} from now on.",
    "Mark {number} as {status}, please.",
    "{number} -> {status}",
    "The tracker is wrong about {number}: it should be {status}.",
)
def progress(draw: Draw) -> Draft:
    before, after = draw.sample(("open", "in_progress", "closed"), 2)
    entries = tickets(draw, 2, status=before)
    number = entries[0]["id"]
    calls: list[OracleCall] = [("set_status", {"ticket_id": number, "status": after})]
    spoken = _SPOKEN_STATUS[after]
    answer = f"Done: ticket {number} is {spoken}."
    return Draft(draw.say(number=number, status=spoken), tracker(entries), calls, answer)


@BOOK.act(
    "{person} takes over ticket {number}.",
    "Hand {number} to {person}.",
    "From today {person} is responsible for number {number}.",
    "Ticket {number} is lying around. {person} has time for it.",
)
def hand_over(draw: Draw) -> Draft:
    entries = tickets(draw, 2, assignee="")
    person, number = draw.first_name(), entries[0]["id"]
    calls: list[OracleCall] = [("assign_ticket", {"ticket_id": number, "assignee": person})]
    answer = f"Done: ticket {number} belongs to {person}."
    return Draft(draw.say(person=person, number=number), tracker(entries), calls, answer)


@BOOK.act(
    "Reply in ticket {number}: {text}",
    "Let the people in {number} know: {text}",
    'Write "{text}" under ticket {number}.',
    "{number} deserves an answer, namely '{text}'.",
)
def answer_publicly(draw: Draw) -> Draft:
    return _comment(draw, {})


@BOOK.act(
    "Leave '{text}' in ticket {number}, but customers must not see it.",
    "Only for our own eyes, in {number}: {text}",
    'Put "{text}" into ticket {number} as a hidden remark for the team.',
)
def answer_internally(draw: Draw) -> Draft:
    return _comment(draw, {"internal": True})


def _comment(draw: Draw, extra: dict[str, Any]) -> Draft:
    entries, text = tickets(draw, 2), draw.line()
    number = entries[0]["id"]
    arguments = {"ticket_id": number, "text": text, **extra}
    answer = f"Done: ticket {number} has the comment."
    prompt = draw.say(number=number, text=text)
    return Draft(prompt, tracker(entries), [("add_comment", arguments)], answer)


@BOOK.act(
    "Who works on ticket {number}?",
    "Tell me who has {number} at the moment.",
    "{number}: whose is it?",
    "I would like to know the person behind ticket {number}.",
)
def whose(draw: Draw) -> Draft:
    entries = tickets(draw, 2)
    number, person = entries[0]["id"], entries[0]["assignee"]
    calls: list[OracleCall] = [("show_ticket", {"ticket_id": number})]
    answer = f"{person} works on ticket {number}."
    return Draft(draw.say(number=number), tracker(entries), calls, answer, (person,))


@BOOK.act(
    "What did people say about ticket {number}?",
    "Read me the discussion of {number}.",
    "Has anybody replied in {number}, and what?",
)
def discussion(draw: Draw) -> Draft:
    entries, text = tickets(draw, 1), draw.line()
    number = entries[0]["id"]
    calls: list[OracleCall] = [("show_ticket", {"ticket_id": number, "with_comments": True})]
    state = tracker(entries, comments=[{"ticket": number, "text": text, "internal": 0}])
    answer = f"Somebody wrote: {text}"
    return Draft(draw.say(number=number), state, calls, answer, (text,))


@BOOK.act(
    "How many tickets of {person} are {status}?",
    "Count what {person} has {status}.",
    "Number of {status} tickets on {person}'s desk?",
)
def workload(draw: Draw) -> Draft:
    status = draw.pick(("open", "in_progress", "closed"))
    entries = tickets(draw, draw.number(2, 4))
    person = draw.person()
    mine = draw.number(1, len(entries))
    for entry in entries[:mine]:
        entry.update(assignee=person, status=status)
    arguments = {"assignee": person} if status == "open" else {"status": status, "assignee": person}
    answer = f"{person} has {mine} of them."
    prompt = draw.say(person=person, status=_SPOKEN_STATUS[status])
    calls: list[OracleCall] = [("count_tickets", arguments)]
    return Draft(prompt, tracker(entries), calls, answer, (str(mine),))


@BOOK.act(
    "The trouble of {company} is solved, so close their ticket.",
    "{company} called: everything works again. Their ticket can be closed.",
    "Find what {company} reported and mark it as closed.",
)
def close_theirs(draw: Draw) -> Draft:
    entries = tickets(draw, 3, status="open")
    company = draw.company() + " " + draw.city()
    entries[0]["title"] = f"Export fails for {company}"
    number = entries[0]["id"]
    calls: list[OracleCall] = [
        ("search_tickets", {"text": company}),
        ("set_status", {"ticket_id": number, "status": "closed"}),
    ]
    answer = f"Done: ticket {number} is closed."
    return Draft(draw.say(company=company), tracker(entries), calls, answer)


@BOOK.act(
    "Look for the ticket '{title}'. Make it {priority} priority and give it to {person}.",
    '"{title}" is {priority} priority from now on, and {person} does it.',
    "{person} should deal with '{title}' ({priority} priority). I do not know its number.",
)
def escalate(draw: Draw) -> Draft:
    entries, person = tickets(draw, 2, priority="normal"), draw.first_name()
    priority = draw.pick(("low", "high"))
    number, title = entries[0]["id"], entries[0]["title"]
    calls: list[OracleCall] = [
        ("search_tickets", {"text": title}),
        ("set_priority", {"ticket_id": number, "priority": priority}),
        ("assign_ticket", {"ticket_id": number, "assignee": person}),
    ]
    answer = f"Done: ticket {number} has {priority} priority and belongs to {person}."
    prompt = draw.say(title=title, priority=priority, person=person)
    return Draft(prompt, tracker(entries), calls, answer)


@BOOK.act(
    "Tag ticket {number} with {label}.",
    "{number} is about {label}; label it so.",
    "Stick the label {label} on {number}, please.",
)
def tag(draw: Draw) -> Draft:
    entries, label = tickets(draw, 2), draw.pick(LABELS)
    number = entries[0]["id"]
    calls: list[OracleCall] = [("add_label", {"ticket_id": number, "label": label})]
    answer = f"Done: ticket {number} is labelled {label}."
    return Draft(draw.say(number=number, label=label), tracker(entries), calls, answer)


@BOOK.act(
    "Ticket {number} is labelled {old}, which is wrong. It should be {new} instead.",
    "Swap the label {old} of {number} for {new}.",
    "{number}: not {old} but {new}, as far as labels go.",
)
def relabel(draw: Draw) -> Draft:
    entries = tickets(draw, 1)
    (old, new), number = draw.sample(LABELS, 2), entries[0]["id"]
    calls: list[OracleCall] = [
        ("remove_label", {"ticket_id": number, "label": old}),
        ("add_label", {"ticket_id": number, "label": new}),
    ]
    state = tracker(entries, labels=[{"ticket": number, "label": old}])
    answer = f"Done: ticket {number} is labelled {new} instead of {old}."
    return Draft(draw.say(number=number, old=old, new=new), state, calls, answer)


@BOOK.act(
    "Ticket {number} is the same as {other}. Note that it duplicates it, and close {number}.",
    "{number} duplicates {other}: connect them that way, then {number} can be closed.",
)
def duplicate(draw: Draw) -> Draft:
    entries = tickets(draw, 2, status="open")
    number, other = entries[0]["id"], entries[1]["id"]
    calls: list[OracleCall] = [
        (
            "link_tickets",
            {"ticket_id": number, "other_id": other, "relation": "duplicates"},
        ),
        ("set_status", {"ticket_id": number, "status": "closed"}),
    ]
    answer = f"Done: {number} duplicates {other} and is closed."
    return Draft(draw.say(number=number, other=other), tracker(entries), calls, answer)
