"""Prompts of the `contacts` world that need calls, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall

BOOK = Book(
    asides=(
        "My phone fell into the lake.",
        "Christmas cards are due soon.",
        "I met so many people at the fair.",
        "Family, you know how it is.",
        "Half of these numbers are ancient.",
    )
)

_GROUPS = ("choir", "neighbours", "family", "chess club", "football", "colleagues", "school")


def phone(draw: Draw) -> str:
    return f"{draw.number(200, 989)}-{draw.number(100, 999)}-{draw.number(1000, 9999)}"


def mail(draw: Draw) -> str:
    return f"{draw.word()}{draw.number(1, 99)}@{draw.fake.domain_name()}"


def people(draw: Draw, count: int, **fixed: Any) -> list[dict[str, Any]]:
    """Entries with random content, in no order; `fixed` holds for the first."""
    names = draw.several(draw.person, count)
    made: list[dict[str, Any]] = [
        {"id": number, "name": name, "mobile": phone(draw), "email": mail(draw)}
        for number, name in zip(draw.numbers(20, 199, count), names, strict=True)
    ]
    made[0].update(fixed)
    return made


def book_of(entries: list[dict[str, Any]], **groups: list[int]) -> dict[str, Any]:
    """A state with the given entries, and numbers of members by group (`_` for a space)."""
    members = [
        {"person": number, "circle": circle.replace("_", " ")}
        for circle, numbers in groups.items()
        for number in numbers
    ]
    return {"people": sorted(entries, key=lambda entry: int(entry["id"])), "members": members}


def _key(group: str) -> str:
    return group.replace(" ", "_")


@BOOK.act(
    "I met {name} today, {phone} is the mobile. Keep that.",
    "Somebody new for my address book: {name}, {phone}.",
    "{name} gave me this number: {phone}. We have no entry yet.",
    "Please save {name} with mobile {phone}.",
)
def acquaintance(draw: Draw) -> Draft:
    old, name, number = people(draw, 1), draw.person(), phone(draw)
    calls: list[OracleCall] = [("new_contact", {"full_name": name, "phone": number})]
    answer = f"Done: {name} is in the address book."
    return Draft(draw.say(name=name, phone=number), book_of(old), calls, answer)


@BOOK.act(
    "Make an entry for {name} from {city}; mail goes to {mail}.",
    "{name} lives in {city} and reads {mail}. I have not saved that yet.",
    "New entry: {name}, {city}, {mail}",
)
def acquaintance_by_mail(draw: Draw) -> Draft:
    old, name, city, address = people(draw, 1), draw.person(), draw.city(), mail(draw)
    arguments = {"full_name": name, "email": address, "city": city}
    answer = f"Done: {name} is in the address book."
    prompt = draw.say(name=name, city=city, mail=address)
    return Draft(prompt, book_of(old), [("new_contact", arguments)], answer)


@BOOK.act(
    "What is the mobile number of {name}?",
    "How do I reach {name} by phone?",
    "I want to ring {name}. Which number?",
    "{name}'s number, quickly!",
)
def ring(draw: Draw) -> Draft:
    entries = people(draw, 2)
    person = entries[0]
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("contact_card", {"contact_id": person["id"]}),
    ]
    answer = f"{person['name']} has {person['mobile']}."
    prompt = draw.say(name=person["name"])
    return Draft(prompt, book_of(entries), calls, answer, (person["mobile"],))


@BOOK.act(
    "Where does the person with number {number} live?",
    "Which town is contact {number} in?",
    "Contact {number}: which place do they call home?",
)
def home_town(draw: Draw) -> Draft:
    city = draw.city()
    entries = people(draw, 2, city=city)
    person = entries[0]
    calls: list[OracleCall] = [("contact_card", {"contact_id": person["id"]})]
    answer = f"{person['name']} lives in {city}."
    return Draft(draw.say(number=person["id"]), book_of(entries), calls, answer, (city,))


@BOOK.act(
    "What did I want to remember about contact {number}?",
    "There is something I wrote down about contact {number}. Remind me.",
    "Contact {number} had some remark. What was it?",
)
def recall(draw: Draw) -> Draft:
    note = draw.line()
    entries = people(draw, 1, note=note)
    arguments = {"contact_id": entries[0]["id"], "with_note": True}
    calls: list[OracleCall] = [("contact_card", arguments)]
    prompt = draw.say(number=entries[0]["id"])
    return Draft(prompt, book_of(entries), calls, f"You noted: {note}", (note,))


@BOOK.act(
    "Contact {number} has a new mobile: {phone}.",
    "For number {number} please use {phone} as mobile from now on.",
    "The mobile of contact {number} changed to {phone}.",
)
def new_mobile(draw: Draw) -> Draft:
    entries, number = people(draw, 2), phone(draw)
    person = entries[0]
    calls: list[OracleCall] = [("change_phone", {"contact_id": person["id"], "number": number})]
    answer = f"Done: contact {person['id']} has {number}."
    return Draft(draw.say(number=person["id"], phone=number), book_of(entries), calls, answer)


@BOOK.act(
    "{name} can be reached under {phone} at {where} now.",
    "At {where}, {name} has the number {phone}. Put that in.",
    "{phone} is where {name} answers at {where}; correct the entry.",
)
def other_phone(draw: Draw) -> Draft:
    entries, number, kind = people(draw, 2), phone(draw), draw.pick(("home", "work"))
    person = entries[0]
    arguments = {"contact_id": person["id"], "number": number, "kind": kind}
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("change_phone", arguments),
    ]
    answer = f"Done: {person['name']} has {number} at {kind}."
    prompt = draw.say(name=person["name"], phone=number, where=kind)
    return Draft(prompt, book_of(entries), calls, answer)


@BOOK.act(
    "Mail for {name} goes to {mail} from today.",
    "{name} changed provider, it is {mail} now.",
    "Write to {name} at {mail} in future, so fix the entry.",
)
def new_mail(draw: Draw) -> Draft:
    entries, address = people(draw, 2), mail(draw)
    person = entries[0]
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("change_email", {"contact_id": person["id"], "address": address}),
    ]
    answer = f"Done: {person['name']} has {address}."
    return Draft(draw.say(name=person["name"], mail=address), book_of(entries), calls, answer)


@BOOK.act(
    "Who belongs to the {group}?",
    "Give me the names in the {group} group.",
    "I want to write to all of the {group}. Who is that?",
)
def circle(draw: Draw) -> Draft:
    entries, group = people(draw, 3), draw.pick(_GROUPS)
    inside = entries[: draw.number(1, 2)]
    state = book_of(entries, **{_key(group): [entry["id"] for entry in inside]})
    names = [entry["name"] for entry in inside]
    calls: list[OracleCall] = [("group_members", {"group": group})]
    answer = f"In the {group} group: {' and '.join(names)}."
    return Draft(draw.say(group=group), state, calls, answer, tuple(names))


@BOOK.act(
    "{name} is in the {group} now, too.",
    "Count {name} among the {group} group as well.",
    "The {group} group gets a new member, {name}.",
)
def welcome(draw: Draw) -> Draft:
    entries, group = people(draw, 2), draw.pick(_GROUPS)
    person, other = entries
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("join_group", {"contact_id": person["id"], "group": group}),
    ]
    state = book_of(entries, **{_key(group): [other["id"]]})
    answer = f"Done: {person['name']} is in the {group} group."
    return Draft(draw.say(name=person["name"], group=group), state, calls, answer)


@BOOK.act(
    "Start a group called {group}; contact {number} is the first one in it.",
    "There is no {group} group so far. Found it with contact {number}.",
)
def new_circle(draw: Draw) -> Draft:
    entries, group = people(draw, 2), f"{draw.topic()} friends"
    number = entries[0]["id"]
    arguments = {"contact_id": number, "group": group, "create": True}
    answer = f"Done: contact {number} is in the new {group} group."
    prompt = draw.say(group=group, number=number)
    return Draft(prompt, book_of(entries), [("join_group", arguments)], answer)


@BOOK.act(
    "Remember about contact {number}: {note}",
    "With contact {number} I want to keep in mind '{note}'.",
    "Contact {number} - {note} - so that I do not forget.",
)
def remember(draw: Draw) -> Draft:
    entries, note = people(draw, 2), draw.line()
    arguments = {"contact_id": entries[0]["id"], "note": note}
    answer = f"Done: the note about contact {entries[0]['id']} is kept."
    prompt = draw.say(number=entries[0]["id"], note=note)
    return Draft(prompt, book_of(entries), [("keep_note", arguments)], answer)


@BOOK.act(
    "I have {name} twice. The entry with the lower number should stay.",
    "{name} appears two times; make it one entry and let the smaller number survive.",
)
def twice(draw: Draw) -> Draft:
    entries = people(draw, 3)
    name = entries[1]["name"] = entries[0]["name"]
    keep, drop = sorted((entries[0]["id"], entries[1]["id"]))
    calls: list[OracleCall] = [
        ("look_up_person", {"name": name}),
        ("merge_contacts", {"keep_id": keep, "drop_id": drop}),
    ]
    answer = f"Done: {name} is only contact {keep} now."
    return Draft(draw.say(name=name), book_of(entries), calls, answer)


@BOOK.act(
    "{name} wants to be forgotten, so the whole entry goes.",
    "I never want to see {name} in this book again.",
    "Get rid of everything we have on {name}.",
)
def forget(draw: Draw) -> Draft:
    entries = people(draw, 2)
    person = entries[0]
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("delete_contact", {"contact_id": person["id"]}),
    ]
    answer = f"Done: {person['name']} is no longer in the address book."
    return Draft(draw.say(name=person["name"]), book_of(entries), calls, answer)


@BOOK.act(
    "{name} left the {group} and has a new mail address: {mail}.",
    "First take {name} out of the {group} group, then correct the mail to {mail}.",
    "{name} does not belong to the {group} any longer. Mail goes to {mail} now.",
)
def moved_on(draw: Draw) -> Draft:
    entries, group, address = people(draw, 2), draw.pick(_GROUPS), mail(draw)
    person = entries[0]
    calls: list[OracleCall] = [
        ("look_up_person", {"name": person["name"]}),
        ("leave_group", {"contact_id": person["id"], "group": group}),
        ("change_email", {"contact_id": person["id"], "address": address}),
    ]
    state = book_of(entries, **{_key(group): [entry["id"] for entry in entries]})
    answer = f"Done: {person['name']} left the {group} and has {address}."
    return Draft(draw.say(name=person["name"], group=group, mail=address), state, calls, answer)
