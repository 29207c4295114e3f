"""Which importer a record needs: told by its keys, or named by the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Importer, Record
from tooldrill.data.ingest.episodes import import_episode
from tooldrill.data.ingest.glaive import import_glaive
from tooldrill.data.ingest.hermes import CALL_ROLES, import_hermes
from tooldrill.data.ingest.openai_chat import import_openai, messages_of
from tooldrill.data.ingest.react_log import import_react, steps_of
from tooldrill.data.ingest.toolace import import_toolace
from tooldrill.data.ingest.xlam import import_xlam

AUTO = "auto"
FORMATS: dict[str, Importer] = {
    "episodes": import_episode,
    "openai": import_openai,
    "react": import_react,
    "xlam": import_xlam,
    "hermes": import_hermes,
    "toolace": import_toolace,
    "glaive": import_glaive,
}
# Keys without which a record is not of the format.
_NEEDED = {
    "episodes": ("task", "messages", "steps", "outcome"),
    "openai": ("messages",),
    "xlam": ("query", "answers"),
    "hermes": ("conversations",),
    "toolace": ("system", "conversations"),
    "glaive": ("system", "chat"),
}
# The more particular first.
_ORDER = ("episodes", "xlam", "glaive", "toolace", "hermes", "openai")


def require_format(name: str) -> None:
    """Refuses a name that is no format.

    Raises:
        TooldrillError: naming those there are.
    """
    if name != AUTO and name not in FORMATS:
        raise TooldrillError(f"no format {name!r}", f"use one of {', '.join([AUTO, *FORMATS])}")


def detect(value: Any) -> str | None:
    """The format of a record, None when its keys are those of none."""
    if steps_of(value) is not None and not _fits("episodes", value):
        return "react"
    return next((name for name in _ORDER if _fits(name, value)), None)


def import_record(record: Record, name: str, given: Given) -> tuple[str, Conversation]:
    """The record's format and what its importer made of it.

    Args:
        name: a format, or `auto`.

    Raises:
        DroppedError: when it is of no known format or cannot be used.
    """
    if record.problem is not None:
        raise DroppedError(record.problem)
    found = detect(record.value) if name == AUTO else name
    if found is None:
        raise DroppedError("unknown_format", _shape(record.value))
    if found != "react" and not _fits(found, record.value):
        raise DroppedError("unknown_format", f"not {found}: {_shape(record.value)}")
    return found, FORMATS[found](record, given)


def _fits(name: str, value: Any) -> bool:
    if not isinstance(value, Mapping) or any(key not in value for key in _NEEDED[name]):
        return False
    if name == "openai":
        return messages_of(value["messages"]) is not None
    if name == "toolace" and _has_call_roles(value["conversations"]):
        return False  # converted: its calls are JSON in turns of their own
    return name not in ("hermes", "toolace") or isinstance(value["conversations"], list)


def _has_call_roles(turns: Any) -> bool:
    return isinstance(turns, list) and any(
        isinstance(turn, Mapping) and turn.get("from", turn.get("role")) in CALL_ROLES
        for turn in turns
    )


def _shape(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object with the keys {', '.join(map(str, list(value)[:8]))}"
    return f"a {type(value).__name__}"
