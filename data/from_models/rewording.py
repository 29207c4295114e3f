"""Requests in a teacher's words: what it is asked, and what a new wording must still say.

Every value of the oracle's calls that stood in the old request must stand in the new one, letter by
letter; so must what the answer has to contain. A wording that gives a tool's name away is refused,
and so is one that comes near a held-out one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tooldrill.agent.call import Reply
from tooldrill.agent.engines.base import Engine, Turn
from tooldrill.agent.episode import Message
from tooldrill.agent.hashing import stable_number
from tooldrill.agent.messages import system, user
from tooldrill.agent.progress import Progress, silent
from tooldrill.agent.protocols.base import Tools
from tooldrill.agent.protocols.dialects.base import Notation
from tooldrill.agent.protocols.thinking import split_thinking
from tooldrill.agent.settings import SamplingSettings
from tooldrill.agent.tool import Registry
from tooldrill.data.from_models.append_log import AppendLog
from tooldrill.data.from_models.taught import Failures, Taught, after
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.heldout import refuse_heldout
from tooldrill.data.tasks.solve import says
from tooldrill.data.tasks.task import Task
from tooldrill.data.tasks.verify import OracleFailureError, verify
from tooldrill.data.traces import record

Row = dict[str, Any]

REWORDINGS = "rewordings.jsonl"
_REWORDING_TOKENS = 400
_REWORDING = SamplingSettings(temperature=0.8, top_p=0.95)
# A request may grow by this much before it is no request any more.
_LONGEST = 1500

_WISH = """You reword requests that people send to an assistant. Write the request below as another
person would: other words, another order, another tone, perhaps some context around it. Keep its
meaning, and keep every name, number, date, path, code and quoted text exactly as it is spelled.
Do not answer it, do not add wishes of your own, do not mention tools. Reply with the new request
alone, in the language of the old one."""


class AsWritten:
    """A protocol without calls: the reply is the text."""

    name: ClassVar[str] = "as_written"
    notation: ClassVar[Notation] = "object"  # of calls that are never written
    shape: ClassVar[str] = ""

    def parse(self, text: str, _registry: Registry | None = None) -> Reply:
        return Reply(text=text, conclusion=text)

    def repair(self, _text: str, _registry: Registry | None = None) -> Reply | None:
        return None

    def write(self, message: Message) -> str:
        return str(message.get("content") or "")

    def said(self, message: Message) -> Message:
        return message

    def to_chat(
        self, messages: Sequence[Message], tools: Tools
    ) -> tuple[list[Message], Tools | None]:
        del tools
        return list(messages), None


def reword_tasks(
    tasks: Sequence[Task],
    engine: Engine,
    name: str,
    out: Path,
    *,
    progress: Progress = silent,
) -> Taught:
    """Has the teacher reword the requests; the traces are the oracle's, under the new wording.

    Raises:
        TooldrillError: when the engine fails on every task, or the log is of another teacher.
    """
    log = rewording_log(out / REWORDINGS, {"teacher": name, "source": engine.info.source})
    missing = [task for task in tasks if not _is_reworded(task, log)]
    failures = _reword(missing, engine, log, after(len(tasks) - len(missing), progress))
    taught = Taught(failures=failures.count)
    for task in tasks:
        if not _is_reworded(task, log):
            continue
        try:
            taught.rows.append(_reworded_row(task, log.done[task.id].text, name))
            taught.report.keep(f"reworded:{name}")
        except DroppedError as error:
            taught.report.drop(task.id, error)
    failures.require_some(taught.report.read)
    return taught


def _reworded_row(task: Task, text: str, name: str) -> Row:
    trace = record(reworded(task, text), random.Random(f"reworded {task.id}"))
    if trace is None:
        raise DroppedError("oracle_fails", task.id)
    return {**trace.row(), "source": f"reworded:{name}"}


def wish(task: Task) -> list[Message]:
    """What the teacher is asked."""
    return [system(_WISH), user(task.prompt)]


def reworded(task: Task, text: str) -> Task:
    """The task with the new request.

    Raises:
        DroppedError: when the text is no request that the oracle still answers.
    """
    prompt = _request(text)
    if not prompt or len(prompt) > max(_LONGEST, 2 * len(task.prompt)):
        raise DroppedError("no_request", f"{len(prompt)} characters")
    if prompt == task.prompt:
        raise DroppedError("unchanged", task.id)
    lost = next((v for v in needed_values(task) if not stands_in(v, prompt)), None)
    if lost is not None:
        raise DroppedError("value_lost", f"{task.id}: {lost}")
    told = next((name for name in task.tools if _tells(name, prompt, task.prompt)), None)
    if told is not None:
        raise DroppedError("tool_named", told)
    refuse_heldout(task.world, Registry(()), [prompt])
    new = task.model_copy(update={"prompt": prompt, "id": f"{task.id}+reworded"})
    try:
        verify(new)
    except OracleFailureError as error:
        raise DroppedError("oracle_fails", str(error)) from error
    return new


def needed_values(task: Task) -> list[str]:
    """The values of the oracle and of the answer that stand in the request, as it spells them."""
    values = [text for call in task.calls for text in _leaves(call.arguments)]
    values += task.answer_contains
    return [value for value in dict.fromkeys(values) if stands_in(value, task.prompt)]


def stands_in(value: str, text: str) -> bool:
    """Whether the value is in the text, in its own spelling, not as part of a word or number."""
    return bool(value.strip()) and (
        re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(value)}(?!\w|[.,]\d)", text) is not None
        # What begins or ends with other signs than letters and digits has no word borders.
        or (not (value[0].isalnum() and value[-1].isalnum()) and value in text)
    )


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
        if isinstance(value, float) and value.is_integer():
            yield str(int(value))


def _tells(name: str, new: str, old: str) -> bool:
    # A name of one word is a word that anybody may use.
    written = re.search(r"[_.\d]|[a-z][A-Z]", name) is not None
    return written and says(new, [name]) and not says(old, [name])


def _request(text: str) -> str:
    """The text without thinking and without the quotes that some models put around everything."""
    thinking = split_thinking(text)
    bare = (thinking.rest if thinking is not None else "").strip()
    if len(bare) > 1 and bare[0] == bare[-1] == '"' and '"' not in bare[1:-1]:
        return bare[1:-1].strip()
    return bare


class Rewording(BaseModel):
    """One reply of the teacher."""

    model_config = ConfigDict(extra="forbid")

    task: str
    original: str
    text: str


def rewording_log(path: Path, identity: Mapping[str, Any]) -> AppendLog[Rewording]:
    """The replies of one run as they are made, by task id.

    Raises:
        TooldrillError: when the file was begun by another teacher.
    """
    return AppendLog(path, identity, Rewording, lambda one: one.task)


def _is_reworded(task: Task, log: AppendLog[Rewording]) -> bool:
    return task.id in log.done and log.done[task.id].original == task.prompt


def _reword(
    tasks: Sequence[Task], engine: Engine, log: AppendLog[Rewording], progress: Progress
) -> Failures:
    waiting, under_way = iter(tasks), dict[str, Task]()
    failures = Failures()
    done = 0

    def fill() -> None:
        while len(under_way) < engine.slots:
            task = next(waiting, None)
            if task is None:
                return
            under_way[task.id] = task
            engine.submit(
                Turn(
                    task.id, wish(task), [], AsWritten(), _REWORDING, _REWORDING_TOKENS,
                    stable_number(task.id),
                )
            )  # fmt: skip

    fill()
    while under_way:
        for key, generation in engine.collect():
            task = under_way.pop(key)
            engine.release(key)
            if generation.failure is None:
                log.append(Rewording(task=task.id, original=task.prompt, text=generation.text))
            else:
                failures.add(generation.failure)
            done += 1
            progress(done, len(tasks), "requests reworded")
        fill()
    return failures
