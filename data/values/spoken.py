"""Numbers, dates, times and spans as people say them: every form means exactly one value.

The worlds word their prompts with these forms (`Draw.spoken_date` and its siblings pick one), the
voices reword with them. Which values of a prompt may be reworded is not decided here: see
`voices.values`.
"""

from __future__ import annotations

import re
from datetime import date

from tooldrill.data.values.words import word_list

_SMALL = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = word_list("- - twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = word_list(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_LARGEST = 999_999
_DECIMAL = re.compile(r"-?\d+\.\d+")


def in_words(number: int, joiner: str = " and ") -> str:
    """`three hundred and twelve` for 312; digits beyond a million.

    Args:
        number: any integer.
        joiner: what stands before the tens of a number with hundreds (` ` in American use).
    """
    if number < 0:
        return f"minus {in_words(-number, joiner)}"
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return _TENS[tens] + (f"-{_SMALL[rest]}" if rest else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (joiner + in_words(rest, joiner) if rest else "")
    if number > _LARGEST:
        return str(number)
    thousands, rest = divmod(number, 1000)
    head = f"{in_words(thousands, joiner)} thousand"
    if not rest:
        return head
    return head + (joiner if rest < 100 else " ") + in_words(rest, joiner)


def ordinal_word(number: int) -> str:
    """`third` for 3; `33rd` beyond twenty."""
    return _ORDINALS[number] if 0 <= number < len(_ORDINALS) else ordinal(number)


def ordinal(number: int) -> str:
    """`3rd` for 3."""
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number}{('th', 'st', 'nd', 'rd')[last] if last < 4 else 'th'}"


def ordinal_forms(number: int) -> tuple[str, ...]:
    """`("3rd", "third")` for 3; beyond twenty the first alone."""
    return tuple(dict.fromkeys((ordinal(number), ordinal_word(number))))


def number_forms(number: float) -> tuple[str, ...]:
    """The amount in digits, then every other way to write it."""
    text = str(number)
    if isinstance(number, int):
        return text, *integer_forms(number)
    return (text, *decimal_forms(text)) if _DECIMAL.fullmatch(text) else (text,)


def integer_forms(number: int) -> tuple[str, ...]:
    """Other ways to write an amount: words, thousands marked, short forms of round ones."""
    size = abs(number)
    forms = []
    if size <= 100 or (size <= _LARGEST and size % 50 == 0) or size < 400:
        forms += [in_words(number), in_words(number, " ")]
    if size >= 1000:
        forms.append(f"{number:,}")
    if 1000 <= size < 1_000_000 and size % 100 == 0:
        thousands = f"{number / 1000:.1f}".removesuffix(".0")
        forms += [f"{thousands}k", f"{thousands} thousand"]
    if 1100 <= size < 2000 and size % 100 == 0:
        forms.append(f"{in_words(number // 100)} hundred")
    if size >= 1_000_000 and size % 100_000 == 0:
        forms.append(f"{number / 1_000_000:.1f}".removesuffix(".0") + " million")
    if number < 0:
        forms.append(f"minus {size}")
    return tuple(dict.fromkeys(forms))


def round_words(number: int) -> tuple[str, ...]:
    """Nouns for an amount: only where a counted thing or `of` follows."""
    dozens = {6: "half a dozen", 12: "a dozen", 24: "two dozen", 36: "three dozen"}
    others = {2: "a pair of", 100: "a hundred", 1000: "a thousand", 48: "four dozen"}
    return tuple(form for table in (dozens, others) for n, form in table.items() if n == number)


def decimal_forms(text: str) -> tuple[str, ...]:
    """Other ways to write a decimal number such as `24.5`."""
    whole, _, places = text.lstrip("-").partition(".")
    sign = "minus " if text.startswith("-") else ""
    digits = " ".join(_SMALL[int(digit)] for digit in places)
    forms = [f"{sign}{in_words(int(whole))} point {digits}"] if len(whole) < 4 else []
    if len(places) == 1:
        forms.append(f"{text}0")
    if places in ("5", "50") and 0 < int(whole) < 1000:
        forms += [f"{sign}{whole} and a half", f"{sign}{in_words(int(whole))} and a half"]
    if sign:
        forms.append(f"minus {whole}.{places}")
    return tuple(forms)


def percent_forms(share: float) -> tuple[str, ...]:
    """A share between 0 and 1 with at most two places, as percent."""
    percent = round(share * 100)
    return (f"{percent}%", f"{percent} percent", f"{percent} %", f"{in_words(percent)} percent")


def date_forms(day: date) -> tuple[str, ...]:
    """Ways to write a date; numbers alone only where day and month cannot be confused."""
    forms = [
        f"{day.day} {day:%B %Y}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day:%B} {ordinal(day.day)}, {day.year}",
        f"the {ordinal(day.day)} of {day:%B %Y}",
        f"{day.day} {day:%b %Y}",
        f"{day:%b} {day.day} {day.year}",
        f"{day:%b} {ordinal(day.day)} {day.year}",
        f"{day:%A}, {day.day} {day:%b %Y}",
        f"{day:%A}, {day.day} {day:%B %Y}",
        f"{day:%a} {day:%b} {day.day}, {day.year}",
        f"{day:%A} the {ordinal(day.day)} of {day:%B}, {day.year}",
        f"{day:%Y/%m/%d}",
        f"{ordinal(day.day)} {day:%B %Y}",
    ]
    if day.day > 12:
        forms += [
            f"{day.day}.{day.month}.{day.year}",
            f"{day:%m/%d/%Y}",
            f"{day:%d/%m/%Y}",
            f"{day:%d-%m-%Y}",
        ]
    if day.day <= 20:
        forms.append(f"the {ordinal_word(day.day)} of {day:%B %Y}")
    return tuple(forms)


def time_forms(hour: int, minute: int) -> tuple[str, ...]:
    """Ways to write a time of day; none leaves open which half of the day is meant."""
    short, half = hour % 12 or 12, "am" if hour < 12 else "pm"
    dotted = f"{half[0]}.m."
    past = f"{short}:{minute:02}"
    forms = [f"{past} {half}", f"{past}{half}", f"{past} {dotted}", f"{hour}.{minute:02} h"]
    forms += [f"{hour:02}h{minute:02}", f"{past.replace(':', '.')} {half}"]
    if minute == 0:
        forms += [f"{short} {half}", f"{short}{half}"]
    if hour == 12 and minute == 0:
        forms += ["noon", "twelve noon"]
    part = _part_of_day(hour)
    if part:
        forms += [f"{words} {part}" for words in _clock_words(short, minute)]
    return tuple(forms)


def _part_of_day(hour: int) -> str:
    # Near midnight and around noon people disagree on the words.
    if 5 <= hour < 11:
        return "in the morning"
    if 13 <= hour < 17:
        return "in the afternoon"
    return "in the evening" if 18 <= hour < 22 else ""


def _clock_words(hour: int, minute: int) -> tuple[str, ...]:
    this, following = _SMALL[hour], _SMALL[hour % 12 + 1]
    if minute == 0:
        return f"{this} o'clock", this
    if minute == 15:
        return f"quarter past {this}", f"a quarter past {this}"
    if minute == 30:
        return f"half past {this}", f"{this} thirty"
    if minute == 45:
        return f"quarter to {following}", f"a quarter to {following}", f"{this} forty-five"
    return (f"{this} {in_words(minute)}",) if minute > 9 else (f"{this} oh {_SMALL[minute]}",)


def span_forms(seconds: int, *, article: bool) -> tuple[str, ...]:
    """Ways to say how long something lasts, at least a minute.

    Args:
        seconds: the span.
        article: whether forms such as `half an hour` fit what stands before.
    """
    if seconds < 60 or seconds % 60:
        return ()
    minutes = seconds // 60
    forms: list[str] = []
    if minutes < 300:
        forms += [f"{minutes} min", f"{minutes} minutes", f"{in_words(minutes)} minutes"]
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        forms += [f"{hours}h{rest:02}", f"{hours} h {rest} min"]
    if minutes % 30 == 0 and 1 <= hours < 24 and minutes > 60:
        number = f"{minutes / 60:.1f}".removesuffix(".0")
        forms += [f"{number} hours", f"{number}h"]
        half = f"{in_words(hours)} and a half hours"
        forms.append(half if rest else f"{in_words(hours)} hours")
    days, over = divmod(minutes, 1440)
    if days > 1 and not over:
        forms += [f"{days} days", f"{in_words(days)} days"]
    if days > 7 and days % 7 == 0 and not over:
        forms += [f"{days // 7} weeks", f"{in_words(days // 7)} weeks"]
    if article:
        named = {15: "a quarter of an hour", 30: "half an hour", 60: "an hour"}
        named |= {45: "three quarters of an hour", 90: "an hour and a half", 1440: "a day"}
        named |= {10080: "a week", 20160: "a fortnight"}
        forms += [named[minutes]] * 2 if minutes in named else []
    return tuple(forms)


def offset_forms(offset: str) -> tuple[str, ...]:
    """`+05:30` and how people name it: `UTC+5:30`, `five and a half hours ahead of UTC`."""
    hours, minutes = int(offset[1:3]), offset[4:]
    short = f"{hours}" if minutes == "00" else f"{hours}:{minutes}"
    side = "behind" if offset[0] == "-" else "ahead of"
    words = in_words(hours) + (" and a half" if minutes == "30" else "")
    plain = "one hour" if words == "one" else f"{words} hours"
    named = (f"UTC{offset}", f"UTC{offset[0]}{short}", f"GMT{offset[0]}{short}")
    exact = hours > 0 and minutes in ("00", "30")
    return (*named, f"{plain} {side} UTC") if exact else named
