"""What `tooldrill agent` does once its options are known: open the tools and the model, and run.

How it is shown is the work of `agent_view`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from tooldrill.agent import messages
from tooldrill.agent.atomic import write_text
from tooldrill.agent.confirm import ConfirmedEnvironment
from tooldrill.agent.engines.base import Engine
from tooldrill.agent.episode import Episode
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.opening import describe_limits
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.loop import Job, run_episodes
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.signature import signatures
from tooldrill.cli.agent_view import View, said_call
from tooldrill.sources import WORLD, open_environment


@dataclass(frozen=True)
class Session:
    """One task, with what it is worked on by and how it is shown.

    Attributes:
        tools: the source, as the user names it.
        save: gets the episode, however it ended.
    """

    task: str
    tools: str
    loop: LoopSettings
    limits: ToolLimits
    view: View
    save: Path | None

    def run(self, open_engine: Callable[[], Engine], *, confirm: bool) -> Episode:
        """The episode; one that is stopped from outside is kept as far as it came.

        Raises:
            TooldrillError: when the tools or the model cannot be opened, or it has no place to be
                kept.
        """
        _require_place(self.save)
        with open_environment(self.tools, limits=self.limits) as (registry, opened):
            typer.echo(signatures(registry), err=True)
            is_world = self.tools.startswith(WORLD)
            may = "tools of a sandbox" if is_world else describe_limits(self.tools, self.limits)
            typer.echo(may, err=True)
            environment = ConfirmedEnvironment(opened, registry, self._ask) if confirm else opened
            message = messages.user(self.task)
            job = Job("agent", [message], registry, environment, self.loop.max_steps)
            with closing(open_engine()) as engine:
                (episode,) = run_episodes(
                    [job],
                    engine,
                    self.loop,
                    on_step=lambda _job, step: self.view.step(step),
                    on_text=lambda _job, piece: self.view.text(piece),
                    on_done=lambda _job, done: self._end(done),
                    on_abandoned=lambda _job, left: self._end(left),
                )
        return episode

    def _end(self, episode: Episode) -> None:
        if self.save is not None:
            write_text(self.save, episode.model_dump_json(by_alias=True, indent=1) + "\n")
        self.view.end(episode)
        if self.save is not None:
            typer.echo(f"episode written to {self.save}", err=True)

    def _ask(self, name: str, arguments: dict[str, Any]) -> bool:
        """Only a plain yes is one; nobody there to answer is a no."""
        self.view.question(f"carry out {said_call(name, arguments)}? [y/N] ")
        answer = sys.stdin.readline()
        if not answer:
            typer.echo("no answer: standard input has ended", err=True)
        return answer.strip().lower() in ("y", "yes")


def _require_place(path: Path | None) -> None:
    if path is None:
        return
    if path.exists():
        raise TooldrillError(f"{path} is there already", "name another file, or remove it")
    if not path.parent.is_dir():
        raise TooldrillError(f"no folder at {path.parent}", "make it, or save to another place")
