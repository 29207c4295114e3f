"""Episodes together with their tasks: what `data teach` keeps, and what `data failures` reads.

A file of rollouts has one JSON object a line, `{"task", "episode", "protocol"}`, appended as each
episode ends. An evaluation's results file is read too; one of an older tooldrill lacks the tasks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tooldrill.agent.episode import Episode
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import ProtocolName
from tooldrill.data.from_models.append_log import HEADER, AppendLog
from tooldrill.data.tasks.task import Task

_MAKE = "make one on training tasks: tooldrill data teach --model FILE.gguf --count 200 --out DIR"


class Rollout(BaseModel):
    """A task and what a model did with it.

    Attributes:
        protocol: how the model's replies were written.
    """

    model_config = ConfigDict(extra="forbid")

    task: Task
    episode: Episode
    protocol: ProtocolName = "native"


def rollout_log(path: Path, identity: Mapping[str, Any]) -> AppendLog[Rollout]:
    """The rollouts of one run as they are made, by task id.

    Raises:
        TooldrillError: when the file was begun by another model.
    """
    return AppendLog(path, identity, Rollout, lambda rollout: rollout.task.id)


def read_rollouts(path: Path) -> Iterator[Rollout]:
    """The rollouts in a file of either kind, one by one.

    Raises:
        TooldrillError: when it is missing, damaged, of another kind, or lacks its tasks.
    """
    if not path.is_file():
        raise TooldrillError(f"no file at {path}", _MAKE)
    try:
        with path.open("rb") as file:
            first = file.readline().strip()
            if _is_whole(first):
                yield from _from_lines(path, first, file)
                return
        yield from _from_results(path, json.loads(path.read_bytes()))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise TooldrillError(f"{path}: {where}: {problem['msg']}", _MAKE) from None
    except (ValueError, RecursionError) as error:
        raise TooldrillError(f"{path} is damaged or is not JSON: {error}", _MAKE) from None


def _from_lines(path: Path, first: bytes, rest: Any) -> Iterator[Rollout]:
    value = json.loads(first)
    if HEADER not in value:
        if "episodes" in value:
            yield from _from_results(path, value)
            return
        yield Rollout.model_validate(value)
    for line in rest:
        if line.strip():
            yield Rollout.model_validate_json(line)


def _from_results(path: Path, value: Any) -> Iterator[Rollout]:
    episodes = value.get("episodes") if isinstance(value, dict) else None
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if isinstance(value, dict) and {"task", "steps", "outcome"} <= value.keys():
        raise TooldrillError(
            f"{path} is an episode of tooldrill agent: nobody knows what was right in its place",
            f"what ended well is taken by: tooldrill data ingest {path} --out DIR",
        )
    if not isinstance(episodes, list):
        raise TooldrillError(f"{path} holds no episodes", _MAKE)
    if not isinstance(tasks, list) or len(tasks) != len(episodes):
        raise TooldrillError(f"{path} does not carry the tasks of its episodes", _MAKE)
    protocol = value.get("condition", {}).get("loop", {}).get("protocol", "native")
    for task, episode in zip(tasks, episodes, strict=True):
        yield Rollout(
            task=Task.model_validate(task),
            episode=Episode.model_validate(episode),
            protocol=protocol,
        )


def _is_whole(line: bytes) -> bool:
    """Whether the line is an object by itself: then the file has one a line."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
