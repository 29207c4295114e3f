"""`agent`: a model at work on one task with somebody's tools, step by step before one's eyes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import (
    AdapterOption,
    ApiKeyOption,
    ConstrainOption,
    EndpointOption,
    ServerOption,
    ToolsOption,
)
from tooldrill.cli.check import ProtocolChoice, ProtocolOption

if TYPE_CHECKING:
    from tooldrill.agent.episode import Episode

_MOST_OBSERVED = 20_000


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
    endpoint: EndpointOption = None,
    server: ServerOption = None,
    api_key: ApiKeyOption = None,
    adapter: AdapterOption = None,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Replies at most.")] = 15,
    reply_tokens: Annotated[
        int, typer.Option("--reply-tokens", min=16, help="Tokens before a reply is cut off.")
    ] = 512,
    watchdog: Annotated[
        bool, typer.Option("--watchdog/--no-watchdog", help="Hint when the model is stuck.")
    ] = True,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend broken JSON of a call; it still counts.")
    ] = False,
    constrain: ConstrainOption = None,
    context: Annotated[int, typer.Option("--context", min=256, help="Context, in tokens.")] = 4096,
    observation: Annotated[
        int | None,
        typer.Option(
            "--observation",
            min=200,
            metavar="CHARACTERS",
            help="What a tool's answer is cut to; default: about a quarter of --context.",
            show_default=False,
        ),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Ask before each call that may change something.")
    ] = False,
    workspace: Annotated[
        Path,
        typer.Option("--workspace", metavar="DIR", help="The folder that tools work in."),
    ] = Path(),
    readable: Annotated[
        list[Path] | None,
        typer.Option("--readable", metavar="PATH", help="More that tools may read; repeatable."),
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME", help="A variable that tools see; repeatable."),
    ] = None,
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

    Exit status: 0 the model concluded; 1 it did not; 2 an error; 130 stopped by Ctrl-C.
    """
    from tooldrill.agent.engines.base import EngineAwayError
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.limits.settings import ToolLimits
    from tooldrill.agent.settings import EngineSettings, LoopSettings, WatchdogSettings
    from tooldrill.cli.agent_session import Session
    from tooldrill.cli.agent_view import JsonView, TerminalView
    from tooldrill.cli.exits import INTERRUPTED, ToldExit
    from tooldrill.cli.models import endpoint_settings, open_model, require_model

    _require_task(task)
    require_model(model, endpoint, adapter or [])
    asked = endpoint_settings(server).model_copy(update={"parallel": 1})
    engine = EngineSettings(context=context, parallel=1, adapters=adapter or [])
    session = Session(
        task=task,
        tools=tools,
        loop=LoopSettings(
            protocol=protocol.value,
            max_steps=steps,
            max_reply_tokens=reply_tokens,
            forced_conclusion=True,
            watchdog=WatchdogSettings(enabled=watchdog),
            repair=repair,
            constrain=constrain or "off",
        ),
        limits=ToolLimits(
            workspace=workspace.resolve(),
            readable=tuple(readable or ()),
            variables=tuple(variables or ()),
            seconds=timeout,
            # A token is about four characters.
            output_chars=observation or min(context, _MOST_OBSERVED),
            allow_shell=allow_shell,
            allow_network=allow_network,
            unconfined=unconfined,
        ),
        view=JsonView() if as_json else TerminalView(),
        save=save,
    )
    try:
        episode = session.run(
            lambda: open_model(model, endpoint, engine, asked, api_key), confirm=confirm
        )
    except KeyboardInterrupt:
        typer.echo("stopped; what the tools have done stays done", err=True)
        raise ToldExit(INTERRUPTED) from None
    except EngineAwayError as error:
        # Unlike an evaluation, a task does not go on from its record.
        raise TooldrillError(
            error.message,
            "start it again, then run the same command: the task begins anew; what the tools have "
            "done stays done",
        ) from None
    _require_engine(episode, served=endpoint is not None)
    if episode.conclusion is None:
        raise typer.Exit(1)


def _require_task(task: str) -> None:
    from tooldrill.agent.errors import TooldrillError

    if not task.strip():
        raise TooldrillError("the task is empty", "say in words what is to be done")


def _require_engine(episode: Episode, *, served: bool) -> None:
    """Tells of an engine that could not go on, in its own words."""
    from tooldrill.agent.errors import TooldrillError

    if episode.failure is None:
        return
    if "context" in episode.failure:
        step = (
            "start the server with a longer context, or cut answers with --observation"
            if served
            else "give it more --context, or cut answers with --observation"
        )
    else:
        step = "see what the server says itself" if served else "run it again, or report this"
    raise TooldrillError(f"the engine failed: {episode.failure}", step)
