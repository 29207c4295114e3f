"""Reads spoken forms back: written apart from the code that makes them."""

from __future__ import annotations

import re
from datetime import date


def words(text: str) -> list[str]:
    return text.split()


UNITS = {
    w: n
    for n, w in enumerate(
        words(
            "zero one two three four five six seven eight nine ten eleven "
            "twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
        )
    )
}
TENS = {
    w: 10 * n
    for n, w in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
MONTHS = words("jan feb mar apr may jun jul aug sep oct nov dec")
ORDINALS = {
    w: n
    for n, w in enumerate(
        words(
            "first second third fourth fifth sixth seventh eighth ninth tenth "
            "eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth "
            "eighteenth nineteenth twentieth"
        ),
        1,
    )
}
DOZENS = {
    "half a dozen": 6, "a dozen": 12, "two dozen": 24, "three dozen": 36, "four dozen": 48,
    "a pair of": 2, "a hundred": 100, "a thousand": 1000,
}  # fmt: skip


def integer(text: str) -> int:
    text = text.lower()
    if text in DOZENS:
        return DOZENS[text]
    if code := re.fullmatch(r"(?:#|no\. |nr\. )(\d+)", text):
        return int(code[1])
    if line := re.fullmatch(r"the (\w+) (?:line|page|row|chapter|step)", text):
        return ORDINALS[line[1]]
    if text.startswith("minus "):
        return -integer(text[6:])
    text = text.replace(",", "")
    if found := re.fullmatch(r"(-?[\d.]+)(k| thousand| million)?", text):
        return round(
            float(found[1]) * {"k": 1e3, " thousand": 1e3, " million": 1e6, None: 1}[found[2]]
        )
    total = part = 0
    for word in text.replace("-", " ").split():
        if word == "and":
            continue
        if word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = total + part * 1000, 0
        else:
            part += UNITS[word] if word in UNITS else TENS[word]
    return total + part


def decimal(text: str) -> float:
    text = text.lower()
    if text.startswith("minus "):
        return -decimal(text[6:])
    if percent := re.fullmatch(r"(.+?) ?(?:%|percent)", text):
        return integer(percent[1]) / 100
    if half := re.fullmatch(r"(.+) and a half", text):
        return integer(half[1]) + 0.5
    if " point " in text:
        whole, digits = text.split(" point ")
        return float(f"{integer(whole)}.{''.join(str(UNITS[d]) for d in digits.split())}")
    return float(text)


def day(text: str) -> date:
    text = text.lower()
    if found := re.fullmatch(r"(\d{4})[-/](\d\d)[-/](\d\d)", text):
        return date(*map(int, found.groups()))
    if found := re.fullmatch(r"(\d+)[./-](\d+)[./-](\d{4})", text):
        one, two, year = map(int, found.groups())
        assert max(one, two) > 12, "day and month could be confused"
        return date(year, min(one, two), max(one, two)) if one > 12 or two > 12 else date(1, 1, 1)
    year = int(re.search(r"\d{4}$", text)[0])
    month = next(MONTHS.index(w[:3]) + 1 for w in re.findall(r"[a-z]+", text) if w[:3] in MONTHS)
    words = re.findall(r"\d+|[a-z]+", text[:-4])
    number = next((int(w) for w in words if w.isdigit()), None) or next(
        ORDINALS[w] for w in words if w in ORDINALS
    )
    made = date(year, month, number)
    for word in words:
        if word[:3] in ("mon", "tue", "wed", "thu", "fri", "sat", "sun") and not word.isdigit():
            assert f"{made:%A}".lower().startswith(word), text
    return made


def clock(text: str) -> tuple[int, int]:
    text = text.lower()
    if text in ("noon", "twelve noon"):
        return 12, 0
    if found := re.fullmatch(r"(\d\d?)[:.](\d\d)(?: h)?|(\d\d)h(\d\d)", text):
        hour, minute = (int(n) for n in found.groups() if n is not None)
        return hour, minute
    if found := re.fullmatch(r"(\d\d?)(?:[:.](\d\d))? ?(am|pm|a\.m\.?|p\.m\.?)", text):
        return int(found[1]) % 12 + 12 * (found[3][0] == "p"), int(found[2] or 0)
    words, part = re.fullmatch(r"(.+) in the (morning|afternoon|evening)", text).groups()
    words = words.removeprefix("a ").removesuffix(" o'clock")
    later = 0 if part == "morning" else 12
    if past := re.fullmatch(r"(quarter|half) past (\w+)", words):
        return UNITS[past[2]] % 12 + later, 15 if past[1] == "quarter" else 30
    if to := re.fullmatch(r"quarter to (\w+)", words):
        return (UNITS[to[1]] - 1) % 12 + later, 45
    hour, _, minute = words.partition(" ")
    minutes = integer(minute.removeprefix("oh ")) if minute else 0
    return UNITS[hour] % 12 + later, minutes


def span(text: str) -> int:
    """Seconds."""
    text = text.lower()
    named = {
        "a quarter of an hour": 15, "half an hour": 30, "an hour": 60, "an hour and a half": 90,
        "three quarters of an hour": 45, "a day": 1440, "a week": 10080, "a fortnight": 20160,
    }  # fmt: skip
    if text in named:
        return named[text] * 60
    if found := re.fullmatch(r"(\d+)h(\d\d)|(\d+) h (\d+) min", text):
        hours, minutes = (int(n) for n in found.groups() if n is not None)
        return hours * 3600 + minutes * 60
    number, unit = re.fullmatch(r"(.+?) ?(min|minute|h|hour|day|week)s?", text).groups()
    seconds = {"min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86400, "week": 604800}[unit]
    return round(
        (decimal(number) if "half" in number or "." in number else integer(number)) * seconds
    )


def offset(text: str) -> int:
    """Minutes ahead of UTC."""
    if found := re.fullmatch(r"(?:UTC|GMT)([+-])(\d\d?)(?::(\d\d))?", text):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return -minutes if found[1] == "-" else minutes
    number, side = re.fullmatch(r"(.+) hours? (ahead of|behind) UTC", text).groups()
    minutes = round(60 * (decimal(number) if "half" in number else integer(number)))
    return -minutes if side == "behind" else minutes
