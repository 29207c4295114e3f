"""What a broken JSON Schema rule means, as the end of a sentence: `must be an integer, not "3"`.

The words of `values`; which rule was broken is decided there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from jsonschema_rs import ValidationErrorKind as Kind

_SHOWN_OPTIONS = 20  # of an enumeration


def types_text(types: Iterable[str]) -> str:
    """JSON types in words: `an integer or null`."""
    words = {
        name: name if name == "null" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        for name in types
    }
    return " or ".join(words.values())


def options_text(options: Sequence[Any]) -> str:
    """The options of an enumeration in words: `one of "a", "b"`."""
    options = [option for i, option in enumerate(options) if option not in options[:i]]
    listed = ", ".join(short(option) for option in options[:_SHOWN_OPTIONS])
    if len(options) > _SHOWN_OPTIONS:
        listed += f" or {len(options) - _SHOWN_OPTIONS} others"
    return listed if len(options) == 1 else f"one of {listed}"


def must_be(wanted: Iterable[str], value: Any) -> str:
    """The value is nothing of what is wanted."""
    return f"must be {' or '.join(dict.fromkeys(wanted))}, not {short(value)}"


def broken_rule(kind: Any, value: Any) -> str:
    """The value breaks a rule that is not about its type.

    Args:
        kind: the rule, as jsonschema-rs names it.
    """
    got = short(value)
    match kind:
        case Kind.Enum(options=options):
            return must_be([options_text(options)], value)
        case Kind.Constant(expected_value=option):
            return must_be([options_text([option])], value)
        case Kind.Minimum(limit=limit):
            return f"must be at least {limit}, not {got}"
        case Kind.ExclusiveMinimum(limit=limit):
            return f"must be more than {limit}, not {got}"
        case Kind.Maximum(limit=limit):
            return f"must be at most {limit}, not {got}"
        case Kind.ExclusiveMaximum(limit=limit):
            return f"must be less than {limit}, not {got}"
        case Kind.MultipleOf(multiple_of=step):
            return f"must be a multiple of {step}, not {got}"
        case Kind.Pattern(pattern=pattern):
            return f"must match the pattern {pattern}, which {got} does not"
        case Kind.Format(format=name):
            return f"must be {_FORMATS.get(name, f'a valid {name}')}, not {got}"
        case Kind.MinLength(limit=limit):
            return f"must have at least {limit} characters, not {len(value)}"
        case Kind.MaxLength(limit=limit):
            return f"must have at most {limit} characters, not {len(value)}"
        case Kind.MinItems(limit=limit):
            return f"must have at least {limit} items, not {len(value)}"
        case Kind.MaxItems(limit=limit):
            return f"must have at most {limit} items, not {len(value)}"
        case Kind.MinProperties(limit=limit):
            return f"must have at least {limit} fields, not {len(value)}"
        case Kind.MaxProperties(limit=limit):
            return f"must have at most {limit} fields, not {len(value)}"
        case Kind.UniqueItems():
            return "must not have the same item twice"
        case Kind.Contains():
            return f"must have an item of the kind asked for, which {got} has not"
        case Kind.PropertyNames(error=error):
            return f"has a field whose name is not allowed: {error.message}"
        case Kind.OneOfMultipleValid():
            return f"must fit exactly one of the alternatives, and {got} fits several"
        case Kind.FalseSchema() | Kind.UnevaluatedItems() | Kind.AdditionalItems():
            return "is one too many"
        case _:
            return f"is not allowed to be {got}"


_FORMATS = {
    "date": "a date like 2026-01-31",
    "date-time": "a date and time like 2026-01-31T09:30:00",
    "time": "a time like 09:30:00",
    "duration": "an ISO 8601 duration like PT1H30M",
    "email": "an e-mail address",
    "uri": "a URI",
    "uuid": "a UUID",
}


def short(value: Any) -> str:
    """The value as JSON, cut where it gets long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
