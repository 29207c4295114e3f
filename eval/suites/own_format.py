"""A suite of one's own: a folder with `tools.py` and `tasks.jsonl`, read and checked line by line.

`tools.py` holds plain functions, introspected like any `python:` source; one named `setup` is no
tool but is called with the workspace before each task. How a task is run is `own_running`'s work,
what it expects of an episode `own_expect`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.sources.catalog import load_source
from tooldrill.agent.tool import Registry
from tooldrill.eval.suites.own_expect import Expect, accepted

TOOLS, TASKS, SETUP = "tools.py", "tasks.jsonl", "setup"


class OwnTask(BaseModel):
    """A line of `tasks.jsonl`.

    Attributes:
        files: what lies in the workspace before the first reply, by relative path.
        history: messages between the prompt and the first reply; their calls are not carried out.
    """

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    files: dict[str, str] = Field(default_factory=dict)
    max_steps: int = Field(8, ge=1)
    history: list[Message] = Field(default_factory=list)
    expect: Expect

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, str]) -> dict[str, str]:
        check_paths(files)
        return files

    @field_validator("history")
    @classmethod
    def _ends_before_a_reply(cls, history: list[Message]) -> list[Message]:
        for number, message in enumerate(history):
            if message.get("role") not in ("user", "assistant", "tool"):
                raise ValueError(f"message {number} has no role user, assistant or tool")
        if history and history[-1]["role"] == "assistant":
            raise ValueError("ends with the assistant: the next message is the model's")
        return history

    @model_validator(mode="after")
    def _expected_files_are_inside(self) -> OwnTask:
        check_paths(self.expect.files)
        return self


def check_paths(paths: dict[str, Any]) -> None:
    """Raises ValueError for a path that does not stay in the workspace."""
    for path in paths:
        parts = PurePosixPath(path)
        if not parts.name or parts.is_absolute() or ".." in parts.parts or "\\" in path:
            raise ValueError(f"{path!r} is no relative path inside the workspace")


@dataclass(frozen=True)
class Problem:
    """What is wrong in a suite, and where.

    Attributes:
        line: of the file, from 1; None when it is not about a line.
    """

    file: str
    line: int | None
    text: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.text}"


@dataclass(frozen=True)
class OwnSuite:
    """A suite without a problem.

    Attributes:
        code: SHA-256 of `tools.py`: with other tools the tasks are others.
    """

    folder: Path
    registry: Registry
    tasks: list[OwnTask]
    code: str


def load_own_suite(folder: Path) -> OwnSuite:
    """The suite in the folder.

    Raises:
        TooldrillError: with the first problem there is.
    """
    suite, problems = read_own_suite(folder)
    if suite is None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise TooldrillError(
            f"{folder}: {problems[0]}{more}",
            f"see all of them: tooldrill eval --suite {folder} --validate",
        )
    return suite


def read_own_suite(folder: Path) -> tuple[OwnSuite | None, list[Problem]]:
    """The suite, or everything that is wrong with it."""
    for name in (TOOLS, TASKS):
        if not (folder / name).is_file():
            return None, [Problem(name, None, f"there is no such file in {folder}")]
    try:
        registry = _registry(folder)
    except TooldrillError as error:
        return None, [Problem(TOOLS, None, f"{error.message} ({error.next_step})")]
    tasks: list[OwnTask] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, line in _lines(folder / TASKS):
        task, found = _read_task(line, registry)
        if task is not None and seen.setdefault(task.id, number) != number:
            found.append(f"id: {task.id!r} is that of line {seen[task.id]} too")
        problems += [Problem(TASKS, number, text) for text in found]
        if task is not None:
            tasks.append(task)
    if not tasks and not problems:
        problems.append(Problem(TASKS, None, "holds no task"))
    if problems:
        return None, problems
    code = hashlib.sha256((folder / TOOLS).read_bytes()).hexdigest()
    return OwnSuite(folder, registry, tasks, code), []


def _registry(folder: Path) -> Registry:
    registry = load_source(f"python:{folder / TOOLS}")
    names = [tool.name for tool in registry if tool.name != SETUP]
    if not names:
        raise TooldrillError("defines no tool", "write at least one function beside `setup`")
    return registry.select(names)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text("utf-8", errors="replace").removeprefix("\N{BYTE ORDER MARK}")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _read_task(line: str, registry: Registry) -> tuple[OwnTask | None, list[str]]:
    try:
        task = OwnTask.model_validate_json(line)
    except ValidationError as error:
        return None, [_said(one) for one in error.errors()]
    return task, list(_contradictions(task, registry))


def _said(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "there is no such field"
    return f"{where}: {text}" if where else text


def _contradictions(task: OwnTask, registry: Registry) -> Iterator[str]:
    """Expected calls that the tools of the suite would refuse."""
    for number, wanted in enumerate(task.expect.calls):
        where = f"expect.calls.{number}"
        if wanted.name not in registry:
            yield f"{where}: {TOOLS} has no tool {wanted.name!r}, only {', '.join(registry.names)}"
            continue
        first = {name: accepted(value)[0] for name, value in wanted.arguments.items()}
        for name, value in wanted.arguments.items():
            for choice in accepted(value):
                call = Call(wanted.name, {**first, name: choice})
                found = [v for v in check_calls([call], registry) if v.argument == name]
                yield from (f"{where}.arguments.{name}: {v.message}" for v in found)
        for violation in check_calls([Call(wanted.name, first)], registry):
            if violation.argument not in wanted.arguments:
                yield f"{where}: {violation.message}"
