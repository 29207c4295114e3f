"""A results file: everything one model did on one suite under one condition.

It is self-contained: every report can be made again from it, and one made on another machine can be
compared later. What the numbers in it mean is `measure`'s work.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tooldrill.agent.atomic import write_text
from tooldrill.agent.engines.base import EngineInfo
from tooldrill.agent.episode import Episode
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings, EngineSettings, LoopSettings
from tooldrill.data.tasks.task import Task
from tooldrill.eval.suites.task_set import Labels

SCHEMA_VERSION: Literal[1] = 1
_FORMAT: Literal["tooldrill-results"] = "tooldrill-results"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelInfo(_Part):
    """The model that was measured.

    Attributes:
        name: as reports show it.
        source: path of the GGUF file, or URL of the endpoint.
        sha256: of the file; None for an endpoint.
        quantization: as the file says it, None when unknown.
        size: bytes of the file.
        server: what an endpoint told of itself: program, build, context, who reads the calls.
    """

    name: str
    source: str
    sha256: str | None = None
    quantization: str | None = None
    size: int | None = None
    server: dict[str, Any] = {}


class Suite(_Part):
    """The tasks, by what they were drawn from and by content.

    Attributes:
        name: of the suite; None for the tasks of a run's config.
        seed: of the draw, None when the tasks came from elsewhere.
        tasks: how many.
        sha256: of all tasks as JSON, in order: equal for equal suites.
    """

    name: str | None = None
    worlds: list[str]
    seed: int | None
    tasks: int
    sha256: str


class Condition(_Part):
    """How the episodes were run.

    Attributes:
        engine: of a GGUF file; it says nothing about an endpoint.
        endpoint: how the endpoint was asked; None for a GGUF file.
    """

    loop: LoopSettings
    engine: EngineSettings
    endpoint: EndpointSettings | None = None

    @property
    def replies(self) -> dict[str, Any]:
        """What the replies depend on, as JSON: how a server is reached and waited for does not."""
        told = self.model_dump(mode="json")
        if self.endpoint is not None:
            told["endpoint"] = self.endpoint.model_dump(mode="json", include={"calls", "body"})
        return told


class Versions(_Part):
    """What made the file."""

    tooldrill: str
    llama_cpp: str | None
    python: str


class Results(BaseModel):
    """One model, one suite, one condition.

    Attributes:
        task_ids: in suite order; `episodes` has one judged episode for each, in the same order.
        tasks: likewise, so that an episode can be carried out and judged again; none in files
            written before they were kept.
        labels: likewise, what each task is an example of; none where the tasks are of no suite.
        engine: what the replies came from, with the settings it chose itself and the adapters;
            None in files written before it was kept.
        cell: what its condition was called where a run has several; empty for the base.
        seconds: wall time of the evaluation, resumed parts included.
        peak_memory: most resident memory of this process while it ran, in bytes, the model
            included; of the last part where it was resumed; None for an endpoint.
        date: when it was finished, UTC, ISO 8601.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal["tooldrill-results"] = _FORMAT
    schema_version: Literal[1] = SCHEMA_VERSION
    model: ModelInfo
    suite: Suite
    condition: Condition
    cell: str = ""
    engine: EngineInfo | None = None
    task_ids: list[str]
    tasks: list[Task] = Field(default_factory=list)
    labels: list[Labels] = Field(default_factory=list)
    episodes: list[Episode]
    seconds: float
    peak_memory: int | None = None
    versions: Versions
    date: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @model_validator(mode="after")
    def _tasks_are_those_of_the_episodes(self) -> Results:
        if self.tasks and [task.id for task in self.tasks] != self.task_ids:
            raise ValueError("`tasks` are not those that `task_ids` names")
        if self.labels and len(self.labels) != len(self.task_ids):
            raise ValueError("`labels` are not one for each task")
        return self

    def save(self, path: Path) -> None:
        """Writes the file atomically."""
        write_text(path, self.model_dump_json(by_alias=True, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Reads a file written by `save`.

        Raises:
            TooldrillError: when it is missing, cut short, of another kind or of another version.
        """
        again = "make it again: tooldrill eval CONFIG (or --model FILE.gguf --out FILE.json)"
        try:
            raw = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise TooldrillError(f"no results file at {path}", again) from None
        except IsADirectoryError:
            raise TooldrillError(f"{path} is a folder", "name the results file in it") from None
        except (ValueError, RecursionError) as error:
            raise TooldrillError(f"{path} is damaged or is not JSON: {error}", again) from None
        if not isinstance(raw, dict) or raw.get("format") != _FORMAT:
            raise TooldrillError(f"{path} is not a tooldrill results file", again)
        if raw.get("schema_version") != SCHEMA_VERSION:
            raise TooldrillError(
                f"{path} has results schema {raw.get('schema_version')!r}, not {SCHEMA_VERSION}",
                "read it with the tooldrill that wrote it, or evaluate again",
            )
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = "".join(f"{part}." for part in first["loc"]).removesuffix(".")
            raise TooldrillError(
                f"{path}: {where}{': ' if where else ''}{first['msg']}", again
            ) from None


def suite_of(tasks: Sequence[Task], seed: int | None = None, name: str | None = None) -> Suite:
    """What identifies a list of tasks."""
    digest = hashlib.sha256()
    for task in tasks:
        text = json.dumps(task.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        digest.update(text.encode() + b"\n")
    worlds = list(dict.fromkeys(task.world for task in tasks))
    return Suite(name=name, worlds=worlds, seed=seed, tasks=len(tasks), sha256=digest.hexdigest())


def current_versions() -> Versions:
    """The versions this process runs with."""
    return Versions(
        tooldrill=_installed("tooldrill") or "unknown",
        llama_cpp=_installed("llama-cpp-python"),
        python=platform.python_version(),
    )


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
