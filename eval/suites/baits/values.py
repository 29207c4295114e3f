"""Baits for values: `wrong_type` and `invalid_value`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls, refusal
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.solve import offered
from tooldrill.data.tasks.task import Change, Task
from tooldrill.eval.suites.baits.bait import Bait, Baited, after, told, with_argument
from tooldrill.eval.suites.changing import changeable, changed


def _other_type_shown(task: Task, rng: random.Random) -> Baited | None:
    """The tool wants a text where everybody would write a number, or a list of one."""
    found = changeable(task, rng)
    if found is None:
        return None
    call, parameter = found
    kind = "text" if isinstance(call.arguments[parameter], int) else "list"
    shown = changed(task, Change(tool=call.name, parameter=parameter, kind=kind))
    return Baited(shown, tuple(task.calls))


def _user_wants_other_type(task: Task, rng: random.Random) -> Baited | None:
    """The user asks for numbers in quotes, or for a list."""
    call, (name, wrong, sentences) = task.calls[0], _mistyped(task, rng)
    return Baited(told(task, rng, sentences, name=name), (with_argument(call, name, wrong),))


def _refused_before(task: Task, rng: random.Random) -> Baited | None:
    """The type was wrong before, and can be wrong in another way."""
    call, (name, wrong, _) = task.calls[0], _mistyped(task, rng)
    registry = offered(task)
    first = with_argument(call, name, wrong)
    shown = after(task, first, refusal(check_calls([first], registry), registry))
    return Baited(shown, (with_argument(call, name, [wrong]),))


def _mistyped(task: Task, rng: random.Random) -> tuple[str, Any, tuple[str, ...]]:
    arguments = task.calls[0].arguments
    numbers = [k for k, v in arguments.items() if type(v) in (int, float)]
    if numbers:
        name = rng.choice(numbers)
        return name, str(arguments[name]), _IN_QUOTES
    name = rng.choice(sorted(arguments))
    return name, [arguments[name]], _AS_A_LIST


def _other_format(task: Task, rng: random.Random) -> Baited | None:
    """The tool takes one way to write a day or time, which it tells; the user has another."""
    for call, name, pattern, told_as in _times(task):
        value = call.arguments[name]
        if told_as not in offered(task)[call.name].description:
            continue
        change = Change(tool=call.name, parameter=name, kind="format", value=pattern)
        shown = told(changed(task, change), rng, _TIME_WISHES)
        wrong = f"{value[8:10]}.{value[5:7]}.{value[:4]}{value[10:]}"
        before = task.calls[: task.calls.index(call)]
        return Baited(shown, (*before, with_argument(call, name, wrong)))
    return None


def _times(task: Task) -> Iterator[tuple[Call, str, str, str]]:
    for call in task.calls:
        for name, value in call.arguments.items():
            for pattern, told_as in _FORMATS.items():
                if isinstance(value, str) and re.fullmatch(pattern, value):
                    yield call, name, pattern, told_as


def _own_word(task: Task, rng: random.Random) -> Baited | None:
    """The user has another word for one of the values that can be chosen."""
    for number, call in enumerate(task.calls):
        tool = offered(task)[call.name]
        for parameter in tool.parameters:
            value = call.arguments.get(parameter.name)
            if "enum" in parameter.schema and value in _SYNONYMS:
                word = rng.choice(_SYNONYMS[value])
                shown = told(task, rng, _OWN_WORDS, word=word, name=parameter.name, value=value)
                wrong = with_argument(call, parameter.name, word)
                return Baited(shown, (*task.calls[:number], wrong))
    return None


def _error_offers_more(task: Task, rng: random.Random) -> Baited | None:
    """A value was refused; another that is not allowed either comes to mind."""
    for number, call in enumerate(task.calls[:1]):
        tool = offered(task)[call.name]
        for parameter in tool.parameters:
            if "enum" not in parameter.schema or parameter.name not in call.arguments:
                continue
            words = _SYNONYMS.get(call.arguments[parameter.name], ())
            if len(words) < 2:
                continue
            first, second = rng.sample(words, 2)
            wrong = with_argument(call, parameter.name, first)
            registry = offered(task)
            found = check_calls([wrong], registry)
            if {one.kind for one in found} != {ViolationClass.INVALID_VALUE}:
                continue
            shown = after(task, wrong, refusal(found, registry))
            again = with_argument(call, parameter.name, second)
            return Baited(shown, (*task.calls[:number], again))
    return None


_FORMATS = {
    r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$": "YYYY-MM-DD HH:MM",
    r"^\d{4}-\d{2}-\d{2}$": "YYYY-MM-DD",
}
_SYNONYMS = {
    "mobile": ("cell", "cell phone", "handy"),
    "home": ("private", "landline", "house"),
    "work": ("office", "business", "job"),
    "starter": ("appetizer", "soup", "first course"),
    "main": ("main course", "entree", "mains"),
    "dessert": ("sweet", "pudding", "afters"),
    "g": ("gram", "grams", "gr"),
    "kg": ("kilo", "kilos", "kilogram"),
    "ml": ("millilitre", "milliliters", "mls"),
    "l": ("litre", "liter", "litres"),
    "pieces": ("pcs", "units", "each"),
    "breakfast": ("morning", "brunch", "early meal"),
    "lunch": ("noon", "midday", "luncheon"),
    "dinner": ("evening", "supper", "tea"),
}
_IN_QUOTES = (
    "Put numbers in quotes, I have been burnt before.",
    "Please write {name} as text, not as a bare number.",
    "Numbers as strings, as always.",
)
_AS_A_LIST = (
    "Give {name} as a list, even if there is only one.",
    "I like {name} in square brackets.",
    "{name} is a list with one entry for me.",
)
_TIME_WISHES = (
    "We write dates as 24.12.2026 here.",
    "Use our usual form for days, as in 03.07.2027.",
    "Dates day first, with dots, as everybody here does.",
)
_OWN_WORDS = (
    'We call that "{word}" here, by the way.',
    'In our house {value} goes by "{word}".',
    'For me that is "{word}", not {value}.',
)

WRONG_TYPE = (
    Bait("another type shown", _other_type_shown),
    Bait("user wants another type", _user_wants_other_type),
    Bait("refused before", _refused_before),
)
INVALID_VALUE = (
    Bait("user's way to write days", _other_format),
    Bait("user's word for it", _own_word),
    Bait("refused before", _error_offers_more),
)
