"""Numbers, dates, times and durations as people say them, and the little grammar prompts need."""

from __future__ import annotations

from datetime import date

from tooldrill.data.values.names import Draw, number_word

_SPECIAL = {2: ("a couple of",), 6: ("half a dozen",), 12: ("a dozen",), 24: ("two dozen",),
            36: ("three dozen",), 100: ("a hundred",), 1000: ("a thousand",)}  # fmt: skip
_TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy",
         80: "eighty", 90: "ninety"}  # fmt: skip
_HOURS = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven")  # fmt: skip


def number_words(draw: Draw, value: int) -> str:
    """`3`, `three`, `a dozen`; large ones with a comma now and then."""
    if value in _SPECIAL and draw.chance(0.35):
        return draw.pick(_SPECIAL[value])
    if 0 < value < 100 and draw.chance(0.45):
        return cardinal(value)
    return f"{value:,}" if value >= 10_000 and draw.chance(0.4) else str(value)


def cardinal(value: int) -> str:
    """A number below a hundred in words: `twenty-three`."""
    if value <= 20 or value >= 100:
        return number_word(value)
    tens = _TENS[value // 10 * 10]
    return f"{tens}-{number_word(value % 10)}" if value % 10 else tens


def date_words(draw: Draw, value: str) -> str:
    """`2026-06-05` as `Friday 5 June 2026`, `June 5th, 2026` and the like; always with a year."""
    day = date.fromisoformat(value)
    number, month, year = day.day, f"{day:%B}", day.year
    forms = (
        f"{number} {month} {year}",
        f"{day:%A} {number} {month} {year}",
        f"{day:%A}, {number} {month} {year}",
        f"{month} {number}, {year}",
        f"{month} {ordinal(number)}, {year}",
        f"the {ordinal(number)} of {month} {year}",
        f"{number} {day:%b} {year}",
        f"{day:%a}, {day:%b} {number} {year}",
        value,
    )
    return draw.pick(forms)


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `13th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def time_words(draw: Draw, value: str) -> str:
    """`16:30` as `4:30 pm`, `half past four in the afternoon` and the like."""
    hour, minute = map(int, value.split(":"))
    half = "am" if hour < 12 else "pm"
    twelve = hour % 12 or 12
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    forms = [value, f"{twelve}:{minute:02} {half}", f"{twelve}:{minute:02}{half}"]
    if minute == 0:
        forms += [f"{twelve} {half}", f"{_HOURS[hour % 12]} o'clock {part}", f"{twelve}{half}"]
        forms += ["noon"] * 2 if hour == 12 else []
    elif minute == 30:
        forms += [f"half past {_HOURS[hour % 12]} {part}"]
    elif minute == 15:
        forms += [f"a quarter past {_HOURS[hour % 12]} {part}"]
    elif minute == 45 and hour not in (11, 17):
        forms += [f"a quarter to {_HOURS[(hour + 1) % 12]} {part}"]
    return draw.pick(forms)


def minutes_words(draw: Draw, value: int) -> str:
    """`90` as `90 minutes`, `an hour and a half`, `1.5 hours`."""
    hours, rest = divmod(value, 60)
    forms = [f"{value} minutes", f"{value} min"]
    if value == 30:
        forms += ["half an hour"] * 2
    elif value == 15:
        forms += ["a quarter of an hour"]
    elif value == 45:
        forms += ["three quarters of an hour"]
    elif rest == 0 and hours:
        word = "an hour" if hours == 1 else f"{number_words(draw, hours)} hours"
        forms = [word, word, *forms]
    elif rest == 30 and hours:
        word = "an hour and a half" if hours == 1 else f"{number_word(hours)} and a half hours"
        forms = [word, f"{hours}.5 hours", *forms]
    elif hours:
        forms += [f"{hours} h {rest} min"]
    return draw.pick(forms)


def plural(noun: str) -> str:
    """The regular plural of the last word."""
    if noun.endswith(("s", "x", "ch", "sh", "z")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


# Nouns that end with `s` and are no plurals.
_SINGULAR_S = ("ss", "us", "is", "access", "canvas")


def is_or_are(noun: str) -> str:
    """`are` for `seats`, `is` for `price`."""
    return "are" if noun.endswith("s") and not noun.endswith(_SINGULAR_S) else "is"


def article(noun: str) -> str:
    """The noun with `a` or `an`."""
    silent = noun.startswith(("hour", "honour", "heir"))
    vowel = noun[0] in "aeio" or (noun[0] == "u" and not noun.startswith(("uni", "use", "ut")))
    return f"{'an' if silent or vowel else 'a'} {noun}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
