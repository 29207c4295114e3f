"""`data ingest|teach|failures`: training data that does not come out of tooldrill's own worlds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tooldrill.cli.arguments import (
    SOURCE_HELP,
    ApiKeyOption,
    EndpointOption,
    ForceOption,
    OverridesArgument,
    ServerOption,
)
from tooldrill.cli.check import ProtocolChoice, ProtocolOption

if TYPE_CHECKING:
    from tooldrill.agent.settings import EndpointSettings
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
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.json", help="What was dropped and why.")
]


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
    report: ReportOption = None,
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
    report: ReportOption = None,
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
    endpoint: EndpointOption = None,
    server: ServerOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Whose data section says which tasks, and eval.endpoint how servers are asked.",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Tasks.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Other tasks for another seed.")] = 0,
    work: Annotated[
        Work,
        typer.Option("--work", help="Solve tasks, or reword requests that the oracle answers."),
    ] = Work.SOLVE,
    protocol: ProtocolOption = ProtocolChoice.NATIVE,
    parallel: Annotated[
        int | None,
        typer.Option(
            "--parallel",
            min=1,
            help="Tasks at once; default: 4, or the endpoint's own setting.",
            show_default=False,
        ),
    ] = None,
    context: Annotated[
        int, typer.Option("--context", min=256, help="Context of a GGUF, in tokens.")
    ] = 8192,
    reply_tokens: Annotated[
        int, typer.Option("--reply-tokens", min=16, help="Tokens before a reply is cut off.")
    ] = 1024,
    api_key: ApiKeyOption = None,
) -> None:
    """Let a model work on training tasks; keep what is right, and a log of everything.

    Run again with the same --out, it goes on where it stopped. The log, DIR/episodes.jsonl, is
    what `data failures` reads.
    """
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.agent.settings import EngineSettings, LoopSettings
    from tooldrill.cli.display import single_bar
    from tooldrill.cli.models import open_model, require_model
    from tooldrill.data.from_models.rewording import REWORDINGS, reword_tasks
    from tooldrill.data.from_models.teacher import ROLLOUTS, solve_tasks, training_tasks
    from tooldrill.data.ingest.run import new_set, require_new

    log = out / (ROLLOUTS if work is Work.SOLVE else REWORDINGS)
    require_new(out, ["sft"], force=log.exists())
    data, asked = _settings(config, overrides, server)
    require_model(model, endpoint)
    if parallel is not None:
        asked = asked.model_copy(update={"parallel": parallel})
    tasks = training_tasks(data, count, seed)
    local = EngineSettings(context=context, parallel=parallel or 4)
    engine = open_model(model, endpoint, local, asked, api_key)
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


def _settings(
    config: Path | None, overrides: list[str] | None, server: list[str] | None
) -> tuple[DataSettings, EndpointSettings]:
    """Which tasks, and how a server is asked for them."""
    from tooldrill.agent.errors import TooldrillError
    from tooldrill.cli.arguments import open_run
    from tooldrill.cli.models import endpoint_settings, server_overrides
    from tooldrill.data.settings import DataSettings

    if config is not None:
        found = open_run(config, [*(overrides or []), *server_overrides(server)]).config
        return found.data, found.eval.endpoint
    if overrides:
        raise TooldrillError(f"{overrides[0]} overrides no config", "add --config FILE.yaml")
    return DataSettings(), endpoint_settings(server)


def _tell(found: Report, path: Path | None) -> None:
    """The balance on stderr, and as a file where one is wanted."""
    import json

    from tooldrill.agent.atomic import write_text

    for line in found.lines():
        typer.echo(line, err=True)
    if path is not None:
        write_text(path, json.dumps(found.to_dict(), ensure_ascii=False, indent=1) + "\n")
