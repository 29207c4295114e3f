"""How `tooldrill agent` shows an episode: to a person as it happens, or as JSON lines.

What comes from a model or a tool is shown as plain text: it can neither colour a terminal nor
clear it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from tooldrill.agent.episode import Episode, Step

_LONGEST_SHOWN = 2000  # characters of an observation; the model and the record have all of it


class View(Protocol):
    """Takes an episode in pieces, in the order in which they happen."""

    def text(self, piece: str) -> None: ...

    def step(self, step: Step) -> None: ...

    def question(self, text: str) -> None: ...

    def end(self, episode: Episode) -> None: ...


class TerminalView:
    """Replies as they are written, calls, observations, and the conclusion last.

    The conclusion alone goes to standard output, all else to standard error. Where both are one
    terminal, what has just been streamed is not said a second time.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._streamed = ""  # of the reply under way
        self._last = ""  # what was streamed of the one before it
        self._line_open = False

    def text(self, piece: str) -> None:
        if self._console.is_terminal:
            self._console.print(_plain(piece), style="dim", end="", markup=False)
            self._streamed += piece
            self._line_open = True

    def step(self, step: Step) -> None:
        if not self._streamed and step.conclusion is None and (step.thought or not step.calls):
            self._line(step.thought or step.reply, "dim")
        self._end_stream()
        self._last, self._streamed = self._streamed, ""
        for call in step.calls[:1]:
            self._line(said_call(call.name, call.arguments), "bold cyan")
        for violation in step.violations:
            self._line(f"  {violation.kind}: {violation.message}", "yellow")
        if step.observation is not None:
            self._line(_shortened(step.observation), "red" if step.error else "green")
        if step.injected:
            self._line(f"  {step.injected.text}", "magenta")

    def question(self, text: str) -> None:
        self._end_stream()
        sys.stderr.write(text)
        sys.stderr.flush()

    def end(self, episode: Episode) -> None:
        self._end_stream()
        if episode.conclusion is not None:
            if not (_is_one_terminal() and _ends_with(self._last, episode.conclusion)):
                typer.echo(_plain(episode.conclusion))
        elif episode.failure is None:
            typer.echo(f"no conclusion: the {episode.spent or 'steps'} ran out", err=True)
        count = sum(len(step.violations) for step in episode.steps)
        typer.echo(
            f"{len(episode.steps)} replies, {count} violations, {episode.seconds:.1f} s", err=True
        )

    def _end_stream(self) -> None:
        if self._line_open:
            self._console.print()
        self._line_open = False

    def _line(self, text: str, style: str) -> None:
        self._console.print(_plain(text), style=style, markup=False)


class JsonView:
    """One JSON object a line on standard output: each step, then how the episode ended."""

    def text(self, piece: str) -> None:
        """Pieces of a reply are no events: a step holds all of it."""

    def step(self, step: Step) -> None:
        self._print({"step": step.model_dump(mode="json", by_alias=True)})

    def question(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def end(self, episode: Episode) -> None:
        ending = {"outcome", "conclusion", "spent", "forced", "failure", "seconds"}
        self._print(episode.model_dump(mode="json", by_alias=True, include=ending))

    def _print(self, event: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def said_call(name: str, arguments: dict[str, Any]) -> str:
    """A call on one line, arguments as JSON."""
    given = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
    return _plain(f"{name}({', '.join(given)})")


def _is_one_terminal() -> bool:
    """Whether standard output and standard error are seen in the same place."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return False
    return os.fstat(sys.stdout.fileno()).st_rdev == os.fstat(sys.stderr.fileno()).st_rdev


def _ends_with(text: str, end: str) -> bool:
    return bool(end.strip()) and text.rstrip().endswith(end.strip())


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_SHOWN:
        return text
    half = _LONGEST_SHOWN // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters not shown]\n{text[-half:]}"


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
