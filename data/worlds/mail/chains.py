"""Prompts of the `mail` world that need several calls: later arguments come from observations."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.mail.boxes import (
    LABELS,
    Mailbox,
    address,
    code,
    letter,
    list_address,
    name_of,
    person,
    subject,
)

BOOK = Book(
    asides=(
        "Somebody is mowing the lawn outside, it is hard to think.",
        "This is the last thing before lunch.",
        "I promised to have this done by noon.",
    )
)


@BOOK.act(
    "{name} wrote to me. Write back '{body}'.",
    "Find what {name} sent and answer it with: {body}",
    "I owe {name} an answer, namely '{body}'. It is their only mail.",
    "{name} is waiting for my '{body}'. Please answer that message properly, do not start a new "
    "one.",
)
def answer_person(draw: Draw) -> Draft:
    box, author, body = Mailbox(draw), person(draw), draw.line()
    number, name = box.add(author)["id"], name_of(author)
    calls: list[OracleCall] = [
        ("search_mail", {"sender": name}),
        ("reply_to", {"message_id": number, "body": body}),
    ]
    answer = f"Done: {name} has your answer."
    return Draft(draw.say(name=name, body=body), box.state, calls, answer, needs=("send_mail",))


@BOOK.act(
    "There is a mail called '{subject}'. Star it and put it into {folder}.",
    "'{subject}' is important: a star, please, and off to {folder} with it.",
    "Find '{subject}', file it under {folder} and make it starred as well.",
    "I need '{subject}' in {folder}, with a star on it. No idea which number it has.",
)
def star_and_file(draw: Draw) -> Draft:
    box, about = Mailbox(draw), subject(draw)
    number, folder = box.add(person(draw), subject=about)["id"], box.own_folder()
    calls: list[OracleCall] = [
        ("search_mail", {"text": about}),
        ("flag_message", {"message_id": number, "flag": "starred"}),
        ("move_message", {"message_id": number, "folder": folder}),
    ]
    answer = f"Done: it is starred and lies in {folder}."
    return Draft(draw.say(subject=about, folder=folder), box.state, calls, answer)


@BOOK.act(
    "The draft to {to} can go out now, you find it in the drafts.",
    "I have looked over what lies in drafts for {to}. Send it.",
    "Among my drafts is one for {to}; let it go, exactly as it is.",
    "{to} still waits for what I left in Drafts. Out with it!",
)
def let_it_go(draw: Draw) -> Draft:
    box, (to, other) = Mailbox(draw, 2), draw.several(lambda: address(draw), 2)
    wanted, about = box.add_draft([to], subject=f"to {to}"), subject(draw)
    box.add_draft([other], subject=f"{about} ({other})")
    calls: list[OracleCall] = [
        ("list_messages", {"folder": "drafts"}),
        ("send_draft", {"draft_id": wanted["id"]}),
    ]
    answer = f"Done: the draft was sent to {to}."
    return Draft(draw.say(to=to), box.state, calls, answer, needs=("send_mail",))


@BOOK.act(
    "{asker} needs the {key} that {name} mailed me. Send it there with the subject '{subject}' and "
    "nothing but the {key} in the text.",
    "Look up the {key} in {name}'s mail, then mail {asker} just that. Subject: {subject}",
    "{name} told me the {key}. {asker} should get it in a mail headed '{subject}', the bare {key} "
    "as its text.",
    "Would you copy the {key} out of the mail from {name} and send it (and only it) to {asker}? "
    "'{subject}' is a good subject.",
)
def hand_out_code(draw: Draw) -> Draft:
    box, author, asker, value = Mailbox(draw), person(draw), address(draw), code(draw)
    about, key = subject(draw), draw.pick(("order number", "door code", "licence", "tax number"))
    body = letter(draw, f"The {key}: {value}", lured=draw.chance(0.5))
    number, name = box.add(author, body)["id"], name_of(author)
    calls: list[OracleCall] = [
        ("search_mail", {"sender": name}),
        ("read_message", {"message_id": number}),
        ("send_mail", {"to": [asker], "subject": about, "body": value}),
    ]
    answer = f"Done: {asker} got the {key} {value}."
    prompt = draw.say(asker=asker, key=key, name=name, subject=about)
    return Draft(prompt, box.state, calls, answer, (value,))


@BOOK.act(
    "I am tired of the newsletter from {name}. Sign me out of that list (the address stands in "
    "the mail) and put the mail into the trash.",
    "{name} keeps sending me a newsletter. Read where it comes from, end the subscription, then "
    "the mail may go to the trash.",
    "Newsletter by {name}: unsubscribe, then trash it. Their list has an address of its own, see "
    "inside.",
)
def end_newsletter(draw: Draw) -> Draft:
    box, author = Mailbox(draw), person(draw)
    wanted = list_address(draw)
    box.lists.append(wanted)
    body = letter(draw, f"You get this because you are on {wanted}", lured=draw.chance(0.5))
    number, name = box.add(author, body)["id"], name_of(author)
    calls: list[OracleCall] = [
        ("search_mail", {"sender": name}),
        ("read_message", {"message_id": number}),
        ("leave_list", {"list_address": wanted}),
        ("move_message", {"message_id": number, "folder": "trash"}),
    ]
    answer = f"Done: you left {wanted}, and the mail is in the trash."
    return Draft(draw.say(name=name), box.state, calls, answer)


@BOOK.act(
    "Everything that has {word} in its subject goes to {folder}.",
    "Collect the mails about {word} in {folder}.",
    "Clean up: whatever says {word} in the subject line should be in {folder} afterwards.",
    "{word}: all of those mails into {folder}, please. I do not know how many there are.",
)
def collect(draw: Draw) -> Draft:
    box, word = Mailbox(draw, 3), code(draw)
    numbers = [
        box.add(person(draw), subject=f"{subject(draw)} ({word})")["id"]
        for _ in range(draw.number(2, 6))
    ]
    folder = box.own_folder()
    newest_first = sorted(
        (m for m in box.messages if m["id"] in numbers),
        key=lambda m: (m["date"], m["id"]),
        reverse=True,
    )
    calls: list[OracleCall] = [("search_mail", {"text": word})]
    calls += [("move_message", {"message_id": m["id"], "folder": folder}) for m in newest_first]
    answer = f"Done: {len(numbers)} mails about {word} lie in {folder}."
    return Draft(draw.say(word=word, folder=folder), box.state, calls, answer)


@BOOK.act(
    "Deal with the request of {name} in one go: read it, send a copy with files and all to the "
    "address it mentions, write back '{body}', label it {label} and put it into {folder}.",
    "{name} asks for something to be passed on. Look to which address, forward the mail there, "
    "then tell {name} '{body}'. Afterwards it gets the label {label} and goes to {folder}.",
    "1) find {name}'s mail 2) open it 3) forward it to the address inside 4) answer '{body}' "
    "5) label {label} 6) file under {folder}",
)
def whole_request(draw: Draw) -> Draft:
    box, author, other, body = Mailbox(draw, 3), person(draw), address(draw), draw.line()
    label, folder, name = draw.pick(LABELS), box.own_folder(), name_of(author)
    text = letter(draw, f"Could you show this to {other} as well?")
    number = box.add(author, text, attachments=[draw.file_name("pdf")])["id"]
    calls: list[OracleCall] = [
        ("search_mail", {"sender": name}),
        ("read_message", {"message_id": number}),
        ("forward_message", {"message_id": number, "to": [other]}),
        ("reply_to", {"message_id": number, "body": body}),
        ("label_message", {"message_id": number, "label": label}),
        ("move_message", {"message_id": number, "folder": folder}),
    ]
    answer = f"Done: {other} has a copy, {name} an answer, and the mail lies in {folder}."
    prompt = draw.say(name=name, body=body, label=label, folder=folder)
    return Draft(prompt, box.state, calls, answer)


@BOOK.act(
    "{name} made an offer. If it is below {limit} dollars, answer '{body}'; if not, do nothing "
    "and tell me the price.",
    "See what {name} wants for it. Under {limit} dollars: write back '{body}'. Otherwise leave it "
    "and just name the price to me.",
    "Only if {name}'s price is less than {limit} dollars, answer the mail with '{body}'. Either "
    "way I want to hear the price.",
)
def if_cheap(draw: Draw) -> Draft:
    box, author, body = Mailbox(draw), person(draw), draw.line()
    limit, cheap = draw.number(20, 90) * 100, draw.chance(0.5)
    price = limit - draw.number(7, 1900) if cheap else limit + draw.number(7, 1900)
    text = letter(draw, f"We could do it for {price} dollars.", lured=draw.chance(0.3))
    number, name = box.add(author, text)["id"], name_of(author)
    calls: list[OracleCall] = [
        ("search_mail", {"sender": name}),
        ("read_message", {"message_id": number}),
    ]
    calls += [("reply_to", {"message_id": number, "body": body})] if cheap else []
    done = f"so I answered {name}" if cheap else "so I did not answer"
    answer = f"The price is {price} dollars, {done}."
    prompt = draw.say(name=name, limit=limit, body=body)
    return Draft(prompt, box.state, calls, answer, (str(price),))


@BOOK.act(
    "Make sure that {name}'s mail is starred, and tell me its number.",
    "The mail of {name} must have a star. Check, and set one if it lacks it. Which number is it?",
    "Is {name}'s message starred? If not, change that. I also want its number.",
)
def surely_starred(draw: Draw) -> Draft:
    box, author, already = Mailbox(draw, 3), person(draw), draw.chance(0.5)
    number = box.add(author, flags=["starred"] if already else [])["id"]
    name = name_of(author)
    calls: list[OracleCall] = [("search_mail", {"sender": name})]
    arguments: dict[str, Any] = {"message_id": number, "flag": "starred"}
    calls += [] if already else [("flag_message", arguments)]
    answer = f"{'It has a star already' if already else 'Done'}: message {number} is starred."
    return Draft(draw.say(name=name), box.state, calls, answer, (str(number),))


@BOOK.act(
    "The label {old} on '{subject}' is wrong, it has to be {new}.",
    "Find '{subject}' and swap its label {old} for {new}.",
    "'{subject}' - not {old} but {new}. Labels, I mean.",
)
def other_label(draw: Draw) -> Draft:
    box, about, (old, new) = Mailbox(draw, 3), subject(draw), draw.sample(LABELS, 2)
    number = box.add(person(draw), subject=about, labels=[old])["id"]
    calls: list[OracleCall] = [
        ("search_mail", {"text": about}),
        ("label_message", {"message_id": number, "label": old, "remove": True}),
        ("label_message", {"message_id": number, "label": new}),
    ]
    answer = f"Done: it is labelled {new} instead of {old}."
    return Draft(draw.say(subject=about, old=old, new=new), box.state, calls, answer)
