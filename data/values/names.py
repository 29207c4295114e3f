"""Random values for tasks: people, things, paths, lines of text, all from one seeded generator.

Faker supplies most of them, so that a model sees open vocabularies instead of short lists it could
learn by heart.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from tooldrill.data.values import odd_names, spoken
from tooldrill.data.values.words import word_list

T = TypeVar("T")

_FORMATTER = string.Formatter()


_TOPICS = word_list(
    """
    agenda archive backlog budget changelog checklist contract deploy draft expenses faq glossary
    groceries guide invoice itinerary journal ledger logbook manual minutes notes outline packing
    plan playlist policy profile quotes readme recipes release report roadmap roster rules
    schedule setup shopping steps summary survey todo tutorial vendors visits wishlist workout
    """
)

_THINGS = word_list(
    """
    anchor apron backpack battery bench blanket bolt bottle bracket brush bucket cable candle cap
    carpet chair chisel clamp clock cooler crate curtain desk drill easel fan faucet file filter
    flask funnel glove grinder hammer handle hinge hose jacket kettle ladder lamp lantern lock
    mallet mat mirror mop mug nozzle padlock pan pillow pipe plate pliers plug pulley pump rack
    rake rope router ruler saddle sander saw scale screen shelf shovel sieve sink sprinkler stool
    strap switch table tarp tent thermos tile toaster tongs torch towel tray tripod trolley valve
    vase vise whisk wrench
    """
)

_KINDS = word_list(
    """
    aluminium bamboo brass canvas ceramic compact copper cordless cotton digital folding foldable
    glass heavy-duty insulated leather magnetic oak padded pine plastic portable rubber silicone
    slim stackable steel wireless wooden woollen
    """
)


def number_word(number: int) -> str:
    """`three` for 3; digits beyond twenty."""
    return spoken.in_words(number) if 0 <= number <= 20 else str(number)


class Draw:
    """Values for one task; equal seeds give equal values.

    Args:
        rng: the generator everything comes from.
        wordings: the prompts `say` chooses among.
    """

    def __init__(self, rng: random.Random, wordings: Sequence[str] = ()) -> None:
        self.rng = rng
        self.fake = odd_names.faker_of("en_US")
        self.fake.seed_instance(rng.getrandbits(64))
        self._wordings = wordings
        self.said: tuple[tuple[str, str], ...] = ()

    def say(self, **values: object) -> str:
        """One of the template's wordings, filled in; `said` keeps the values as they stand."""
        parts: list[str] = []
        said: list[tuple[str, str]] = []
        for literal, name, spec, conversion in _FORMATTER.parse(self.pick(self._wordings)):
            parts.append(literal)
            if name is not None:
                field, _ = _FORMATTER.get_field(name, (), values)
                if conversion:
                    field = _FORMATTER.convert_field(field, conversion)
                said.append((name, format(field, spec or "")))
                parts.append(said[-1][1])
        self.said = tuple(said)
        return "".join(parts)

    def pick(self, options: Sequence[T]) -> T:
        return self.rng.choice(options)

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        return self.rng.sample(options, count)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def number(self, low: int, high: int) -> int:
        """Between the two, both included."""
        return self.rng.randint(low, high)

    def several(self, make: Callable[[], T], count: int) -> list[T]:
        """`count` different values of `make`."""
        found: list[T] = []
        while len(found) < count:
            value = make()
            if value not in found:
                found.append(value)
        return found

    def numbers(self, low: int, high: int, count: int) -> list[int]:
        """Different numbers, in random order."""
        return self.rng.sample(range(low, high + 1), count)

    def topic(self) -> str:
        """A word a file could be about."""
        return self.pick(_TOPICS)

    def word(self) -> str:
        return str(self.fake.word())

    def first_name(self) -> str:
        return str(self.fake.first_name())

    def person(self) -> str:
        """A first and a last name."""
        return f"{self.fake.first_name()} {self.fake.last_name()}"

    def city(self) -> str:
        return str(self.fake.city())

    def company(self) -> str:
        return str(self.fake.last_name()) + self.pick((" Ltd", " Inc", " & Sons", " Group", " AG"))

    def product(self) -> str:
        """A thing that a shop could sell, such as `folding ladder`."""
        return f"{self.pick(_KINDS)} {self.pick(_THINGS)}"

    def phrase(self) -> str:
        """A few words of office talk in lower case."""
        return str(self.fake.bs())

    def brand(self) -> str:
        """A maker's name."""
        return str(self.fake.last_name())

    def price(self) -> float:
        """A price with at most two decimals; whole ones are integers, as they are written."""
        cents = self.number(200, 9999) / 100
        price = self.pick((self.number(2, 400), self.number(4, 800) / 2, cents))
        return int(price) if price == int(price) else price

    def title(self) -> str:
        """A short capitalised phrase."""
        return str(self.fake.catch_phrase()).capitalize()

    def line(self) -> str:
        """A line somebody could have written into a text file."""
        makers: tuple[Callable[[], str], ...] = (
            lambda: f"call {self.first_name()} about the {self.pick(_THINGS)}",
            self.phrase,
            lambda: f"the {self.product()} costs {self.number(3, 240)} dollars",
            lambda: f"{self.person()} moved to {self.city()}",
            lambda: f"ask {self.company()} for an offer",
            lambda: f"{self.fake.safe_color_name()} paint for the {self.pick(_THINGS)}",
            lambda: f"order {self.number(100, 9999)} was sent to {self.city()}",
            lambda: f"{self.first_name()} and {self.first_name()} prepare the {self.topic()}",
            lambda: f"invoice {self.number(1000, 9999)} paid by {self.company()}",
            lambda: f"pick up the {self.product()}",
            lambda: f"new address: {self.fake.street_address()}",
            lambda: f"room {self.number(100, 499)} belongs to {self.person()}",
        )
        return self.pick(makers)()

    def extension(self) -> str:
        return self.pick(("txt", "md", "txt", "md", "csv", "log", "org"))

    def file_name(self, extension: str = "") -> str:
        """A file name such as `budget_iris.md`."""
        extension = extension or self.extension()
        stem = self.topic()
        if self.chance(0.6):
            tail = self.pick((self.word(), str(self.number(2, 99)), self.first_name()))
            stem += self.pick("_-") + tail.lower()
        return f"{stem}.{extension}"

    def folder(self) -> str:
        return self.pick((self.topic(), self.word(), self.first_name().lower()))

    def path(self, extension: str = "") -> str:
        """A relative path, half of the time inside a folder."""
        name = self.file_name(extension)
        return f"{self.folder()}/{name}" if self.chance(0.5) else name

    def day(self, first_year: int = 2019, last_year: int = 2031) -> date:
        """A day that every year has, in one of the years."""
        year = self.number(first_year, last_year)
        return date(year, self.number(1, 12), self.number(1, 28))

    def spoken_date(self, day: date) -> str:
        """The day in one of many forms, `5 June 2026` or `June 5th, 2026`; never ambiguous."""
        return self.pick((day.isoformat(), *spoken.date_forms(day)))

    def spoken_time(self, hour: int, minute: int) -> str:
        """The time of day in one of many forms, `half past two in the afternoon` for 14:30."""
        forms = (f"{hour:02}:{minute:02}", *spoken.time_forms(hour, minute))
        # `2:30 p.m.` would double the full stop of a wording that ends with the time.
        return self.pick([form for form in forms if not form.endswith(".")])

    def spoken_number(self, number: float) -> str:
        """The amount: in digits half of the time, else in words or rounded off (`1.2k`)."""
        forms = spoken.number_forms(number)
        return forms[0] if self.chance(0.5) else self.pick(forms)

    def foreign_name(self) -> str:
        """A name such as `Zden\u011bk Dvo\u0159\u00e1k`."""
        return odd_names.foreign_name(self.rng)

    def foreign_city(self) -> str:
        return odd_names.foreign_city(self.rng)

    def double_name(self) -> str:
        """A name of many parts, such as `Anna-Karin Berg-Oakley`."""
        return odd_names.double_name(self.rng, self.fake)

    def product_code(self) -> str:
        """A code such as `QX-7741-b/2`."""
        return odd_names.product_code(self.rng)

    def long_id(self) -> str:
        """An identifier as systems make them: UUID, ULID, hexadecimal, prefixed, or digits."""
        return odd_names.long_id(self.rng)

    def version(self) -> str:
        """A version such as `v4.12.0-rc.2`."""
        return odd_names.version(self.rng)

    def tagged_mail(self) -> str:
        """An address such as `kim.baker+lists7@office.example.org`."""
        return odd_names.tagged_mail(self.rng, self.fake)

    def spaced_path(self, extension: str = "") -> str:
        """A long path with spaces, such as `Old projects/2024 (final)/travel expenses v2.md`."""
        folders = [
            f"{self.word().capitalize()} {self.topic()}",
            self.pick(
                (f"{self.number(2015, 2027)} (final)", self.person(), f"Copy of {self.word()}")
            ),
        ]
        last = self.pick(("v2", "NEW", "draft 3", "old", self.word()))
        name = f"{self.word()} {self.topic()} {last}"
        return "/".join([*folders[: self.number(0, 2)], f"{name}.{extension or self.extension()}"])
