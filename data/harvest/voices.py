"""The voice of a request: terse, polite, indirect, with something beside the point, or pasted.

Values are already in the pieces given; nothing here changes a letter of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tooldrill.data.harvest.clauses import Clause
from tooldrill.data.values.names import Draw

_PLAIN = (
    "{C}.", "{C}.", "{C}", "{c}", "Please {c}.", "please {c}", "{C}, please.", "Can you {c}?",
    "Could you {c}?", "Could you {c}, please?", "I need you to {c}.", "I want you to {c}.",
    "Would you {c}?", "Go ahead and {c}.", "Now {c}.", "Next, {c}.", "Time to {c}.",
    "We have to {c}.", "hey, can you {c}", "pls {c}", "Quick one: {c}.", "Your job: {c}.",
    "To do: {c}.", "One thing: {c}.", "I was wondering if you could {c}.", "Be so kind and {c}.",
    "It would help me a lot if you could {c}.", "Let's {c}.", "Kindly {c}.", "ok so {c}",
    "Any chance you could {c}?", "You may now {c}.", "i need to {c}", "Somebody has to {c}.",
)  # fmt: skip
# Where it is not the reader who is told to, `give me` would be wrong.
_OF_OTHERS = re.compile(r"i need to|We have|Let's|Somebody|Time to|You may")
_TO_READER = tuple(form for form in _PLAIN if not _OF_OTHERS.search(form))
_TO_ME = re.compile(r"^(give|show|get|tell|let) me\b")
_ASKED = ("{C}?", "{C}?", "{c}?", "Hi! {C}?", "One question: {c}?", "Tell me, {c}?")
_ABOUT_OTHERS = (
    "{who} asked me to {c}. Can you do that?", "{who} wants us to {c}; go ahead.",
    "I promised {who} to {c}, so please do.", "{who} is waiting for us to {c}. Please do it now.",
    "Before {day} we must {c}. Do it now, please.", "{who} from {firm} says we should {c}. Do so.",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the weekend", "the audit")

_WITH_CONTEXT = 0.22
_PASTED = 0.12
_BULLETS = 0.1
_FIRST = 0.25


def compose(draw: Draw, core: str, clauses: Sequence[Clause]) -> str:
    """The whole message.

    Args:
        core: what is asked, in lower case; a question when it ends with `?`.
    """
    inline = [clause.text for clause in clauses if not clause.sentence]
    alone = [_sentence(clause.text) for clause in clauses if clause.sentence]
    if len(clauses) > 1 and draw.chance(_BULLETS):
        return _surround(draw, _bullets(draw, core, clauses))
    request = _voice(draw, core, inline)
    if not alone:
        return _surround(draw, request)
    if draw.chance(_FIRST):
        return _surround(draw, " ".join((*alone, request)))
    if not request.endswith((".", "?", "!")):
        request += "."
    return _surround(draw, " ".join((request, *alone)))


def _voice(draw: Draw, core: str, inline: Sequence[str]) -> str:
    asking = core.endswith("?")
    said = core.removesuffix("?")
    for index, text in enumerate(inline):
        near = index == 0 and not text.startswith(_APART) and not text.endswith((": yes", ": no"))
        said += (" " if near or text.startswith("(") else _between(draw, text)) + text
    said = re.sub(r", and and ", ", and ", said)
    if asking:
        # Not `Tell me, can you tell me`.
        form = draw.pick(_ASKED[:-1] if core.startswith("can you") else _ASKED)
    elif _TO_ME.match(said):
        form = draw.pick(_TO_READER)
    elif draw.chance(0.12):
        form = draw.pick(_ABOUT_OTHERS)
        who, firm = draw.pick((draw.first_name, draw.person))(), draw.company()
        form = form.replace("{who}", who).replace("{firm}", firm)
        form = form.replace("{day}", draw.pick(_DAYS))
    else:
        form = draw.pick(_PLAIN)
    return form.replace("{C}", upper_first(said)).replace("{c}", said)


def to_asker(said: str) -> str:
    """What is asked of us, said back: `show you your buckets`."""
    text = re.sub(r"^let me see\b", "show you", said)
    text = re.sub(r"(?<!\S)me(?!\S)", "you", text)
    return re.sub(r"(?<!\S)(our|my)(?!\S)", "your", text)


def _between(draw: Draw, text: str) -> str:
    if text.startswith(_APART):
        return ", "
    if re.search(r": (yes|no)$", text):
        return ", "
    return draw.pick((", ", ", ", " and ", " " if len(text.split()) == 2 else ", "))


# What stands behind a comma, whatever was before.
_APART = (
    "and ", "but ", "at most", "no more", "just ", "not more", "up to ", "only ", "capped",
    "whatever", "for real", "without ", "not as",
)  # fmt: skip


def _sentence(text: str) -> str:
    return upper_first(text) + ("" if text.endswith((".", "?", "!")) else ".")


def upper_first(text: str) -> str:
    """With a capital, unless it begins with a value or a name that has a spelling of its own."""
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.isalpha() and first.islower() else text


def _bullets(draw: Draw, core: str, clauses: Sequence[Clause]) -> str:
    opening = draw.pick(("{C}:", "{C}. Details:", "Please {c}:", "Task: {c}", "{c}, as follows:"))
    if core.endswith("?"):
        opening = "{C}?"
    said = core.removesuffix("?")
    mark = draw.pick(("- ", "* ", "  - ", "• "))
    lines = [f"{mark}{_unwrapped(clause.text)}" for clause in clauses]
    head = opening.replace("{C}", upper_first(said)).replace("{c}", said)
    return "\n".join((head, *lines))


def _unwrapped(text: str) -> str:
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def aside(draw: Draw) -> str:
    """A sentence beside the point."""
    makers: tuple[Callable[[], str], ...] = (
        lambda: f"What a week: {draw.first_name()} is on leave and the {draw.topic()} late.",
        lambda: f"I am writing from {draw.city()}, so the connection may be bad.",
        lambda: f"Just had a call with {draw.company()} about how to {draw.phrase()}.",
        lambda: f"{draw.person()} left a note: {draw.line()}.",
        lambda: f"We are cleaning up before the move to {draw.city()}.",
        lambda: f"Sorry for the late message, {draw.first_name()} only told me now.",
        lambda: f"As part of the project to {draw.phrase()}, there is something small.",
        lambda: f"Coffee first. Then I still have to {draw.phrase()}, but that is mine to do.",
        lambda: f"{draw.first_name()} says hi, by the way.",
        lambda: f"The {draw.topic()} can wait, this cannot.",
        lambda: f"I tried it by hand with {draw.first_name()} yesterday and gave up.",
        lambda: f"{draw.company()} sends the {draw.topic()} on {draw.fake.day_of_week()}.",
        lambda: f"Background: {draw.phrase()}, says {draw.person()}.",
        lambda: f"Nobody here knows how since {draw.first_name()} left for {draw.company()}.",
        lambda: f"Ticket from {draw.person()}, {draw.fake.job()}.",
        lambda: f"Not urgent, but {draw.first_name()} keeps asking about the {draw.product()}.",
        lambda: f"(Ignore the {draw.topic()} that I sent before.)",
        lambda: f"Back from {draw.city()} and catching up with everything.",
    )
    return draw.pick(makers)()


def _surround(draw: Draw, request: str) -> str:
    if draw.chance(_PASTED):
        return _pasted(draw, request)
    if not draw.chance(_WITH_CONTEXT):
        return request
    closed = request if request.endswith((".", "?", "!")) else f"{request}."
    if draw.chance(0.3):
        return f"{closed} {aside(draw)}"
    return f"{aside(draw)} {request}"


def _pasted(draw: Draw, request: str) -> str:
    """A message of somebody else's, of which one part matters."""
    person, firm = draw.person(), draw.company()
    opening = draw.pick(
        (
            "Can you take care of this?", "From my inbox, please handle:", "Got this just now:",
            "fwd, yours I think", "Please do what is asked here.", "See below.",
        )
    )  # fmt: skip
    before = " ".join(draw.several(lambda: aside(draw), draw.number(1, 2)))
    after = draw.pick(
        (f"Thanks, {person}", f"Best\n{person}\n{firm}", f"{person.split()[0]}", f"-- \n{person}")
    )
    shape = draw.number(0, 3)
    if shape == 0:
        head = f"From: {person}\nSubject: {draw.title()}"
        return f"{opening}\n\n{head}\n\n{before}\n{request}\n\n{after}"
    if shape == 1:
        quoted = f"{before}\n{request}\n{after}".replace("\n", "\n> ")
        return f"{opening}\n\n> {quoted}"
    if shape == 2:
        hour = f"{draw.number(7, 19):02d}:{draw.number(0, 59):02d}"
        name = person.split()[0]
        return f"{opening}\n\n[{hour}] {name}: {before}\n[{hour}] {name}: {request}"
    return f"{opening}\n---\n{before}\n\n{request}\n\n{after}\n---"
