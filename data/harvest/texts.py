"""Texts that a parameter may hold: regions, paths, identifiers, resource names and the like.

Values are drawn or computed, never taken from a list of ours where a library knows thousands. Which
of them a parameter gets is decided in `kinds`.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass

from tooldrill.agent.tool import JsonSchema
from tooldrill.data.harvest.prose import label, short_label
from tooldrill.data.values.names import Draw

_HEX = "0123456789abcdef"
_ALNUM = string.ascii_letters + string.digits
_LOWER = string.ascii_lowercase + string.digits
ENCODINGS = ("utf-8", "latin-1", "ascii", "utf-16", "cp1252", "iso8859-15", "koi8-r", "big5")
_DIRECTIONS = ("east", "west", "central", "north", "south", "northeast", "southeast")


@dataclass(frozen=True)
class About:
    """What is known of the parameter that a value is drawn for."""

    name: str
    description: str
    schema: JsonSchema
    source: str
    service: str

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
        draw.word,
        lambda: draw.brand().lower(),
    )
    parts = [draw.pick(makers)()]
    tail = draw.pick(("word", "word", "env", "number", "color", "none", "hex"))
    if tail == "word":
        parts.append(draw.word())
    elif tail == "env":
        parts.append(draw.pick(("prod", "staging", "dev", "test", "eu", "us", "qa")))
    elif tail == "number":
        parts.append(f"{draw.number(1, 99):02d}")
    elif tail == "color":
        parts += [draw.fake.safe_color_name(), draw.word()]
    elif tail == "hex":
        parts.append(chars(draw, _HEX, draw.number(4, 8)))
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
    thing = about.thing.removesuffix("-arn") or "resource"
    service = "iam" if "role" in thing else about.service.split("-")[0]
    place = "" if service == "iam" else region(draw, about)
    sep = draw.pick("/:") if service != "iam" else "/"
    return f"arn:aws:{service}:{place}:{account(draw, about)}:{thing}{sep}{slug(draw)}"


def uuid(draw: Draw, _: About) -> str:
    """A UUID."""
    digits = chars(draw, _HEX, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def identifier(draw: Draw, about: About) -> str:
    """An opaque identifier, now and then of a spelling nobody would guess."""
    kind = draw.number(0, 9)
    short = "".join(word[0] for word in about.thing.split("-") if word)[:4] or "x"
    if kind <= 2:
        return f"{short}-{chars(draw, _HEX, draw.pick((8, 10, 17)))}"
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


def query(draw: Draw, _: About) -> str:
    """What somebody looks for."""
    return draw.pick((draw.product, draw.word, draw.phrase, draw.brand))()


def name(draw: Draw, _: About) -> str:
    """A name such as people give to machines."""
    return slug(draw)


def google_name(draw: Draw, about: About) -> str:
    """A resource name after its pattern: `projects/acme-4821/locations/europe-west1/jobs/x`."""
    parts = about.schema["pattern"].strip("^$").replace("[^/]+", "{}").split("/")
    for index, given in enumerate(parts):
        if given == "{}":
            owner = parts[index - 1] if index else ""
            parts[index] = name_part(draw, about, owner)
    return "/".join(parts)


def google_parent(draw: Draw, about: About) -> str:
    """Where a Google resource lies."""
    return f"projects/{project(draw, about)}/locations/{name_part(draw, about, 'locations')}"


def name_part(draw: Draw, about: About, owner: str) -> str:
    """One part of a resource name, by what it is a part of."""
    if owner == "locations":
        return draw.pick((region(draw, about), region(draw, about), "global"))
    if owner in ("organizations", "folders", "customers", "accounts", "properties"):
        return chars(draw, "123456789", 1) + chars(draw, string.digits, draw.number(6, 11))
    if owner == "projects":
        return project(draw, about)
    return draw.pick((slug(draw), slug(draw), chars(draw, _LOWER, draw.number(6, 16))))


def project(draw: Draw, _: About) -> str:
    """A project as Google writes it."""
    return f"{draw.fake.last_name().lower()}-{draw.word()}-{draw.number(100, 99999)}"
