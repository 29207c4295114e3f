"""Numbers, days and times as people say them: every form of a value, and one of them at random.

The forms are what a prompt may carry in the place of a value that a call needs in another format;
a test of derivability reads the same lists. Requests are worded elsewhere.
"""

from __future__ import annotations

from datetime import date

from tooldrill.data.names import Draw, number_word
from tooldrill.data.words import word_list

_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINAL_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_ORDINALS = word_list("first second third fourth fifth sixth seventh eighth ninth tenth")
_MONTHS = word_list(
    "January February March April May June July August September October November December"
)
_WEEKDAYS = word_list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")


def number_forms(number: float) -> tuple[str, ...]:
    """`("27", "twenty-seven")`; also `a dozen`, `two and a half`, and `1,250` beside 1250."""
    forms = [str(number)]
    whole = int(number)
    if number != whole:
        if 1 < number < 100 and number - whole == 0.5:
            forms.append(f"{_in_words(whole)} and a half")
        return tuple(forms)
    if 0 <= number < 1000:
        forms.append(_in_words(whole))
    if number >= 1000:
        forms.append(f"{number:,}")
    if number == 12:
        forms.append("a dozen")
    return tuple(forms)


def _in_words(number: int) -> str:
    if number <= 20:
        return number_word(number)
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{number_word(ones)}" if ones else "")
    hundreds, rest = divmod(number, 100)
    head = f"{number_word(hundreds)} hundred"
    return f"{head} and {_in_words(rest)}" if rest else head


def day_forms(day: date) -> tuple[str, ...]:
    """The day in ISO form, then in words."""
    month, name = _MONTHS[day.month - 1], _WEEKDAYS[day.weekday()]
    nth = ordinal_forms(day.day)[0]
    return (
        day.isoformat(),
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"the {nth} of {month} {day.year}",
        f"{name}, {day.day} {month[:3]} {day.year}",
        f"{month[:3]} {nth} {day.year}",
    )


def time_forms(hour: int, minute: int) -> tuple[str, ...]:
    """`("18:30", "6:30 pm", "half past six in the evening")` and the like."""
    forms = [f"{hour:02}:{minute:02}", f"{hour % 12 or 12}:{minute:02} {'ap'[hour >= 12]}m"]
    if (hour, minute) == (12, 0):
        forms.append("noon")
    elif (hour, minute) == (0, 0):
        forms.append("midnight")
    elif minute == 0:
        forms.append(f"{number_word(hour % 12 or 12)} o'clock {_part_of_day(hour)}")
    elif minute in (15, 30):
        past = "half" if minute == 30 else "a quarter"
        forms.append(f"{past} past {number_word(hour % 12 or 12)} {_part_of_day(hour)}")
    elif minute == 45:
        after = (hour + 1) % 24
        forms.append(f"a quarter to {number_word(after % 12 or 12)} {_part_of_day(hour)}")
    return tuple(forms)


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "in the morning" if hour >= 4 else "at night"
    if hour < 18:
        return "in the afternoon"
    return "in the evening" if hour < 22 else "at night"


def span_forms(days: int) -> tuple[str, ...]:
    """`("21 days", "three weeks", ...)`."""
    forms = [f"{form} days" for form in number_forms(days)]
    if days % 7 == 0 and days > 7:
        forms.append(f"{number_word(days // 7)} weeks")
    if days == 14:
        forms.append("a fortnight")
    return tuple(forms)


def ordinal_forms(number: int) -> tuple[str, ...]:
    """`("3rd", "third")`."""
    ending = "th" if number % 100 in (11, 12, 13) else _ORDINAL_ENDINGS.get(number % 10, "th")
    named = (_ORDINALS[number - 1],) if 1 <= number <= len(_ORDINALS) else ()
    return (f"{number}{ending}", *named)


def offset_forms(offset: str) -> tuple[str, ...]:
    """`+05:30` and how people name it: `UTC+5:30`, `5:30 hours ahead of UTC`."""
    hours, minutes = int(offset[1:3]), offset[4:]
    short = f"{hours}" if minutes == "00" else f"{hours}:{minutes}"
    side = "behind" if offset[0] == "-" else "ahead of"
    spoken = number_word(hours) + (" and a half" if minutes == "30" else "")
    plain = "one hour" if spoken == "one" else f"{spoken} hours"
    named = (f"UTC{offset}", f"UTC{offset[0]}{short}", f"GMT{offset[0]}{short}")
    return named if minutes == "45" else (*named, f"{plain} {side} UTC")


def say_number(draw: Draw, number: float) -> str:
    """One form of a count; digits half of the time."""
    forms = number_forms(number)
    return forms[0] if draw.chance(0.5) else draw.pick(forms)


def say_day(draw: Draw, day: date) -> str:
    """One form of a day."""
    return draw.pick(day_forms(day))


def say_time(draw: Draw, hour: int, minute: int) -> str:
    """One form of a time of day."""
    return draw.pick(time_forms(hour, minute))


def some_date(draw: Draw, first_year: int = 2019, last_year: int = 2031) -> date:
    """A day that a calendar surely has."""
    return date(draw.number(first_year, last_year), draw.number(1, 12), draw.number(1, 28))
