"""`agent`: a GGUF at work on one task with somebody's tools, step by step before one's eyes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import ToolsOption
from tooldrill.cli.check import ProtocolChoice, ProtocolOption

if TYPE_CHECKING:
    from tooldrill.agent.episode import Episode, Step
    from tooldrill.agent.settings import LoopSettings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("agent")(agent)


def agent(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done, in words.")],
    model: Annotated[Path, typer.Option("--model", metavar="FILE.gguf", help="The model.")],
    tools: ToolsOption,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Replies at most.")] = 15,
    watchdog: Annotated[
        bool, typer.Option("--watchdog/--no-watchdog", help="Hint when the model is stuck.")
    ] = True,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend broken JSON of a call; it still counts.")
    ] = False,
    context: Annotated[int, typer.Option("--context", min=256, help="Context, in tokens.")] = 4096,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE.json", help="Write the episode.")
    ] = None,
) -> None:
    """Run the loop on one task. The tools are executed for real: your own code, an MCP server's.

    Exit status: 0 when the model concluded, 1 when it did not.
    """
    from tooldrill.agent.settings import LoopSettings, WatchdogSettings

    loop = LoopSettings(
        protocol=protocol.value,
        max_steps=steps,
        max_reply_tokens=512,
        watchdog=WatchdogSettings(enabled=watchdog),
        repair=repair,
    )
    episode = _run(task, model, tools, loop, context)
    _conclude(episode)
    if save is not None:
        from tooldrill.agent.atomic import write_text

        write_text(save, episode.model_dump_json(by_alias=True, indent=1) + "\n")
        typer.echo(f"episode written to {save}", err=True)
    if episode.conclusion is None:
        raise typer.Exit(1)


def _run(task: str, model: Path, tools: str, loop: LoopSettings, context: int) -> Episode:
    from tooldrill.agent import messages
    from tooldrill.agent.engines.llama import LlamaEngine
    from tooldrill.agent.loop import Job, run_episodes
    from tooldrill.agent.settings import EngineSettings
    from tooldrill.agent.signature import signatures
    from tooldrill.sources import open_environment

    with open_environment(tools) as (registry, environment):
        typer.echo(signatures(registry), err=True)
        engine = LlamaEngine(model, EngineSettings(context=context, parallel=1))
        try:
            job = Job("agent", [messages.user(task)], registry, environment, loop.max_steps)
            return run_episodes([job], engine, loop, on_step=lambda _job, step: _show(step))[0]
        finally:
            engine.close()


def _show(step: Step) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    if step.thought:
        console.print(f"[dim]{escape(step.thought)}[/]")
    for call in step.calls[:1]:
        arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
        console.print(f"[bold cyan]{escape(call.name)}[/]({escape(arguments)})")
    if not step.calls and step.conclusion is None:
        console.print(f"[dim]{escape(step.reply)}[/]")
    for violation in step.violations:
        console.print(f"  [yellow]{violation.kind}[/] {escape(violation.message)}")
    if step.observation is not None:
        colour = "red" if step.error else "green"
        console.print(f"  [{colour}]{escape(step.observation)}[/]")
    if step.injected:
        console.print(f"  [magenta]{escape(step.injected.text)}[/]")


def _conclude(episode: Episode) -> None:
    from tooldrill.agent.errors import TooldrillError

    if episode.failure is not None:
        raise TooldrillError(
            f"the engine failed: {episode.failure}", "give it more --context, or fewer tools"
        )
    count = sum(len(step.violations) for step in episode.steps)
    seconds = f"{episode.seconds:.1f} s"
    if episode.conclusion is not None:
        typer.echo(f"\n{episode.conclusion}")
    else:
        typer.echo("\nno conclusion: the steps ran out")
    typer.echo(f"{len(episode.steps)} replies, {count} violations, {seconds}", err=True)
