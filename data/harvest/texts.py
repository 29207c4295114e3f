"""Texts that a parameter may hold: regions, paths, identifiers, resource names and the like.

Values are drawn or computed, never taken from a list of ours where a library knows thousands. Which
of them a parameter gets is decided in `kinds`.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import dataclass

from tooldrill.agent.tool import JsonSchema
from tooldrill.data.harvest.prose import label, short_label
from tooldrill.data.values.names import Draw

HEX = "0123456789abcdef"
_ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
ENCODINGS = ("utf-8", "latin-1", "ascii", "utf-16", "cp1252", "iso8859-15", "koi8-r", "big5")
_DIRECTIONS = ("east", "west", "central", "north", "south", "northeast", "southeast")


@dataclass(frozen=True)
class About:
    """What is known of the parameter that a value is drawn for.

    Attributes:
        owner: what its operation is about, as a slug (`router-input`).
    """

    name: str
    description: str
    schema: JsonSchema
    source: str
    service: str
    owner: str = ""

    @property
    def label(self) -> str:
        return label(self.name).lower()

    @property
    def thing(self) -> str:
        """The thing it identifies, as a slug."""
        return short_label(self.name).lower().replace(" ", "-")


Maker = Callable[[Draw, About], str]


def chars(draw: Draw, alphabet: str, count: int) -> str:
    """Random characters."""
    return "".join(draw.rng.choices(alphabet, k=count))


def slug(draw: Draw) -> str:
    """A name such as people give to machines and buckets: `billing-export_v2`."""
    makers: tuple[Callable[[], str], ...] = (
        draw.topic,
        lambda: draw.word().lower(),
        lambda: draw.brand().lower(),
    )
    parts = [draw.pick(makers)()]
    tail = draw.pick(("word", "word", "env", "number", "color", "none", "hex"))
    if tail == "word":
        parts.append(draw.word().lower())
    elif tail == "env":
        parts.append(draw.pick(("prod", "staging", "dev", "test", "eu", "us", "qa")))
    elif tail == "number":
        parts.append(f"{draw.number(1, 99):02d}")
    elif tail == "color":
        parts += [draw.fake.safe_color_name(), draw.word().lower()]
    elif tail == "hex":
        parts.append(chars(draw, HEX, draw.number(4, 8)))
    return draw.pick("---__").join(parts)


def region(draw: Draw, about: About) -> str:
    """A cloud region as the source writes them."""
    if about.source == "google":
        return f"{draw.pick(('us', 'europe', 'asia'))}-{draw.pick(_DIRECTIONS)}{draw.number(1, 6)}"
    area = draw.pick(("us", "eu", "ap", "sa", "ca", "af", "me"))
    return f"{area}-{draw.pick(_DIRECTIONS)}-{draw.number(1, 3)}"


def zone(draw: Draw, about: About) -> str:
    """A zone of a region."""
    return region(draw, about) + ("-" if about.source == "google" else "") + draw.pick("abc")


def account(draw: Draw, _: About) -> str:
    """An account number."""
    return chars(draw, string.digits, 12)


def arn(draw: Draw, about: About) -> str:
    """An ARN of what the parameter names."""
    thing = about.thing.removesuffix("-arn")
    if thing in ("", "arn", "arns", "id", "identifier"):
        thing = about.owner or "resource"
    service = "iam" if "role" in thing else about.service
    place = "" if service == "iam" else region(draw, about)
    sep = draw.pick("/:") if service != "iam" else "/"
    return f"arn:aws:{service}:{place}:{account(draw, about)}:{thing}{sep}{slug(draw)}"


def uuid(draw: Draw, _: About) -> str:
    """A UUID."""
    digits = chars(draw, HEX, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def identifier(draw: Draw, about: About) -> str:
    """An opaque identifier, now and then of a spelling nobody would guess."""
    kind = draw.number(0, 9)
    short = "".join(word[0] for word in about.thing.split("-") if word)[:4] or "x"
    if kind <= 2:
        return f"{short}-{chars(draw, HEX, draw.pick((8, 10, 17)))}"
    if kind == 3:
        return uuid(draw, about)
    if kind == 4:
        return chars(draw, string.ascii_uppercase + string.digits, draw.number(8, 14))
    if kind == 5:
        return chars(draw, _ALNUM + "_", draw.number(9, 22)).strip("_") or "a1"
    if kind == 6:
        return slug(draw)
    if kind == 7:
        return draw.long_id()
    if kind == 8:
        return draw.product_code()
    return chars(draw, "123456789", 1) + chars(draw, string.digits, draw.number(4, 11))


def token(draw: Draw, _: About) -> str:
    """An opaque token."""
    return chars(draw, _ALNUM + "-_", draw.number(16, 40)).strip("-_") + draw.pick(("", "", "=="))


def sql(draw: Draw, _: About) -> str:
    """A small statement."""
    table, column = f"{draw.topic()}_{draw.number(1, 40)}", draw.word().lower()
    return draw.pick(
        (
            f"SELECT {column} FROM {table} WHERE id = {draw.number(1, 9999)}",
            f"SELECT count(*) FROM {table}",
            f"DELETE FROM {table} WHERE {column} < {draw.number(1, 900)}",
            f"UPDATE {table} SET {column} = {draw.number(1, 900)}",
        )
    )


def email(draw: Draw, _: About) -> str:
    """An address."""
    return draw.tagged_mail() if draw.chance(0.3) else str(draw.fake.email())


def url(draw: Draw, _: About) -> str:
    """An address on the web."""
    return f"https://{draw.fake.domain_name()}/{draw.topic()}/{slug(draw)}"


def phone(draw: Draw, _: About) -> str:
    """A telephone number."""
    return f"+1{chars(draw, string.digits, 10)}"


def cidr(draw: Draw, _: About) -> str:
    """A range of private addresses."""
    return f"10.{draw.number(0, 255)}.{draw.number(0, 15) * 16}.0/{draw.pick((20, 24, 28))}"


def version(draw: Draw, _: About) -> str:
    """A version."""
    return str(draw.number(1, 40)) if draw.chance(0.4) else draw.version()


def path(draw: Draw, about: About) -> str:
    """A path with folders."""
    if "prefix" in about.label or "dir" in about.label:
        return f"{draw.folder()}/{draw.folder()}"
    if draw.chance(0.15):
        return draw.spaced_path()
    return f"{draw.folder()}/{draw.path()}"


def locale(draw: Draw, _: About) -> str:
    """A locale such as `pt-BR`."""
    return str(draw.fake.locale()).replace("_", "-")


def language(draw: Draw, _: About) -> str:
    """A language code."""
    return str(draw.fake.language_code())


def sentence(draw: Draw, _: About) -> str:
    """A line of text."""
    return draw.pick((draw.line, draw.phrase, draw.title))()


def title(draw: Draw, _: About) -> str:
    """A short title."""
    return draw.pick((draw.title, lambda: draw.product().capitalize(), draw.phrase))()


def order(draw: Draw, about: About) -> str:
    """A field to sort by, and sometimes which way."""
    what = draw.pick(("name", "title", "size", "priority", "state", "create_time", "update_time",
                      "display_name", "start_time", "version", "owner"))  # fmt: skip
    if about.source == "google" and draw.chance(0.4):
        first, *rest = what.split("_")
        what = first + "".join(word.capitalize() for word in rest)
    return what + draw.pick(("", "", " desc", " asc"))


def schedule(draw: Draw, about: About) -> str:
    """When something runs, as clouds write it."""
    hour, minute = draw.number(0, 23), draw.number(0, 11) * 5
    if about.source == "google":
        return draw.pick((f"every {draw.number(2, 48)} hours", f"{minute} {hour} * * *",
                          f"every day {hour:02}:{minute:02}"))  # fmt: skip
    return draw.pick((f"rate({draw.number(2, 90)} minutes)", f"cron({minute} {hour} * * ? *)",
                      f"rate({draw.number(2, 30)} days)"))  # fmt: skip


def day(draw: Draw, _: About) -> str:
    """A day as programs write it."""
    return f"{draw.number(2023, 2027)}-{draw.number(1, 12):02}-{draw.number(1, 28):02}"


def moment(draw: Draw, about: About) -> str:
    """A moment as programs write it."""
    return f"{day(draw, about)}T{draw.number(0, 23):02}:{draw.number(0, 11) * 5:02}:00Z"


def cells(draw: Draw, about: About) -> str:
    """Cells of a sheet, or numbers from one to another."""
    if about.service != "sheets":
        low = draw.number(1, 900)
        return f"{low}-{low + draw.number(1, 99)}"
    first, row = draw.number(0, 20), draw.number(1, 40)
    columns = string.ascii_uppercase
    last = columns[min(25, first + draw.number(0, 5))]
    return f"{draw.topic().capitalize()}!{columns[first]}{row}:{last}{row + draw.number(1, 90)}"


def json_text(draw: Draw, _: About) -> str:
    """A small JSON object, without blanks."""
    pairs: dict[str, object] = {
        draw.word().lower(): draw.number(1, 900) for _ in range(draw.number(1, 2))
    }
    pairs[draw.word().lower()] = draw.pick((True, draw.word().lower(), draw.topic()))
    return json.dumps(pairs, separators=(",", ":"))


def query(draw: Draw, _: About) -> str:
    """What somebody looks for."""
    return draw.pick((draw.product, draw.word, draw.phrase, draw.brand))()


def name(draw: Draw, _: About) -> str:
    """A name such as people give to machines."""
    return slug(draw)
