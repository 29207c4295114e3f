"""`agent`: a model at work on one task with somebody's tools, step by step before one's eyes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tooldrill.cli.arguments import ConstrainOption, ToolsOption
from tooldrill.cli.check import ProtocolChoice, ProtocolOption

if TYPE_CHECKING:
    from tooldrill.agent.engines.base import Engine
    from tooldrill.agent.episode import Episode
    from tooldrill.agent.limits.settings import ToolLimits
    from tooldrill.agent.settings import LoopSettings
    from tooldrill.cli.agent_view import View


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("agent")(agent)


def agent(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done, in words.")],
    tools: ToolsOption,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE.gguf", help="The model; a name with --endpoint."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="A server with the OpenAI API instead."),
    ] = None,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Replies at most.")] = 15,
    watchdog: Annotated[
        bool, typer.Option("--watchdog/--no-watchdog", help="Hint when the model is stuck.")
    ] = True,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend broken JSON of a call; it still counts.")
    ] = False,
    constrain: ConstrainOption = None,
    context: Annotated[int, typer.Option("--context", min=256, help="Context, in tokens.")] = 4096,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Ask before each call that may change something.")
    ] = False,
    workspace: Annotated[
        Path,
        typer.Option("--workspace", help="The folder that tools work in."),
    ] = Path(),
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds a call.")] = 30.0,
    allow_shell: Annotated[
        bool,
        typer.Option("--allow-shell", help="Programs may be run."),
    ] = False,
    allow_network: Annotated[
        bool,
        typer.Option("--allow-network", help="Sockets may be opened."),
    ] = False,
    unconfined: Annotated[
        bool,
        typer.Option("--unconfined", help="Run where the kernel keeps no limits."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Each step and the end as a JSON line.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE.json", help="Write the episode, for data ingest."),
    ] = None,
) -> None:
    """Run the loop on one task. The tools are executed for real, within limits.

    Exit status: 0 when the model concluded, 1 when it did not.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.limits.settings import ToolLimits
    from tooldrill.agent.settings import LoopSettings, WatchdogSettings
    from tooldrill.cli.agent_view import JsonView, TerminalView

    loop = LoopSettings(
        protocol=protocol.value,
        max_steps=steps,
        max_reply_tokens=512,
        forced_conclusion=True,
        watchdog=WatchdogSettings(enabled=watchdog),
        repair=repair,
        constrain=constrain or "off",
    )
    limits = ToolLimits(
        workspace=workspace.resolve(),
        seconds=timeout,
        allow_shell=allow_shell,
        allow_network=allow_network,
        unconfined=unconfined,
    )
    session = _Session(task, tools, loop, limits, JsonView() if as_json else TerminalView(), save)
    episode = session.run(lambda: _open_engine(model, endpoint, context), confirm=confirm)
    if episode.failure is not None:
        raise TooldrillError(
            f"the engine failed: {episode.failure}", "give it more --context, or fewer tools"
        )
    session.view.end(episode)
    if episode.conclusion is None:
        raise typer.Exit(1)


def _open_engine(model: str | None, endpoint: str | None, context: int) -> Engine:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.settings import EndpointSettings, EngineSettings

    if endpoint is not None:
        from tooldrill.agent.engines.endpoint import EndpointEngine

        return EndpointEngine(endpoint, model, EndpointSettings(parallel=1))
    if model is None:
        raise TooldrillError("no model is given", "add --model FILE.gguf, or --endpoint URL")
    from tooldrill.agent.engines.llama import LlamaEngine

    return LlamaEngine(Path(model).expanduser(), EngineSettings(context=context, parallel=1))


@dataclass(frozen=True)
class _Session:
    """One task, with what it is worked on by and how it is shown."""

    task: str
    tools: str
    loop: LoopSettings
    limits: ToolLimits
    view: View
    save: Path | None

    def run(self, open_engine: Callable[[], Engine], *, confirm: bool) -> Episode:
        """The episode; one that is interrupted is saved as far as it came."""
        from tooldrill.agent import messages
        from tooldrill.agent.confirm import ConfirmedEnvironment
        from tooldrill.agent.limits.confinement import describe
        from tooldrill.agent.loop import Job, run_episodes
        from tooldrill.agent.signature import signatures
        from tooldrill.sources import WORLD, open_environment

        with open_environment(self.tools, limits=self.limits) as (registry, opened):
            typer.echo(signatures(registry), err=True)
            is_world = self.tools.startswith(WORLD)
            typer.echo("tools of a sandbox" if is_world else describe(self.limits), err=True)
            environment = ConfirmedEnvironment(opened, registry, _ask) if confirm else opened
            message = messages.user(self.task)
            job = Job("agent", [message], registry, environment, self.loop.max_steps)
            with closing(open_engine()) as engine:
                (episode,) = run_episodes(
                    [job],
                    engine,
                    self.loop,
                    on_step=lambda _job, step: self.view.step(step),
                    on_text=lambda _job, piece: self.view.text(piece),
                    on_done=lambda _job, done: self._keep(done),
                    on_abandoned=lambda _job, left: self._keep(left),
                )
        return episode

    def _keep(self, episode: Episode) -> None:
        from tooldrill.agent.atomic import write_text

        if self.save is not None:
            write_text(self.save, episode.model_dump_json(by_alias=True, indent=1) + "\n")
            typer.echo(f"episode written to {self.save}", err=True)


def _ask(name: str, arguments: dict[str, Any]) -> bool:
    from tooldrill.cli.agent_view import said_call

    return typer.confirm(f"carry out {said_call(name, arguments)}?", default=False, err=True)
