"""Voices: how a request becomes a message. Polite, terse, messy, with things beside the point.

Of every list of frames each fourth belongs to the held-out split and the others to training, so
that the two share no frame.
"""

from __future__ import annotations

# ruff: noqa: E501 - frames and word lists
import json
import re
from collections.abc import Sequence
from typing import TypeVar

from tooldrill.data.forge import pools
from tooldrill.data.forge.speech import sentence
from tooldrill.data.forge.values import coined
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list
from tooldrill.data.worlds.book import OracleCall

T = TypeVar("T")

MESSY_SHARE = 0.15
TYPO_SHARE = 0.12


def reserved(split: Split, frames: Sequence[T]) -> Sequence[T]:
    """The frames that a split may use."""
    if split is Split.HELDOUT:
        return frames[3::4]
    return [frame for index, frame in enumerate(frames) if index % 4 != 3]


_IMPERATIVE = (
    "{vp}.", "Please {vp}.", "{vp}, please.", "Could you please {vp}?", "Can you {vp}?",
    "I need you to {vp}.", "{vp}!", "Be so good as to {vp}.", "We have to {vp}.",
    "I would like you to {vp}.", "Time to {vp}.", "Would it be possible for you to {vp}?",
    "{vp}", "hey, {vp}", "Quick one: {vp}.", "If you get a chance, {vp}.",
    "{who} asks that we {vp}.", "{who} wants me to {vp}. Can you do that?", "pls {vp}",
    "Kindly {vp}.", "Go ahead and {vp}.", "You may {vp} now.", "Let us {vp}.", "Do {vp}.",
    "Hello! I hope you can {vp} for me.", "Just {vp}, thanks.", "{vp} asap", "One wish today: {vp}.",
)  # fmt: skip
_STATEMENT = (
    "{s}.", "{s}, please take care of it.", "{s}", "It seems that {s}.",
    "{s}!", "For your information: {s}. Please act on it.", "{s}, as {who} told me.",
    "Note: {s}.", "hi, {s}", "Just heard: {s}.", "{s}. Thanks!", "By the way, {s}.",
)  # fmt: skip
_CLEAR = ("{s}.", "{s}, please.", "{s}", "{s}. Thank you.", "Hello, {s}.", "{s}. {who}",
          "{s} - thanks", "Dear colleague, {s}.")  # fmt: skip
_JOINS = (
    "{a}. Then {b}.", "{a} and {b}.", "Two things: {a}, and {b}.", "First {a}; after that, {b}.",
    "{a}. Also, {b}.", "1) {a}\n2) {b}", "- {a}\n- {b}", "{a}, then {b}.",
    "Please {a}. While you are at it, {b}.", "I need two changes: {a}; {b}.",
    "Can you {a}? And {b}, too.", "Today we must {a}. Besides, {b}.",
)  # fmt: skip
_ASIDES = (
    "The coffee machine is broken again.", "{who} is on leave until {month}.",
    "I am writing from the train to {city}, so excuse mistakes.", "What a morning.",
    "{who} from the {city} office called me about this.", "We are short of people this week.",
    "Do not mind the noise here.", "My screen is tiny today.",
    "I spoke to {who} for {n} minutes about something else entirely.",
    "The meeting in {city} took forever.", "Sorry for the late message.", "Greetings from {city}.",
    "I am at the station in {city} and have {n} minutes.", "{who} sits next to me and says hello.",
    "The heating failed this {month}, imagine that.", "I had {n} mails this morning.",
    "My train to {city} is late again.", "{who} and {who2} are at the fair in {city}.",
    "It has been raining in {city} since {month}.", "Lunch was late, {who} forgot to order.",
    "This is message number {n} of today, I know.", "{who} celebrates a birthday in {month}.",
    "The printer and I are not friends today.", "We had visitors from {city} all morning.",
)  # fmt: skip


def voiced(draw: Draw, split: Split, words: str, *, imperative: bool) -> str:
    """One request as a message."""
    if imperative:
        frame = draw.pick(reserved(split, _IMPERATIVE))
        text = frame.format(vp=words, who=pools.first_name(draw))
    else:
        frames = _STATEMENT if words[:1].islower() else _CLEAR
        text = draw.pick(reserved(split, frames)).format(s=words, who=pools.first_name(draw))
    return _capital(draw, text)


def joined(draw: Draw, split: Split, asks: Sequence[str]) -> str:
    """Several requests in one message."""
    if len(asks) == 2:
        a, b = asks
        text = draw.pick(reserved(split, _JOINS)).format(a=a, b=b)
    elif draw.chance(0.4):
        mark = draw.pick(("- {}", "* {}", "{n}. {}", "{n}) {}"))
        heads = ("To do:", "Please handle these:", "My list for today:", "Open points:")
        rows = [mark.format(ask, n=n) for n, ask in enumerate(asks, 1)]
        text = "\n".join([draw.pick(reserved(split, heads)), *rows])
    else:
        *most, last = asks
        forms = (
            "{m}, and finally {l}.",
            "{m} and {l}.",
            "Please {m}; last, {l}.",
            "Now {m}, plus {l}.",
        )
        text = draw.pick(reserved(split, forms)).format(m=", ".join(most), l=last)
    return _capital(draw, text)


def surrounded(draw: Draw, split: Split, text: str, calls: Sequence[OracleCall]) -> str:
    """Typos now and then, something beside the point, or a long messy message around it."""
    if draw.chance(TYPO_SHARE):
        text = _with_typo(draw, text, calls)
    if draw.chance(MESSY_SHARE):
        return _messy(draw, split, text)
    if draw.chance(0.15):
        aside = _aside(draw, split)
        return f"{aside} {text}" if draw.chance(0.6) else f"{_closed(text)} {aside}"
    return text


def _closed(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _aside(draw: Draw, split: Split) -> str:
    return draw.pick(reserved(split, _ASIDES)).format(
        who=pools.first_name(draw),
        who2=pools.first_name(draw),
        city=pools.city(draw),
        n=draw.number(3, 50),
        month=pools.month(draw),
    )


def _messy(draw: Draw, split: Split, text: str) -> str:
    """A pasted message in which one part matters."""
    who, other = pools.person(draw), pools.first_name(draw)
    chatter = [_chatter(draw, split) for _ in range(draw.number(2, 5))]
    asides = [_aside(draw, split)]
    match draw.number(1, 4):
        case 1:
            head = f"From: {who}\nTo: {other}\nSubject: {pools.catch_phrase(draw)}\n\nHi {other},"
            before = " ".join(f"{sentence(line.rstrip('.'))}." for line in chatter[:2])
            return f"{head}\n\n{before}\n\n{text}\n\n{asides[0]}\n\nBest,\n{who}"
        case 2:
            quoted = "\n".join(f"> {line}" for line in chatter)
            return f"{text}\n\n{quoted}"
        case 3:
            # Messages stand in the order in which they came.
            times = sorted(draw.numbers(7 * 60, 19 * 60, len(chatter)))
            rows = [f"[{at // 60:02}:{at % 60:02}] {pools.first_name(draw)}: {line}"
                    for at, line in zip(times, chatter, strict=True)]  # fmt: skip
            log = "\n".join(rows)
            return f"This came up in our chat:\n{log}\n\nOnly one thing is for you. {text}"
    talk = " ".join(line if line.endswith((".", "?")) else f"{line}." for line in chatter)
    return f"{talk} Anyway. {_closed(text)} {asides[0]}"


def _chatter(draw: Draw, split: Split) -> str:
    # Nothing here may read like a request of its own.
    forms = (
        f"{pools.first_name(draw)} says we should {pools.phrase(draw)}.",
        f"We still have to {pools.phrase(draw)}, but not now.",
        f"Last week somebody wrote: {draw.line()}.",
        f"{pools.company(draw)} never answered, forget it.",
        f"No idea what {coined(draw)} means, ignore it.",
        f"{pools.first_name(draw)} is against any {pools.catch_phrase(draw).lower()}.",
        f"{pools.person(draw)} from {pools.company(draw)} visits us in {pools.month(draw)}.",
        f"The {draw.product()} is gone, {pools.first_name(draw)} misses it.",
        f"I will be in {pools.city(draw)} until {pools.month(draw)}.",
        f"The matter with the {draw.topic()} is settled, {pools.first_name(draw)} took care of it.",
        f"{pools.first_name(draw)} paid {draw.number(3, 90)} for lunch, how kind.",
        f"Nobody knows how it went at {pools.company(draw)}.",
    )
    said = draw.pick(reserved(split, forms))
    hasty = said.startswith(_LOWERED) and draw.chance(0.4)
    return said[0].lower() + said[1:].rstrip(".") if hasty else said


# Sentences that do not begin with a name.
_LOWERED = ("We ", "Last ", "No ", "I ", "The ", "Nobody ")


def _with_typo(draw: Draw, text: str, calls: Sequence[OracleCall]) -> str:
    """One ordinary word misspelt; never one that an argument is made of."""
    values = json.dumps([arguments for _, arguments in calls], ensure_ascii=False).casefold()
    plain = [m for m in re.finditer(r"(?<![\w'\"-])[a-z]{5,}(?![\w'\"-])", text)
             if m[0] not in values and m[0] in _MISSPELT]  # fmt: skip
    if not plain:
        return text
    match = draw.pick(plain)
    word = match[0]
    at = draw.number(1, len(word) - 3)
    wrong = draw.pick(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )
    return text[: match.start()] + wrong + text[match.end() :]


# Words whose misspelling leaves no doubt what is meant.
_MISSPELT = frozenset(
    word_list(
        """
    please could would change create should delete remove register everyone concerned
    people number total named called starting arriving under about instead weighing
    costing including without write there which where finished update correct record
    because right something connect switch treat charge another between already
        """
    )
)


def _capital(draw: Draw, text: str) -> str:
    """A capital at the beginning, mostly."""
    return text if draw.chance(0.12) else sentence(text)
