"""Long and odd names, codes and paths: what small models misspell when they copy.

For `Draw`, whose methods of the same names draw from its generator.
"""

from __future__ import annotations

import random
import string
from functools import cache
from typing import TYPE_CHECKING

from tooldrill.data.values.words import word_list

if TYPE_CHECKING:
    from faker import Faker

# Latin letters only, most with signs that English has not: a user can still type them.
# Without it_IT: what Faker draws for it goes by the hash seed, so it differs between processes.
LOCALES = word_list(
    "cs_CZ de_DE es_ES fi_FI fr_FR hu_HU nl_NL no_NO pl_PL pt_BR ro_RO sv_SE tr_TR vi_VN"
)
_HEX = "0123456789abcdef"
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STAGES = ("alpha", "beta", "rc", "dev", "post")
_TAGS = ("news", "shop", "work", "lists", "test", "bills", "tax", "travel")


@cache
def faker_of(locale: str) -> Faker:
    """The generator of a locale: making one takes about 20 ms, seeding it 10 microseconds.

    Every name is as likely as every other: rare spellings are what a model has to copy, and to
    draw by frequency takes ten times as long.
    """
    from faker import Faker as RealFaker

    return RealFaker(locale, use_weighting=False)


def foreign_name(rng: random.Random) -> str:
    """A first and last name from one of `LOCALES`, such as `Žaneta Dvořáková`."""
    fake = faker_of(rng.choice(LOCALES))
    fake.seed_instance(rng.getrandbits(64))
    return f"{fake.first_name()} {fake.last_name()}"


def foreign_city(rng: random.Random) -> str:
    """A town's name from one of `LOCALES`."""
    fake = faker_of(rng.choice(LOCALES))
    fake.seed_instance(rng.getrandbits(64))
    return str(fake.city())


def double_name(rng: random.Random, fake: Faker) -> str:
    """A name of many parts, such as `Anna-Karin van der Berg-Oakley`."""
    first, last, other = fake.first_name(), fake.last_name(), fake.last_name()
    shapes = (
        f"{first} {last}-{other}",
        f"{first}-{fake.first_name()} {last}-{other}",
        f"{first} {rng.choice('ABDEGHJKLMRSTW')}. {last}-{other}",
        f"{first} {rng.choice(('van der', 'de la', 'von', 'al', 'O', 'Mac', 'St.'))} {last}",
        f"{first} {fake.first_name()} {last} {rng.choice(('III', 'Jr', 'Sr', 'II'))}",
    )
    return rng.choice(shapes)


def product_code(rng: random.Random) -> str:
    """A code such as `QX-7741-b/2`."""
    letters = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 4)))
    digits = "".join(rng.choices(string.digits, k=rng.randint(2, 6)))
    small = rng.choice(string.ascii_lowercase)
    tails = (
        "",
        f"-{small}",
        f"-{small}/{rng.randint(1, 9)}",
        f".{rng.randint(0, 99):02}",
        f"{small}",
    )
    return letters + rng.choice("-_.- ").strip() + digits + rng.choice(tails)


def long_id(rng: random.Random) -> str:
    """An identifier as systems make them: hexadecimal, UUID, ULID, or with a prefix."""

    def letters(of: str, count: int) -> str:
        return "".join(rng.choices(of, k=count))

    shape = rng.randrange(5)
    if shape == 0:
        return "-".join(letters(_HEX, count) for count in (8, 4, 4, 4, 12))
    if shape == 1:
        return letters(_HEX, rng.choice((7, 12, 16, 24, 40)))
    if shape == 2:
        return "01" + letters(_BASE32, 24)
    if shape == 3:
        prefix = rng.choice(("cus", "ord", "evt", "usr", "job", "inv", "req", "doc", "tx"))
        return f"{prefix}_{letters(string.ascii_letters + string.digits, rng.choice((8, 14, 20)))}"
    return "".join(rng.choices(string.digits, k=rng.randint(9, 16)))


def version(rng: random.Random) -> str:
    """A version such as `v4.12.0-rc.2`."""
    number = f"{rng.randint(0, 12)}.{rng.randint(0, 40)}"
    if rng.random() < 0.7:
        number += f".{rng.randint(0, 30)}"
    stage = f"-{rng.choice(_STAGES)}.{rng.randint(1, 9)}" if rng.random() < 0.35 else ""
    build = f"+{''.join(rng.choices(_HEX, k=7))}" if rng.random() < 0.15 else ""
    return rng.choice(("", "", "v")) + number + stage + build


def tagged_mail(rng: random.Random, fake: Faker) -> str:
    """An address with dots, pluses or digits before the at sign."""
    first, last = str(fake.first_name()).lower(), str(fake.last_name()).lower()
    name = rng.choice(
        (f"{first}.{last}", f"{first[0]}{last}", f"{last}_{first}", f"{first}-{last}")
    )
    tag = rng.choice((f"+{rng.choice(_TAGS)}", f"+{rng.choice(_TAGS)}{rng.randint(1, 99)}", ""))
    return f"{name}{tag}@{fake.domain_name(levels=rng.choice((1, 1, 2)))}"
