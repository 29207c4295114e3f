"""`serve-check`: whether a GGUF may be dropped in behind llama-server."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tooldrill.export.serving.binary import ServerBinary
    from tooldrill.export.serving.findings import Finding, ServeReport


class ServedProtocol(StrEnum):
    """Which calls are tried."""

    NATIVE = "native"
    REACT_JSON = "react_json"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("serve-check")(serve_check)


def serve_check(
    model: Annotated[
        Path, typer.Argument(metavar="X.gguf", help="The model file.", show_default=False)
    ],
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- OPTION...]",
            help="Further options of llama-server, as the agent's server gets them.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        Path | None,
        typer.Option(
            "--server",
            metavar="PATH",
            help="The llama-server binary; else $LLAMA_SERVER, PATH, or what `make llama-server` "
            "built.",
        ),
    ] = None,
    protocol: Annotated[
        ServedProtocol, typer.Option("--protocol", help="Which calls are tried.")
    ] = ServedProtocol.BOTH,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="FILE",
            help="The chat template of the training, a Jinja file or the name of a bundled one.",
            show_default="the one in the file",
        ),
    ] = None,
    gpu_layers: Annotated[
        int | None, typer.Option("--gpu-layers", min=-1, help="Layers on the GPU.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds until the server must answer.")
    ] = 600.0,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", metavar="FILE", help="The server's log.", show_default="a temporary file"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report.")] = False,
) -> None:
    """Start a real llama-server for the file and play conversations over its OpenAI API.

    Fails when the server does not read the template's calls as calls, when arguments do not parse,
    when a stop token leaks, or when a prompt has other tokens than in training. What the model
    chooses to say is told, not judged.

    Exit status: 0 may be dropped in, 1 may not, 2 the check could not be made.
    """
    from rich.console import Console

    from tooldrill.export.serving.run import PROTOCOLS
    from tooldrill.export.serving.run import serve_check as check

    console = Console(highlight=False, quiet=as_json)
    wanted = [name for name in PROTOCOLS if protocol.value in (name, "both")]
    report = check(
        model,
        server=server,
        protocols=wanted,
        template=template,
        log=log,
        gpu_layers=gpu_layers,
        timeout=timeout,
        options=options or (),
        begun=lambda binary: _begun(console, binary, model),
        told=lambda finding: _line(console, finding),
    )
    if as_json:
        typer.echo(report.model_dump_json(indent=1))
    _summary(console, report)
    if report.failed:
        raise typer.Exit(1)


def _begun(console: Console, binary: ServerBinary, model: Path) -> None:
    console.print(
        f"{binary.path} (version {binary.version}) serves {model}", markup=False, soft_wrap=True
    )


def _line(console: Console, finding: Finding) -> None:
    from rich.markup import escape

    colour = {"ok": "green", "fail": "red", "note": "yellow"}[finding.verdict]
    mark = "FAIL" if finding.verdict == "fail" else finding.verdict
    console.print(
        f"[{colour}]{mark:<4}[/] {finding.protocol:<10} {escape(finding.check)}: "
        f"{escape(finding.demanded)}; came: {escape(finding.came)}",
        soft_wrap=True,
    )
    if finding.next_step:
        console.print(f"     [cyan]next:[/] {escape(finding.next_step)}", soft_wrap=True)


def _summary(console: Console, report: ServeReport) -> None:
    behaviour = [one for one in report.findings if one.check.startswith("behaviour")]
    hoped = sum(one.verdict == "ok" for one in behaviour)
    checks = len(report.findings) - len(behaviour)
    console.print(
        f"{checks - len(report.failed)} of {checks} checks passed; the model behaved as hoped in "
        f"{hoped} of {len(behaviour)} conversations (not judged); log: {report.log}",
        markup=False,
        soft_wrap=True,
    )
