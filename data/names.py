"""Random values for tasks: people, things, paths, lines of text, all from one seeded generator.

Faker supplies most of them, so that a model sees open vocabularies instead of short lists it could
learn by heart.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from faker import Faker

T = TypeVar("T")


def word_list(text: str) -> list[str]:
    """The words of a block of text."""
    return text.split()


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

_NUMBER_WORDS = word_list(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
    """
)


@cache
def _faker() -> Faker:
    from faker import Faker as RealFaker

    return RealFaker("en_US")


def _seed(fake: Faker, seed: int) -> None:
    fake.seed_instance(seed)


def number_word(number: int) -> str:
    """`three` for 3; digits beyond twenty."""
    return _NUMBER_WORDS[number] if 0 <= number < len(_NUMBER_WORDS) else str(number)


class Draw:
    """Values for one task; equal seeds give equal values.

    Args:
        rng: the generator everything comes from.
        wordings: the prompts `say` chooses among.
    """

    def __init__(self, rng: random.Random, wordings: Sequence[str] = ()) -> None:
        self.rng = rng
        self.fake = _faker()
        _seed(self.fake, rng.getrandbits(64))
        self._wordings = wordings

    def say(self, **values: object) -> str:
        """One of the template's wordings, filled in."""
        return self.pick(self._wordings).format(**values)

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
