"""Kinds of text: names, codes, addresses, free text; long and odd ones among them.

Exact copying is what they train: most come from Faker or are put together from random parts, so
that none can be learned by heart.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

from tooldrill.data.forge import pools
from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

_ONSETS = tuple(
    word_list(
        """
    b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sk st t tr v w z zh
        """
    )
)
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ia", "ou", "y", "ei")
_CODAS = ("", "n", "r", "s", "l", "x", "th", "nd", "rk", "m", "ss", "t", "q")
_SERIES = ("Mk", "Series", "Gen", "v", "No.", "Type")
_ENDS = ("org", "com", "net", "co.uk", "io", "example")
_HANDS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def coined(draw: Draw, syllables: int = 2) -> str:
    """A word that does not exist."""
    parts = (draw.pick(_ONSETS) + draw.pick(_VOWELS) + draw.pick(_CODAS) for _ in range(syllables))
    return "".join(parts)


def person(draw: Draw, _: Sequence[str]) -> str:
    """Mostly two names; titles, initials, double and unusual names now and then."""
    name = pools.person(draw)
    first, last = name.split(" ", 1)
    chance = draw.number(1, 20)
    if chance == 1:
        return f"{draw.pick(('Dr.', 'Prof.', 'Ms', 'Mr'))} {name}"
    if chance == 2:
        return f"{first} {draw.pick(string.ascii_uppercase)}. {last}"
    if chance in (3, 4):
        return f"{first} {last}-{pools.last_name(draw)}"
    if chance in (5, 6, 7):
        return f"{first} {coined(draw, draw.number(2, 3)).capitalize()}"
    if chance in (9, 10):
        return draw.foreign_name()
    if chance == 8:
        particle = draw.pick(("van der ", "de la ", "O'", "Mc", "al-"))
        return f"{first} {particle}{last}"
    return name


def title(draw: Draw, _: Sequence[str]) -> str:
    """What somebody calls a thing."""
    chance = draw.number(1, 10)
    if chance <= 3:
        return pools.catch_phrase(draw)
    if chance <= 5:
        return f"{coined(draw).capitalize()} {pools.word(draw)}"
    if chance == 6:
        return f"{pools.city(draw)} {draw.pick(_SERIES)} {draw.number(1, 40)}"
    if chance <= 8:
        return (
            f"{draw.pick(('The', 'My', 'Our', 'Old', 'New'))} {pools.word(draw)} {pools.word(draw)}"
        )
    return f"{pools.word(draw)} & {pools.word(draw)} {draw.number(2024, 2029)}".capitalize()


def code(draw: Draw, spec: Sequence[str]) -> str:
    """An identifier such as `RX-4471-B`, long ones among them."""
    if draw.chance(0.15):
        return draw.product_code()
    prefix = spec[0] if spec else coined(draw, 1).upper()
    tail = "".join(draw.sample(_HANDS, draw.number(3, 8)))
    forms = (
        f"{prefix}-{draw.number(10, 99999)}",
        f"{prefix}{draw.number(100, 9999)}{draw.pick(string.ascii_uppercase)}",
        f"{prefix}-{draw.number(100, 9999)}-{draw.pick(string.ascii_uppercase)}",
        f"{prefix}/{draw.number(20, 29)}/{draw.number(1000, 99999)}",
        f"{prefix}.{tail}",
        f"{prefix}_{coined(draw)}_{draw.number(1, 99):02}",
    )
    return draw.pick(forms)


def place(draw: Draw, _: Sequence[str]) -> str:
    """A place inside a house or a yard."""
    what = draw.pick(("room", "hall", "bay", "gate", "wing", "desk", "floor", "shed", "zone"))
    mark = draw.pick((str(draw.number(1, 48)), draw.pick("ABCDEFGH"), f"{draw.number(1, 9)}C"))
    return f"{what} {mark}"


def text(draw: Draw, _: Sequence[str]) -> str:
    """A remark."""
    return draw.line()


def path(draw: Draw, _: Sequence[str]) -> str:
    """An absolute path or one in a bucket."""
    root = draw.pick(
        ("/srv", "/data", "/mnt/vol1", "s3://" + coined(draw), "/home/" + pools.word(draw))
    )
    folders = [
        coined(draw) if draw.chance(0.4) else draw.folder() for _ in range(draw.number(1, 3))
    ]
    return "/".join([root, *folders, draw.file_name()])


def phone(draw: Draw, _: Sequence[str]) -> str:
    """A telephone number."""
    return f"+{draw.number(1, 98)} {draw.number(20, 999)} {draw.number(100000, 9999999)}"


def email(draw: Draw, _: Sequence[str]) -> str:
    """A mail address."""
    return (
        f"{pools.word(draw)}.{coined(draw)}{draw.number(1, 99)}@{coined(draw)}.{draw.pick(_ENDS)}"
    )


def plate(draw: Draw, _: Sequence[str]) -> str:
    """A number plate."""
    letters = "".join(draw.pick(string.ascii_uppercase) for _ in range(3))
    return f"{letters}-{draw.number(100, 9999)}"


def address_v4(draw: Draw, _: Sequence[str]) -> str:
    """An address in a private network."""
    return f"10.{draw.number(0, 255)}.{draw.number(0, 255)}.{draw.number(1, 254)}"


def host(draw: Draw, _: Sequence[str]) -> str:
    """The name of a machine."""
    place_of = draw.pick(("eu", "us", "ap", "lab", "prod", "stg"))
    return f"{place_of}-{coined(draw)}-{draw.number(1, 99):02}"


def species(draw: Draw, _: Sequence[str]) -> str:
    """A botanical or zoological name that sounds like one."""
    return f"{coined(draw, 2).capitalize()}{draw.pick(('us', 'a', 'um'))} {coined(draw, 2)}is"


TEXT_MAKERS: dict[str, Callable[[Draw, Sequence[str]], str]] = {
    "person": person,
    "title": title,
    "code": code,
    "place": place,
    "text": text,
    "path": path,
    "phone": phone,
    "email": email,
    "plate": plate,
    "ip": address_v4,
    "host": host,
    "species": species,
    "company": lambda draw, _: pools.company(draw),
    "city": lambda draw, _: pools.city(draw),
    "product": lambda draw, _: draw.product(),
    "word": lambda draw, _: coined(draw),
}
