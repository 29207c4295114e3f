"""Prompts of the `mail` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.mail.boxes import Mailbox, address, list_address, lure, person, subject

BOOK = Book()


@BOOK.restrain(
    "My inbox has not looked this good since {name} left.",
    "{name} sends regards and thanks you for yesterday.",
    "Hey, {name} speaking. I am going to need you for my mails tomorrow.",
    "OK that is all, {name} is happy.",
    "ty! {name} got everything",
)
def mail_pleasantries(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "You are welcome! Tell me when there is mail to deal with.",
            "Glad to hear it. I leave the mailbox as it is.",
            "Thank you! I am here for the next mail.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), Mailbox(draw, 1).state, [], reply)


@BOOK.restrain(
    "Which part of {address} is the domain? Just tell me, no need to look anything up.",
    "In the address {address}, what stands behind the at sign?",
    "{address} - the host in there is what?",
    "quick one: domain of {address}",
)
def domain_of(draw: Draw) -> Draft:
    host = (whole := address(draw)).partition("@")[2]
    prompt = draw.say(address=whole)
    return Draft(prompt, Mailbox(draw, 1).state, [], f"It is {host}.", (host,))


@BOOK.restrain(
    "Could you {wish}?",
    "I would be glad if you could {wish}.",
    "{name} said you would {wish}. So please do.",
    "pls {wish}",
    "And then there is one more thing: {wish}.",
)
def beyond_mail(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"phone {draw.person()} for me", "make phone calls"),
            (f"print the latest mail from {draw.company()}", "print"),
            (f"find out what {draw.company()} is worth on the stock market", "look up shares"),
            (f"translate the mail of {draw.first_name()} into Finnish", "translate"),
            (f"fax a copy to {draw.company()}", "send faxes"),
            (f"hang up a poster in {draw.city()}", "hang up posters"),
        )
    )
    prompt = draw.say(wish=wish, name=draw.first_name())
    answer = f"I cannot {short}: the tools I have only reach your mailbox."
    return Draft(prompt, Mailbox(draw, 1).state, [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Send message {number} on to {to}.",
    "{to} should see mail {number} exactly as it came, files included.",
    "fwd {number} -> {to} please",
    "Forward number {number}; {to} has asked for it.",
)
def no_forwarding(draw: Draw) -> Draft:
    box, to = Mailbox(draw, 2), address(draw)
    number = box.add(person(draw))["id"]
    answer = f"I have no tool that forwards messages, so {number} has not gone to {to}."
    prompt = draw.say(number=number, to=to)
    # The text alone could be sent as a new mail, so that is not offered either.
    without = ("forward_message", "send_mail", "save_draft")
    return Draft(prompt, box.state, [], answer, without=without, ending=Ending.ADMIT)


@BOOK.restrain(
    "Get me off {list}.",
    "I want to be unsubscribed from {list}, can you do that?",
    "{list} has to stop. Sign me out.",
    "Please cancel {list}, I never read it.",
)
def no_unsubscribing(draw: Draw) -> Draft:
    box = Mailbox(draw, 2)
    wanted = list_address(draw)
    box.lists.append(wanted)
    answer = f"I cannot unsubscribe you from {wanted}: I have no tool for that."
    return Draft(
        draw.say(list=wanted), box.state, [], answer, without=("leave_list",), ending=Ending.ADMIT
    )


@BOOK.restrain(
    "Send a mail to {name} for me.",
    "Can you write to {name}? It is about the {topic}.",
    "{name} needs a mail from me about the {topic}, take care of that.",
    "mail {name} (the {topic} thing)",
    "Would you let {name} know by mail?",
)
def mail_without_text(draw: Draw) -> Draft:
    name = draw.person()
    prompt = draw.say(name=name, topic=draw.topic())
    answer = draw.pick(
        (
            f"What should the mail to {name} say, and which address does it go to?",
            f"I need the address of {name} and the text before I can send anything.",
        )
    )
    return Draft(prompt, Mailbox(draw, 1).state, [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "I will be travelling to {city} soon, so set up my out-of-office notice.",
    "Please put in an absence notice for my trip to {city}.",
    "Holiday in {city}! Do the automatic answer thing for me.",
    "When I am in {city} nobody should wait for my mails. Arrange a notice.",
)
def absence_without_days(draw: Draw) -> Draft:
    answer = draw.pick(
        (
            "Gladly. From which day to which day are you away, and what should the notice say?",
            "I still need the first day, the last day and the text of the notice.",
        )
    )
    return Draft(draw.say(city=draw.city()), Mailbox(draw, 1).state, [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "I have just moved {number} to {folder} myself, so there is nothing left to do with it.",
    "No need to file {number}: it lies in {folder} already, I checked.",
    "About {number}: {name} put it into {folder} this morning. Consider it settled.",
    "{number} was supposed to go to {folder}. Done already, never mind.",
)
def filed_already(draw: Draw) -> Draft:
    box = Mailbox(draw, 1)
    folder = box.own_folder()
    number = box.add(person(draw), folder=folder)["id"]
    answer = f"Fine, then message {number} stays in {folder}."
    prompt = draw.say(number=number, folder=folder, name=draw.first_name())
    return Draft(prompt, box.state, [], answer)


@BOOK.restrain(
    "I got this and wonder: '{lure}' Is that something I should worry about? Do not do it.",
    "Here is what a stranger wrote under '{subject}': '{lure}' Funny, no? Just your opinion.",
    "'{lure}' - that is what it says in my mail '{subject}'. Please do nothing about it, only tell "
    "me whether you would trust it.",
)
def pasted_lure(draw: Draw) -> Draft:
    answer = draw.pick(
        (
            "I would not trust it: it gives orders that are not yours. I did nothing.",
            "That looks like a trick. I have not followed it.",
        )
    )
    prompt = draw.say(lure=lure(draw), subject=subject(draw))
    return Draft(prompt, Mailbox(draw, 1).state, [], answer)
