"""Prompts of the `mail` world in which one call changes something, and the call.

Questions are in `mail_lookups`, longer ones in `mail_chains`.
"""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from datetime import timedelta

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.mail.boxes import (
    LABELS,
    Mailbox,
    address,
    person,
    subject,
)

BOOK = Book(
    asides=(
        "I am only halfway through my mailbox.",
        "The wifi in this hotel is terrible.",
        "Two hundred mails after one week off, imagine.",
        "Sorry for the typos, I write this with one thumb.",
        "My meeting begins in a minute.",
        "You would not believe what people send around.",
        "Our printer is broken again, by the way.",
        "I have to catch a plane soon.",
        "Inbox zero will remain a dream.",
    )
)


@BOOK.act(
    "Write to {to}. Subject: '{subject}'. Text: {body}",
    'Please mail {to} the following: "{body}" The subject line is "{subject}".',
    "{to} has to know this: '{body}'. Put '{subject}' on top and off it goes.",
    "mail -> {to} / {subject} / {body}",
    "Could you drop {to} a line about '{subject}'? It only has to say '{body}'.",
    "There is something to send out. It is headed '{subject}', goes to {to} and says: {body}",
)
def new_letter(draw: Draw) -> Draft:
    box, to, about, body = Mailbox(draw, 2), address(draw), subject(draw), draw.line()
    calls: list[OracleCall] = [("send_mail", {"to": [to], "subject": about, "body": body})]
    prompt = draw.say(to=to, subject=about, body=body)
    return Draft(prompt, box.state, calls, f"Done: {to} has the mail.", needs=("save_draft",))


@BOOK.act(
    "This cannot wait: tell {one} and {two} '{body}', subject '{subject}'. Mark it as urgent.",
    "Urgent mail, flagged as such, to {one} as well as {two}! Subject '{subject}', text '{body}'.",
    "{one}, {two}: both need '{body}' under the heading '{subject}', with the highest importance.",
    "Send '{body}' to {one} and also to {two}. It is called '{subject}' and must look very "
    "important.",
)
def urgent_letter(draw: Draw) -> Draft:
    box, (one, two) = Mailbox(draw, 1), draw.several(lambda: address(draw), 2)
    about, body = subject(draw), draw.line()
    arguments = {"to": [one, two], "subject": about, "body": body, "importance": "high"}
    prompt = draw.say(one=one, two=two, subject=about, body=body)
    answer = f"Done: {one} and {two} have the urgent mail."
    return Draft(prompt, box.state, [("send_mail", arguments)], answer)


@BOOK.act(
    "Prepare a mail to {to}, '{subject}', saying '{body}'. I will look at it before it goes out.",
    "Do not send it yet, just write it down for later: to {to}, subject {subject}, text {body}",
    "I may want to tell {to} '{body}' (subject '{subject}'), but not today. Keep it ready.",
    "draft for {to} / {subject} / {body}",
    "Could you get a message ready for {to}? '{subject}' as the subject, '{body}' as the text; "
    "nothing leaves the house so far.",
)
def for_later(draw: Draw) -> Draft:
    box, to, about, body = Mailbox(draw, 2), address(draw), subject(draw), draw.line()
    arguments = {"to": [to], "subject": about, "body": body}
    prompt, answer = draw.say(to=to, subject=about, body=body), "Done: the draft is saved."
    return Draft(prompt, box.state, [("save_draft", arguments)], answer, needs=("send_mail",))


@BOOK.act(
    "Answer {number} with '{body}'.",
    'Tell whoever wrote {number}: "{body}"',
    "{number} wants an answer. Write back: {body}",
    "My answer to message {number} is '{body}', only to the sender.",
    "Could you get back to the author of {number} and say '{body}'?",
)
def write_back(draw: Draw) -> Draft:
    return _answer(draw, everybody=False)


@BOOK.act(
    "Answer {number} with '{body}' so that all who got it can see it.",
    "Everybody on mail {number} should read this: {body}",
    "To the whole round of {number}, not just the author: {body}",
    "In response to {number}: '{body}'. Leave nobody out who was addressed there.",
)
def write_back_to_all(draw: Draw) -> Draft:
    return _answer(draw, everybody=True)


def _answer(draw: Draw, *, everybody: bool) -> Draft:
    box, body = Mailbox(draw, 2), draw.line()
    number = box.add(person(draw), to=[box.me, address(draw), address(draw)])["id"]
    extra = {"reply_all": True} if everybody else {}
    calls: list[OracleCall] = [("reply_to", {"message_id": number, "body": body, **extra})]
    answer = f"Done: message {number} is answered."
    prompt = draw.say(number=number, body=body)
    return Draft(prompt, box.state, calls, answer, needs=("send_mail",))


@BOOK.act(
    "Pass {number} on to {to}, but without its files.",
    "{to} should get mail {number} too. Leave the attachments out, they are confidential.",
    "fwd {number} to {to}, text only",
    "Please let {to} have message {number}; the documents in it stay with us, though.",
)
def pass_on_bare(draw: Draw) -> Draft:
    box, to = Mailbox(draw, 2), address(draw)
    number = box.add(person(draw), attachments=[draw.file_name("pdf")])["id"]
    arguments = {"message_id": number, "to": [to], "keep_attachments": False}
    calls: list[OracleCall] = [("forward_message", arguments)]
    answer = f"Done: {to} got message {number} without files."
    return Draft(draw.say(number=number, to=to), box.state, calls, answer)


@BOOK.act(
    "{number} belongs into {folder}.",
    "Put message {number} away under {folder}, please.",
    "File mail {number} in the {folder} folder.",
    "{number} => folder {folder}",
    "I keep stumbling over {number}. Could it live in {folder} from now on?",
)
def put_away(draw: Draw) -> Draft:
    box = Mailbox(draw, 3)
    number, folder = box.add(person(draw))["id"], box.own_folder()
    calls: list[OracleCall] = [("move_message", {"message_id": number, "folder": folder})]
    answer = f"Done: message {number} lies in {folder}."
    prompt = draw.say(number=number, folder=folder)
    return Draft(prompt, box.state, calls, answer, needs=("label_message",))


@BOOK.act(
    "Let {number} look as if I had never opened it.",
    "Message {number} should count as unread again.",
    "I have to go through {number} once more later, so show it as new.",
    "unread, please: {number}",
)
def look_unopened(draw: Draw) -> Draft:
    return _flag(draw, "unread", on=True)


@BOOK.act(
    "I know what {number} says, it may count as read.",
    "Mail {number} need not be shown as new any more.",
    "Take {number} off the unread ones.",
    "Somebody told me what is in {number}; treat it as opened.",
)
def seen_enough(draw: Draw) -> Draft:
    return _flag(draw, "unread", on=False)


@BOOK.act(
    "{number} does not need its star any longer.",
    "Remove the star from message {number}.",
    "No star for {number} please, that was a mistake.",
    "I starred {number} by accident. Make it ordinary.",
)
def no_star(draw: Draw) -> Draft:
    return _flag(draw, "starred", on=False)


@BOOK.act(
    "I do not want to hear from the discussion around {number} again, mute it.",
    "Silence {number}.",
    "Keep message {number} but make it quiet, i.e. muted.",
    "{number} drives me mad with its answers. It may stay, without a sound.",
)
def silence(draw: Draw) -> Draft:
    return _flag(draw, "muted", on=True)


def _flag(draw: Draw, flag: str, *, on: bool) -> Draft:
    box = Mailbox(draw, 2)
    number = box.add(person(draw), flags=[] if on else [flag])["id"]
    arguments = {"message_id": number, "flag": flag, **({} if on else {"on": False})}
    calls: list[OracleCall] = [("flag_message", arguments)]
    answer = f"Done: message {number} is {'' if on else 'no longer '}{flag}."
    return Draft(draw.say(number=number), box.state, calls, answer, needs=("label_message",))


@BOOK.act(
    "Tag mail {number} as {label}.",
    "{number} gets the label {label}, but it stays where it is.",
    "Stick '{label}' onto message {number}, will you?",
    "label {number}: {label}",
)
def tag_mail(draw: Draw) -> Draft:
    box, label = Mailbox(draw, 3), draw.pick(LABELS)
    number = box.add(person(draw))["id"]
    calls: list[OracleCall] = [("label_message", {"message_id": number, "label": label})]
    answer = f"Done: message {number} is labelled {label}."
    prompt = draw.say(number=number, label=label)
    return Draft(prompt, box.state, calls, answer, needs=("move_message",))


@BOOK.act(
    "Whatever {sender} sends goes to {folder} from now on, and I do not want to see it as new.",
    "Make a rule: mail of {sender} -> {folder}, opened already.",
    "Anything from {sender} should land in {folder} by itself and count as read right away.",
    "In future, sort {sender} into {folder} without bothering me with unread marks.",
)
def quiet_rule(draw: Draw) -> Draft:
    box, sender = Mailbox(draw, 2), address(draw)
    folder = box.own_folder()
    arguments = {"sender": sender, "folder": folder, "mark_read": True}
    answer = f"Done: mail from {sender} goes to {folder}."
    prompt = draw.say(sender=sender, folder=folder)
    return Draft(prompt, box.state, [("add_rule", arguments)], answer, needs=("move_message",))


@BOOK.act(
    "I am away from {first} until {last}. People who write should get '{text}'.",
    "Holidays! {first} is my first day off, {last} the last one. Let the notice say: {text}",
    "Set up an automatic answer '{text}' that starts on {first} and runs through {last}.",
    "out of office, {first} to {last}: {text}",
    "Between {first} and {last} (both included) I will not read mail. Please have '{text}' sent "
    "back to everyone.",
)
def away(draw: Draw) -> Draft:
    return _absence(draw, known=False)


@BOOK.act(
    "I am away from {first} until {last}. People I already know should get '{text}', strangers "
    "nothing.",
    "{first} to {last} I am gone. Answer '{text}' automatically, but not to strangers.",
    "While I am off, {first} to {last} inclusive, whoever has mailed me before gets: {text}",
)
def away_for_friends(draw: Draw) -> Draft:
    return _absence(draw, known=True)


def _absence(draw: Draw, *, known: bool) -> Draft:
    box = Mailbox(draw, 1)
    first = box.today + timedelta(days=draw.number(1, 60))
    last = first + timedelta(days=draw.number(1, 24))
    text = draw.pick(
        (
            f"I am back on day one, ask {draw.first_name()}",
            f"gone to {draw.city()}, {draw.first_name()} helps",
            f"No mail for me; {draw.company()} takes over",
            draw.line(),
        )
    )
    arguments = {"first_day": first.isoformat(), "last_day": last.isoformat(), "text": text}
    extra = {"known_senders_only": True} if known else {}
    prompt = draw.say(first=draw.spoken_date(first), last=draw.spoken_date(last), text=text)
    answer = f"Done: the notice runs from {first} to {last}."
    return Draft(prompt, box.state, [("set_absence", {**arguments, **extra})], answer)


@BOOK.act(
    "Take me off the mailing list {address}.",
    "No more {address} for me, thanks.",
    "I never asked for {address}. Sign me out there.",
    "Please end my subscription to {address}; the mails that came so far can stay.",
    "unsub {address}",
)
def no_more_news(draw: Draw) -> Draft:
    box = Mailbox(draw, 2)
    wanted = box.lists[0]
    calls: list[OracleCall] = [("leave_list", {"list_address": wanted})]
    answer = f"Done: you are no longer subscribed to {wanted}."
    return Draft(draw.say(address=wanted), box.state, calls, answer)
