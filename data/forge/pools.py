"""Faker's word lists, drawn from directly.

Faker's own methods weigh, format and look providers up each time, at a tenth of a millisecond a
name; a scene has dozens of them.
"""

from __future__ import annotations

from functools import cache

from faker.providers.address.en_US import Provider as Addresses
from faker.providers.company.en_US import Provider as Companies
from faker.providers.lorem.en_US import Provider as Words
from faker.providers.person.en_US import Provider as People

from tooldrill.data.values.names import Draw


@cache
def _names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(People.first_names), tuple(People.last_names)


_Groups = tuple[tuple[str, ...], ...]


@cache
def _office_words() -> tuple[_Groups, _Groups]:
    both = (Companies.bsWords, Companies.catch_phrase_words)
    first, second = (tuple(tuple(words) for words in part) for part in both)
    return first, second


def first_name(draw: Draw) -> str:
    """A given name."""
    return draw.pick(_names()[0])


def last_name(draw: Draw) -> str:
    """A family name."""
    return draw.pick(_names()[1])


def person(draw: Draw) -> str:
    """A first and a last name."""
    return f"{first_name(draw)} {last_name(draw)}"


def word(draw: Draw) -> str:
    """An English word."""
    return str(draw.pick(Words.word_list))


def phrase(draw: Draw) -> str:
    """A few words of office talk in lower case."""
    return " ".join(draw.pick(words) for words in _office_words()[0])


def catch_phrase(draw: Draw) -> str:
    """Three words of an advertisement, capitalised."""
    return " ".join(draw.pick(words) for words in _office_words()[1]).capitalize()


def city(draw: Draw) -> str:
    """A town's name, such as `Port Brianna` or `Langside`."""
    end, start = draw.pick(Addresses.city_suffixes), draw.pick(Addresses.city_prefixes)
    first, last = first_name(draw), last_name(draw)
    return draw.pick((f"{start} {first}", f"{start} {first}{end}", f"{first}{end}", f"{last}{end}"))


def street(draw: Draw) -> str:
    """A street with its number."""
    name = draw.pick((first_name(draw), last_name(draw)))
    return f"{draw.number(1, 9999)} {name} {draw.pick(Addresses.street_suffixes)}"


def company(draw: Draw) -> str:
    """A company's name."""
    return last_name(draw) + draw.pick((" Ltd", " Inc", " & Sons", " Group", " AG"))


def month(draw: Draw) -> str:
    """A month's name."""
    names = "January February March April May June July August September October November December"
    return draw.pick(names.split())
