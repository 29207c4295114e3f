"""What is known about the base model: its name on the hub and its licence, never guessed.

The licence comes from the base's own words: its GGUF metadata, or the front matter of its card in
the model's folder or the hub's cache. Nothing is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.training.find_base import EMBEDDED, BaseModel, resolve
from tooldrill.training.settings import ModelSettings

# Where the model of the embedded package comes from.
EMBEDDED_REPOSITORY = "HuggingFaceTB/SmolLM2-135M-Instruct"
_CARD = "README.md"
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_LONGEST = 200


@dataclass(frozen=True)
class Licence:
    """A licence as the hub's metadata names it.

    Attributes:
        identifier: the hub's word, `other` for one without; name and link then tell which.
        source: where it was read, for the card.
    """

    identifier: str
    source: str
    name: str | None = None
    link: str | None = None

    @property
    def shown(self) -> str:
        return self.name or self.identifier


@dataclass(frozen=True)
class BaseFacts:
    """The base model.

    Attributes:
        name: short; repository: its name on the hub, None for one that has none.
        licence: None when the base does not tell.
    """

    name: str
    repository: str | None
    licence: Licence | None

    @property
    def public_name(self) -> str:
        """What may be shown to everybody: never a path of this machine."""
        return self.repository or self.name


def base_facts(model: ModelSettings) -> BaseFacts:
    """What the base says of itself.

    Raises:
        TooldrillError: when the base is not there.
    """
    base = resolve(model)
    on_hub = base.gguf_file is None and not Path(base.folder).is_dir()
    repository = EMBEDDED_REPOSITORY if model.path == EMBEDDED else None
    if on_hub:
        repository = base.folder
    return BaseFacts(base.name, repository, next(_licences(base, on_hub), None))


def _licences(base: BaseModel, on_hub: bool) -> Iterator[Licence]:
    if base.gguf_path is not None:
        metadata = read_gguf_header(base.gguf_path).metadata
        fields = ("license", "license.name", "license.link")
        found = [metadata.get(f"general.{field}") for field in fields]
        yield from _licence(*found, source="the metadata of its GGUF file")
        return
    card = _cached_card(base.folder) if on_hub else Path(base.folder) / _CARD
    if card is not None and card.is_file():
        data = _front_matter(card.read_text("utf-8", errors="replace"))
        found = [data.get(field) for field in ("license", "license_name", "license_link")]
        yield from _licence(*found, source="its model card")


def _front_matter(text: str) -> dict[str, Any]:
    """The metadata of a card; nothing where it is no YAML mapping, which then tells nothing."""
    front, end, _ = text.removeprefix("---").partition("\n---")
    if not (text.startswith("---") and end):
        return {}
    try:
        read = YAML(typ="safe", pure=True).load(front)
    except YAMLError:
        return {}
    return read if isinstance(read, dict) else {}


def _cached_card(repository: str) -> Path | None:
    try:
        found = try_to_load_from_cache(repository, _CARD)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def _licence(identifier: Any, name: Any, link: Any, *, source: str) -> Iterator[Licence]:
    words = _text(identifier)
    if words is None:
        return
    if _IDENTIFIER.fullmatch(words.lower()):
        yield Licence(words.lower(), source, _text(name), _text(link))
    else:
        # Metadata may hold the licence's name in the place of the hub's word for it.
        yield Licence("other", source, _text(name) or words, _text(link))


def _text(value: Any) -> str | None:
    """One line of text; None for anything else."""
    if not isinstance(value, str):
        return None
    return " ".join(value.split())[:_LONGEST] or None
