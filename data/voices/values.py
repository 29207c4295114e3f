"""Saying a value in other words than the tool wants it: a date in words, an amount as a dozen.

Decided from the oracle: only what a tool takes as a number, a date or a time may be reworded, and
what must be copied (titles, paths, text, codes) never is. The forms themselves are in `spoken`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tooldrill.data.values import spoken
from tooldrill.data.values.words import word_list
from tooldrill.data.voices.sealed import MARK, Sealed, find_whole, mark_number, mark_of

_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_YEAR = re.compile(r"^\d{4}-\d\d-\d\d$| \d{4}$")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::00)?Z?)?")
_SPAN = re.compile(r"(\d+|[a-z-]+) (minute|min|hour|day|week)s?")
_UNIT_AFTER = re.compile(r" (minute|hour|day|week)s?(?![\w-])")
_UNITS = {"minute": 60, "min": 60, "hour": 3600, "day": 86400, "week": 604800}
_SPOKEN_DAYS = ("%d %B %Y", "%B %d, %Y")

# Parameters of these kinds hold text to be copied, even when it looks like a date or a number.
_FREE = frozenset(word_list("content text title name path query pattern note line message body"))
_CODE = frozenset(word_list("id ids ref"))
_FIXED = frozenset(
    ["year", "port", "zip", "pin", "phone", "code", "version", "key", "room", "sku", "build"]
)
_NUMBERED = frozenset(word_list("number numbers no nr num id serial"))
_SHARE = frozenset(
    ["share", "ratio", "fraction", "probability", "threshold", "opacity", "confidence"]
)

_NO_ARTICLE = frozenset(
    word_list("the first next last free these those another my your our do any")
)
_COUNTED = re.compile(
    r" (?:of(?=\s)|(?!this|goes|does|costs|needs|takes|lies|stands|says|leaves)[a-z]{3,}s\b)"
)
_PLACES = frozenset(
    word_list("in on at from to of after before below above under delete remove show")
)
_ORDERED = re.compile(r"(?:^|(?<=\s))(?:([a-z]+) )?([Ll]ine|[Pp]age|[Rr]ow|[Cc]hapter|[Ss]tep) $")
_QUOTES = ('"', "'", "`")
_CLOSES = " ,;:!?)\n"
# Before a bare number these make it a code or a term, never an amount.
_LABELS = frozenset(
    word_list(
        """
        ticket page event number room line chapter no item contact order level version port
        shelf row column task step issue slot article the these those all first last my our
        other new next per every each than times
        """
    )
)


@dataclass(frozen=True)
class Wanted:
    """What the oracle's calls take.

    Attributes:
        numbers: numeric arguments by value, with the words of their parameters' names.
        texts: string arguments, with the words of their parameters' names.
    """

    numbers: dict[float, frozenset[str]]
    texts: tuple[tuple[str, frozenset[str]], ...]

    def copies(self, text: str) -> bool:
        """Whether some string argument contains the text as a whole word."""
        return any(find_whole(value, text) >= 0 for value, _ in self.texts)


def wanted(oracle: Sequence[tuple[str, dict[str, Any]]]) -> Wanted:
    """The arguments of all calls, those inside lists and objects too."""
    numbers: dict[float, frozenset[str]] = {}
    texts = []
    for _, arguments in oracle:
        for name, value in _leaves("", arguments):
            words = frozenset(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", name).lower()))
            if isinstance(value, str):
                texts.append((value, words))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                numbers[float(value)] = numbers.get(float(value), frozenset()) | words
    return Wanted(numbers, tuple(texts))


def reword_values(sealed: Sealed, wants: Wanted, rng: random.Random, share: float) -> list[str]:
    """Says values of the prompt in other forms; gives the names of the forms used.

    Args:
        sealed: changed in place.
        wants: what the oracle takes.
        rng: decides.
        share: of the values that may be reworded.
    """
    used = []
    for number, value in enumerate(list(sealed.values)):
        at = sealed.text.find(mark_of(number))
        if at < 0 or sealed.values.count(value) > 1 or rng.random() >= share:
            continue
        before, after = sealed.text[:at], sealed.text[at + 1 :]
        if before.endswith(_QUOTES) or after.startswith(_QUOTES) or _currency(before, sealed):
            continue
        said = _other(value, before, after, wants, rng)
        if said is None:
            continue
        kind, form, skip_before, skip_after = said
        if not before[: len(before) - skip_before].strip() or re.search(r"[.!?]\s$", before):
            form = form[0].upper() + form[1:]
        if form.endswith(".") and after[skip_after:].startswith("."):
            form = form[:-1]  # The full stop of `p.m.` ends the sentence, too.
        sealed.values[number] = form
        sealed.text = before[: len(before) - skip_before] + mark_of(number) + after[skip_after:]
        used.append(kind)
    return used


def _currency(before: str, sealed: Sealed) -> bool:
    """Whether a sealed code such as `USD` stands right before: digits belong to it."""
    mark = before[-2:].strip()
    return bool(MARK.fullmatch(mark)) and sealed.values[mark_number(mark)].isupper()


# What a rewording is called, its text, and how much before and behind the value it takes in.
_Said = tuple[str, str, int, int]


def _other(value: str, before: str, after: str, wants: Wanted, rng: random.Random) -> _Said | None:
    day = _read_day(value)
    if day is not None:
        forms = spoken.date_forms(day) if _is_moment(wants, f"{day}") else ()
        return _choose(rng, "date", [form for form in forms if form != value])
    moment = _MOMENT.fullmatch(value)
    if moment and moment[2]:
        return _moment(value, before, rng) if _is_moment(wants, value) else None
    if clock := _TIME.fullmatch(value):
        if not _is_time(wants, value) or not _stands_alone(before, after):
            return None
        return _choose(rng, "time", spoken.time_forms(int(clock[1]), int(clock[2])))
    if span := _SPAN.fullmatch(value):
        return _span(value, span, before, wants, rng)
    if wants.copies(value) or not _stands_alone(before, after):
        return None
    if _INTEGER.fullmatch(value):
        return _integer(int(value), before, after, wants, rng)
    if _DECIMAL.fullmatch(value) and float(value) in wants.numbers:
        forms = spoken.decimal_forms(value)
        share = float(value)
        if wants.numbers[share] & _SHARE and 0 < share < 1 and len(value) <= 4:
            forms = spoken.percent_forms(share)
        return _choose(rng, "decimal", forms)
    return None


def _integer(
    number: int, before: str, after: str, wants: Wanted, rng: random.Random
) -> _Said | None:
    names = wants.numbers.get(float(number))
    if names is None or names & _FIXED or re.match(r" ?(x|am|pm|o'clock|%)(?!\w)", after):
        return None
    last = (re.findall(r"\w+", before) or [""])[-1].lower()
    if last in _NUMBERED:
        return None
    if unit := _UNIT_AFTER.match(after):
        seconds = number * _UNITS[unit[1]]
        forms = spoken.span_forms(seconds, article=last not in _NO_ARTICLE)
        said = [form for form in forms if form != f"{number}{unit[0]}"]
        return _choose(rng, "span", said, skip_after=unit.end())
    if ordered := _ORDERED.search(before):
        if not 0 < number <= 20 or (ordered[1] or "in") not in _PLACES:
            return None
        form = f"the {spoken.ordinal_word(number)} {ordered[2].lower()}"
        return "ordinal", form, len(ordered[2]) + 1, 0
    # `sensorNumber` names one, `number_of_sensors` counts them.
    if names & _CODE or (names & _NUMBERED and "of" not in names):
        if last in _NO_ARTICLE:
            return None
        forms = (f"#{number}", f"no. {number}", f"nr. {number}")
        return _choose(rng, "code", forms)
    if _COUNTED.match(after) and last not in _LABELS and rng.random() < 0.6:
        forms = spoken.round_words(number)
        if number == 2 and after.startswith(" of"):
            forms = ()
        if forms:
            return _choose(rng, "dozen", forms)
    return _choose(rng, "integer", spoken.integer_forms(number))


def _span(
    value: str, span: re.Match[str], before: str, wants: Wanted, rng: random.Random
) -> _Said | None:
    words = {spoken.in_words(n): n for n in range(1, 61)} | {"an": 1, "a": 1}
    count = int(span[1]) if span[1].isdigit() else words.get(span[1])
    if count is None or wants.copies(value):
        return None
    seconds = count * _UNITS[span[2]]
    if not any(seconds / unit in wants.numbers for unit in (1, *_UNITS.values())):
        return None
    last = (re.findall(r"\w+", before) or [""])[-1].lower()
    forms = spoken.span_forms(seconds, article=last not in _NO_ARTICLE)
    return _choose(rng, "span", [form for form in forms if form != value])


def _moment(value: str, before: str, rng: random.Random) -> _Said | None:
    day, hour, minute = value[:10], int(value[11:13]), int(value[14:16])
    read = _read_day(day)
    if read is None:
        return None
    on, at = rng.choice(spoken.date_forms(read)), rng.choice(spoken.time_forms(hour, minute))
    form = f"{at} on {on}" if before.endswith(" at ") else f"{on} at {at}"
    return "moment", form, 0, 0


def _choose(
    rng: random.Random, kind: str, forms: Sequence[str], skip_after: int = 0
) -> _Said | None:
    return (kind, rng.choice(forms), 0, skip_after) if forms else None


def _stands_alone(before: str, after: str) -> bool:
    """Whether a word may stand there: no sign, unit or currency clings to the value."""
    left = before[-1:] in ("", " ", "(", "\n") and not re.search(r"[-+*/=<>→$€£#] ?$", before)
    right = not after or after[0] in _CLOSES or re.match(r"\.(\s|$)", after) is not None
    return left and right and not re.match(r" [-+*/=<>→x]", after)


def _read_day(text: str) -> date | None:
    if not _YEAR.search(text):
        return None
    for shape in ("%Y-%m-%d", *_SPOKEN_DAYS):
        try:
            return datetime.strptime(text, shape).date()
        except ValueError:
            continue
    return None


def _is_moment(wants: Wanted, text: str) -> bool:
    """Whether a tool takes the date or date with time as such, and none as a part of a text."""
    holders = [(value, names) for value, names in wants.texts if text[:16] in value]
    return bool(holders) and all(
        _MOMENT.fullmatch(value) and not names & _FREE for value, names in holders
    )


def _is_time(wants: Wanted, text: str) -> bool:
    holders = [(value, names) for value, names in wants.texts if text in value]
    return bool(holders) and all(
        (value == text or (_MOMENT.fullmatch(value) and text in value[11:])) and not names & _FREE
        for value, names in holders
    )


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(str(key), inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(name, inner)
    else:
        yield name, value
