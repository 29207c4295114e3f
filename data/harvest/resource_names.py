"""Names of things in a cloud: after their patterns, of projects, as EC2 writes ids."""

from __future__ import annotations

import string

from tooldrill.data.harvest.texts import HEX, LOWER, About, chars, identifier, name, region, slug
from tooldrill.data.values.names import Draw


def service_account(draw: Draw, about: About) -> str:
    """Who a program acts as on Google's cloud."""
    return f"{slug(draw)}@{project(draw, about)}.iam.gserviceaccount.com"


_CLOUD_IDS = {
    "subnet": "subnet", "security-group": "sg", "vpc": "vpc", "volume": "vol", "snapshot": "snap",
    "image": "ami", "instance": "i", "network-interface": "eni",
}  # fmt: skip


def cloud_id(draw: Draw, about: About) -> str:
    """An id as EC2 writes them; a name where it is another source's."""
    thing = next((t for t in _CLOUD_IDS if t in about.thing), "")
    if about.source != "aws" or not thing:
        return identifier(draw, about) if about.label.endswith("id") else name(draw, about)
    return f"{_CLOUD_IDS[thing]}-{chars(draw, HEX, draw.pick((8, 17, 17)))}"


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
    return draw.pick((slug(draw), slug(draw), chars(draw, LOWER, draw.number(6, 16))))


def project(draw: Draw, _: About) -> str:
    """A project as Google writes it."""
    return f"{draw.fake.last_name()}-{draw.word()}-{draw.number(100, 99999)}".lower()
