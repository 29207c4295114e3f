"""Episodes of tooldrill's own loop: what `tooldrill agent --save` and evaluations write."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from tooldrill.agent.episode import Episode, Message, Outcome
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.tool_lists import read_tools


def import_episode(record: Record, given: Given) -> Conversation:
    """The episode, when it ended well; raises `DroppedError`."""
    try:
        episode = Episode.model_validate(record.value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DroppedError("bad_episode", f"{where}: {first['msg']}") from error
    return from_episode(episode, given)


def from_episode(episode: Episode, given: Given | None = None) -> Conversation:
    """The same of an episode at hand.

    Raises:
        DroppedError: when it did not end well; of an episode that nobody judged, only whether the
            model concluded by itself is known.
    """
    _require_own_conclusion(episode)
    if episode.violations:
        raise DroppedError(f"violation:{episode.violations[0].kind}", episode.task)
    if episode.success is False:
        raise DroppedError("unsolved", episode.task)
    if not all(map(_is_message, episode.messages)):
        raise DroppedError(
            "bad_episode", "a message without its role and text, or with half a call"
        )
    tools = read_tools(episode.tools, given)
    return Conversation(
        list(episode.messages),
        tools.registry,
        world=episode.world,
        template=episode.template,
    )


def _require_own_conclusion(episode: Episode) -> None:
    """Refuses what has no end of the model's own: nor are its calls known to lead anywhere."""
    replies = f"{episode.task}, after {len(episode.steps)} replies"
    if episode.outcome is Outcome.FAILED:
        raise DroppedError("engine_failure", f"{replies}: {episode.failure or ''}")
    if episode.outcome is Outcome.INTERRUPTED:
        raise DroppedError("interrupted", replies)
    if episode.outcome is Outcome.NO_CONCLUSION:
        raise DroppedError("no_conclusion", f"{replies}: the {episode.spent or 'steps'} ran out")
    if episode.forced:
        raise DroppedError("forced_conclusion", f"{replies}: the {episode.spent} had run out")


def _is_message(message: Message) -> bool:
    """Whether it has the shape that `tooldrill.agent.messages` gives, which no model checks."""
    calls = message.get("tool_calls", [])
    return (
        isinstance(message.get("role"), str)
        and isinstance(message.get("content"), str)
        and isinstance(calls, list)
        and all(map(_is_call, calls))
    )


def _is_call(item: Any) -> bool:
    function = item.get("function") if isinstance(item, dict) else None
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments"), dict)
    )
