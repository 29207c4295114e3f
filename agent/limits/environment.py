"""The agent's side of a worker: calls with a time limit, bounded output, and a new start after it.

What tools may touch is the worker's own affair (`confinement`); here is what holds even when a tool
hangs, crashes or prints without end.
"""

from __future__ import annotations

import signal
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tooldrill.agent.environment import Observation
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.answers import flood, is_flood
from tooldrill.agent.limits.clip import LINE_ROOM, ClippedBytes, clip
from tooldrill.agent.limits.connection import Connection, EndedError, FullError, LateError
from tooldrill.agent.limits.removal import remove_folder
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.tool import Registry, Tool

_FORGOTTEN = "what it kept in memory is gone"
# Less than this is not worth showing of what was printed beside a result.
_LEAST_PRINTED = 200


class WorkerEnvironment:
    """Carries out calls in a process of its own, under limits. Not for several threads at once.

    Args:
        source: `python:...`, `skills:...` or `files`.

    Attributes:
        registry: the tools; `Tool.writes` is told of `files`.

    Raises:
        TooldrillError: when the tools cannot be imported under these limits.
    """

    def __init__(self, source: str, limits: ToolLimits) -> None:
        self._source = source
        self._limits = limits
        self._temporary = Path(tempfile.mkdtemp(prefix="tooldrill-tools-")).resolve()
        self._connection: Connection | None = None
        self._calls = 0
        try:
            self.registry = self._start()
        except BaseException:
            self.close()
            raise

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        if name not in self.registry:
            return Observation.failure(f"no such tool: {name}")
        try:
            if self._connection is None:
                self._start()
            assert self._connection is not None
            self._calls += 1
            request = {"id": self._calls, "name": name, "arguments": arguments}
            answer = self._connection.ask(request, self._limits.seconds)
        except TooldrillError as error:
            return Observation.failure(f"{name}: {error.message}")
        except FullError as full:
            self._stop()
            reason = "the disk is nearly full; it was stopped, and what it has written stays"
            return self._failure(name, reason, full.printed)
        except LateError as late:
            self._stop()
            reason = f"no answer within {self._limits.seconds:g} s; it was stopped"
            return self._failure(name, reason, late.printed)
        except EndedError as ended:
            self._stop()
            return self._failure(name, _how_it_ended(ended), ended.printed)
        except BaseException:
            # Ctrl-C: half a request may have been sent, and its answer is nobody's.
            self._stop()
            raise
        return self._observation(name, answer.message, answer.printed)

    def close(self) -> None:
        """Ends the worker and all it has started, and removes its temporary files."""
        self._stop()
        remove_folder(self._temporary)

    def _start(self) -> Registry:
        self._connection = Connection(self._limits, self._temporary)
        setting = {
            "source": self._source,
            "limits": self._limits.model_dump_json(),
            "temporary": str(self._temporary),
        }
        try:
            message = self._connection.ask(setting, self._limits.start_seconds).message
        except LateError:
            self._stop()
            raise TooldrillError(
                f"{self._source} was not imported within {self._limits.start_seconds:g} s",
                "do what takes long in the tools themselves, not while they are imported",
            ) from None
        except EndedError as ended:
            self._stop()
            raise TooldrillError(
                f"{self._source} ended while it was imported: {_how_it_ended(ended)}",
                "see that the tools can be imported by themselves",
            ) from None
        try:
            if "failure" not in message:
                return Registry(_tool(item) for item in message["tools"])
            what, next_step = (str(text) for text in message["failure"])
        except (TooldrillError, AttributeError, LookupError, TypeError, ValueError) as error:
            # While they are imported they can write to the worker's pipes.
            what = f"{self._source} sent something else than its tools: {error}"
            next_step = "see that the tools write to no file descriptor that they did not open"
        self._stop()
        raise TooldrillError(what, next_step)

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failure(self, name: str, reason: str, printed: ClippedBytes) -> Observation:
        text = f"{name}: {reason}; {_FORGOTTEN}"
        return Observation.failure(self._with_printed(text, printed))

    def _observation(
        self, name: str, message: dict[str, Any], printed: ClippedBytes
    ) -> Observation:
        # A tool can write to the worker's pipes: nothing of what comes is taken for granted.
        text = clip(str(message.get("text", "")), self._limits.output_chars + LINE_ROOM)
        error = bool(message.get("error"))
        if not error and is_flood(printed.taken, self._limits):
            reason = flood(name, "printed text", printed.taken, partial(clip, text), self._limits)
            text, error = Observation.failure(reason)
        return Observation(self._with_printed(text, printed), error)

    def _with_printed(self, text: str, printed: ClippedBytes) -> str:
        if not printed.taken:
            return text
        room = self._limits.output_chars - len(text)
        if room < _LEAST_PRINTED:
            return f"{text}\n[printed: {printed.taken} characters, not shown]"
        return f"{text}\n[printed]\n{printed.text(room).rstrip()}"


def _tool(item: dict[str, Any]) -> Tool:
    tool = Tool.from_openai(item["tool"])
    return Tool(tool.name, tool.description, tool.schema, item["writes"])


def _how_it_ended(ended: EndedError) -> str:
    status = ended.status
    if status > 128:
        try:
            how = f"its process was ended by {signal.Signals(status - 128).name}"
        except ValueError:
            how = f"its process ended with status {status}"
    else:
        how = f"its process ended with status {status}"
    return f"{how}: {ended.last_words}" if ended.last_words else how
