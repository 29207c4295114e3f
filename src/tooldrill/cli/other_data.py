"""`data ingest|teach|failures`: training data that does not come out of tooldrill's own worlds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import SOURCE_HELP, ForceOption, OverridesArgument
from tooldrill.cli.check import ProtocolChoice, ProtocolOption

if TYPE_CHECKING:
    from tooldrill.agent.engines.base import Engine
    from tooldrill.data.ingest.report import Report
    from tooldrill.data.settings import DataSettings


class Form(StrEnum):
    """What a file is written in."""

    AUTO = "auto"
    EPISODES = "episodes"
    OPENAI = "openai"
    REACT = "react"
    XLAM = "xlam"
    HERMES = "hermes"
    TOOLACE = "toolace"
    GLAIVE = "glaive"


class Work(StrEnum):
    """What a teacher does."""

    SOLVE = "solve"
    REWORD = "reword"


OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the set goes.")]


def register(data: typer.Typer) -> None:
    """Adds the commands to the group `data`."""
    data.command("ingest")(ingest)
    data.command("teach")(teach)
    data.command("failures")(failures)


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE_OR_HUB_NAME...",
            help=".json, .jsonl, .parquet (or .gz), a folder, or OWNER/NAME[:CONFIG][@SPLIT].",
            show_default=False,
        ),
    ],
    out: OutOption,
    form: Annotated[
        Form, typer.Option("--format", help="What the records are; auto tells it by their keys.")
    ] = Form.AUTO,
    tools: Annotated[
        str | None,
        typer.Option("--tools", metavar="SOURCE", help=f"For records without tools: {SOURCE_HELP}"),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="For logs that do not name their request.")
    ] = None,
    protocol: Annotated[
        ProtocolChoice | None,
        typer.Option("--protocol", help="Read calls in the text of OpenAI chats, too."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.json", help="What was dropped and why.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Turn other people's tool-call records into an SFT set; say what was dropped and why."""
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.display import single_bar
    from tooldrill.data.ingest.conversation import Given
    from tooldrill.data.ingest.run import ingest as run_ingest
    from tooldrill.data.ingest.run import require_new
    from tooldrill.sources import load_registry

    require_new(out, ["sft"], force=force)
    given = Given(
        registry=load_registry(tools) if tools is not None else None,
        prompt=prompt,
        protocol=protocol.value if protocol is not None else None,
    )
    with single_bar("ingest") as progress:
        found = run_ingest(sources, out, given, form.value, progress)
    _tell(found, report)
    if not found.kept:
        raise TooldrillError(
            f"none of {found.read} records could be used",
            "see the reasons above; --format FORMAT and --tools SOURCE help with foreign files",
        )
    typer.echo(f"{out / 'sft.jsonl'}: {found.kept} rows")


def failures(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS.json",
            help="The results of `tooldrill eval`, or the episodes.jsonl of `data teach`.",
            show_default=False,
        ),
    ],
    out: OutOption,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.json", help="What was dropped and why.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Pair a model's own violations with the right calls: preference data for another round.

    Episodes on held-out tasks are left out: what is measured must not be trained on.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.data.from_models.failures import HELDOUT, own_failures
    from tooldrill.data.from_models.rollouts import read_rollouts
    from tooldrill.data.ingest.report import Report
    from tooldrill.data.ingest.run import new_set, require_new

    require_new(out, ["dpo"], force=force)
    found = Report()
    with new_set(out, "dpo") as rows:
        for row in own_failures(read_rollouts(results), found):
            rows.add(row)
        pairs = rows.rows
    _tell(found, report)
    if not pairs:
        held = found.dropped.get(HELDOUT)
        if held is not None and held.count == found.read:
            raise TooldrillError(
                f"all {found.read} episodes are on held-out tasks, which must not be trained on",
                "let the model work on training tasks: tooldrill data teach --model FILE.gguf "
                "--count 200 --out DIR; then give DIR/episodes.jsonl",
            )
        raise TooldrillError(
            f"no pair could be made of {found.read} episodes",
            "give more episodes of a model that still fails: tooldrill data teach --count N",
        )
    typer.echo(f"{out / 'dpo.jsonl'}: {pairs} pairs")


def teach(
    model: Annotated[
        str, typer.Option("--model", help="A GGUF file, or the model's name at the endpoint.")
    ],
    out: OutOption,
    overrides: OverridesArgument = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="http://HOST:PORT/v1")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Whose data section says which tasks; else the defaults."),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Tasks.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Other tasks for another seed.")] = 0,
    work: Annotated[
        Work,
        typer.Option("--work", help="Solve tasks, or reword requests that the oracle answers."),
    ] = Work.SOLVE,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="Tasks at once.")] = 4,
    context: Annotated[
        int, typer.Option("--context", min=256, help="Context of a GGUF, in tokens.")
    ] = 8192,
    reply_tokens: Annotated[
        int, typer.Option("--reply-tokens", min=16, help="Tokens before a reply is cut off.")
    ] = 1024,
    api_key: Annotated[
        str | None,
        typer.Option("--api-key", envvar="TOOLDRILL_API_KEY", help="The endpoint's key."),
    ] = None,
) -> None:
    """Let a model work on training tasks; keep what is right, and a log of everything.

    Run again with the same --out, it goes on where it stopped. The log, DIR/episodes.jsonl, is
    what `data failures` reads.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.settings import LoopSettings
    from tooldrill.cli.display import single_bar
    from tooldrill.data.from_models.rewording import REWORDINGS, reword_tasks
    from tooldrill.data.from_models.teacher import ROLLOUTS, solve_tasks, training_tasks
    from tooldrill.data.ingest.run import new_set, require_new

    log = out / (ROLLOUTS if work is Work.SOLVE else REWORDINGS)
    require_new(out, ["sft"], force=log.exists())
    tasks = training_tasks(_data_settings(config, overrides), count, seed)
    engine = _open(model, endpoint, api_key, parallel, context)
    name = model if endpoint is not None else Path(model).stem
    try:
        with single_bar("teach") as progress:
            if work is Work.SOLVE:
                loop = LoopSettings(
                    protocol=protocol.value, max_steps=15, max_reply_tokens=reply_tokens
                )
                taught = solve_tasks(tasks, engine, loop, name, out, progress=progress)
            else:
                taught = reword_tasks(tasks, engine, name, out, progress=progress)
    finally:
        engine.close()
    _tell(taught.report, None)
    if taught.failures:
        typer.echo(f"{taught.failures} tasks got no reply; run it again to try them", err=True)
    if not taught.rows:
        raise TooldrillError(
            f"nothing of {taught.report.read} tasks could be kept",
            f"see the reasons above; its failures are in {log}",
        )
    with new_set(out, "sft") as rows:
        for row in taught.rows:
            rows.add(row)
        kept = rows.rows
    typer.echo(f"{out / 'sft.jsonl'}: {kept} rows")


def _data_settings(config: Path | None, overrides: list[str] | None) -> DataSettings:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.arguments import open_run
    from tooldrill.data.settings import DataSettings

    if config is not None:
        return open_run(config, overrides).config.data
    if overrides:
        raise TooldrillError(f"{overrides[0]} overrides no config", "add --config FILE.yaml")
    return DataSettings()


def _open(
    model: str, endpoint: str | None, api_key: str | None, parallel: int, context: int
) -> Engine:
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.settings import EndpointSettings, EngineSettings

    if endpoint is not None:
        from tooldrill.agent.engines.endpoint import EndpointEngine

        settings = EndpointSettings(parallel=parallel)
        return EndpointEngine(endpoint, model, settings, api_key=api_key)
    if not Path(model).expanduser().is_file():
        raise TooldrillError(
            f"no GGUF file at {model}", "give a file, or add --endpoint URL for a served model"
        )
    from tooldrill.agent.engines.llama import LlamaEngine

    return LlamaEngine(Path(model).expanduser(), EngineSettings(context=context, parallel=parallel))


def _tell(found: Report, path: Path | None) -> None:
    """The balance on stderr, and as a file where one is wanted."""
    import json

    from tooldrill.agent.atomic import write_text

    for line in found.lines():
        typer.echo(line, err=True)
    if path is not None:
        write_text(path, json.dumps(found.to_dict(), ensure_ascii=False, indent=1) + "\n")
