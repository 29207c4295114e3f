"""Text from rules: `{slot}` is another rule, or a value drawn fresh.

What the rules say is data, see the `frames_*` modules; this only expands and counts them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

Rules = Mapping[str, tuple[str, ...]]
Cast = Mapping[str, Iterator[str]]

_SLOT = re.compile(r"\{(\w+)\}")
_MONTHS = word_list(
    "January February March April May June July August September October November December"
)
_DAYS = word_list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

# Values that no rule needs to list.
MAKERS: dict[str, Callable[[Draw], str]] = {
    "first": Draw.first_name,
    "person": Draw.person,
    "woman": lambda draw: str(draw.fake.first_name_female()),
    "man": lambda draw: str(draw.fake.first_name_male()),
    "last": lambda draw: str(draw.fake.last_name()),
    "nick": lambda draw: draw.first_name().lower() + draw.pick(("", "", "_", "77", "x", "42")),
    "city": Draw.city,
    "company": Draw.company,
    "brand": Draw.brand,
    "thing": lambda draw: draw.product(),
    "a_thing": lambda draw: _with_article(draw.product()),
    "topic": Draw.topic,
    "word": Draw.word,
    "phrase": Draw.phrase,
    "street": lambda draw: str(draw.fake.street_address()),
    "mail": lambda draw: f"{draw.first_name()}.{draw.brand()}@{draw.word()}.example".lower(),
    "phone": lambda draw: (
        f"+{draw.number(1, 98)} {draw.number(100, 999)} {draw.number(10**5, 10**6)}"
    ),
    "weekday": lambda draw: draw.pick(_DAYS),
    "month": lambda draw: draw.pick(_MONTHS),
    "date": lambda draw: f"{draw.number(1, 28)} {draw.pick(_MONTHS)}",
    "isodate": lambda draw: (
        f"{draw.number(2019, 2027)}-{draw.number(1, 12):02}-{draw.number(1, 28):02}"
    ),
    "year": lambda draw: str(draw.number(2019, 2027)),
    "clock": lambda draw: f"{draw.number(7, 21):02}:{draw.number(0, 59):02}",
    "seconds": lambda draw: f"{draw.number(0, 59):02},{draw.number(0, 999):03}",
    "few": lambda draw: str(draw.number(2, 9)),
    "some": lambda draw: str(draw.number(11, 97)),
    "many": lambda draw: str(draw.number(101, 9899)),
    "hex": lambda draw: f"{draw.rng.getrandbits(32):08x}",
    "version": lambda draw: f"{draw.number(0, 14)}.{draw.number(0, 30)}.{draw.number(0, 12)}",
    "assistant": lambda draw: draw.pick(
        ("assistant", "computer", "robot", "helper", "bot", draw.first_name())
    ),
}


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Grammar:
    """Rules and what they expand to.

    Args:
        rules: options by slot name.

    Raises:
        ValueError: when a rule uses a slot that is neither a rule nor a value.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        for name, options in rules.items():
            for option in options:
                for slot in _parts(option)[1::2]:
                    if slot not in rules and slot not in MAKERS:
                        raise ValueError(f"rule {name!r} has the unknown slot {slot!r}")

    def expand(self, draw: Draw, text: str, cast: Cast | None = None) -> str:
        """The text with every slot filled.

        Args:
            draw: decides and makes the values.
            text: with slots.
            cast: values to take in place of fresh ones, by slot: the people of one story.
        """
        parts = _parts(text)
        return "".join(
            self._fill(draw, part, cast) if odd % 2 else part for odd, part in enumerate(parts)
        )

    def _fill(self, draw: Draw, slot: str, cast: Cast | None) -> str:
        if cast is not None and slot in cast:
            return next(cast[slot])
        options = self.rules.get(slot)
        if options is None:
            return MAKERS[slot](draw)
        return self.expand(draw, draw.pick(options), cast)

    def count(self, rule: str) -> int:
        """How many different texts a rule has, values counted as one each."""
        if rule not in self.rules:
            return 1
        total = 0
        for option in self.rules[rule]:
            ways = 1
            for slot in _parts(option)[1::2]:
                ways *= self.count(slot)
            total += ways
        return total


@cache
def _parts(text: str) -> tuple[str, ...]:
    """Literal text and slot names in turn; literal text first."""
    return tuple(_SLOT.split(text))
