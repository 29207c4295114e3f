"""serve-check: a real llama-server for a GGUF, and every check over its OpenAI API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.agent.settings import ProtocolName
from tooldrill.export.serving.binary import ServerBinary, find_server
from tooldrill.export.serving.client import ServedModel
from tooldrill.export.serving.findings import Finding, ServeReport
from tooldrill.export.serving.llama_server import RunningServer, llama_server
from tooldrill.export.serving.native_checks import native_findings
from tooldrill.export.serving.options import require_free
from tooldrill.export.serving.react_checks import react_findings
from tooldrill.export.serving.reference import Reference
from tooldrill.export.serving.session import Session

PROTOCOLS: tuple[ProtocolName, ...] = ("native", "react_json")
Told = Callable[[Finding], None]


def serve_check(
    model: Path,
    *,
    server: Path | None = None,
    protocols: Sequence[ProtocolName] = PROTOCOLS,
    template: str | None = None,
    log: Path | None = None,
    gpu_layers: int | None = None,
    timeout: float = 600.0,
    options: Sequence[str] = (),
    begun: Callable[[ServerBinary], None] = lambda _: None,
    told: Told = lambda _: None,
) -> ServeReport:
    """Starts a llama-server for the file, plays the checks, stops it.

    Args:
        server: the binary; searched for when None (`find_server`).
        template: training's chat template, a file or a bundled name; the GGUF's own when None.
        log, gpu_layers, timeout, options: as `llama_server`.
        begun: called with the binary before the server is started.
        told: called with each finding as it is made.

    Raises:
        TooldrillError: when there is no server, it does not start or dies, or the file is no GGUF.
    """
    check_gguf(model)
    require_free(options)
    binary = find_server(server)
    begun(binary)
    findings: list[Finding] = []
    reference = Reference(model, template)
    try:
        with llama_server(
            binary, model, log=log, gpu_layers=gpu_layers, timeout=timeout, options=options
        ) as running:
            for finding in _all_findings(running, reference, protocols):
                findings.append(finding)
                told(finding)
    finally:
        reference.close()
    return ServeReport(
        model=str(model),
        server=str(binary.path),
        version=binary.version,
        log=str(running.log),
        findings=findings,
    )


def _all_findings(
    running: RunningServer, reference: Reference, protocols: Sequence[ProtocolName]
) -> Iterator[Finding]:
    served = ServedModel(running.url)
    try:
        for name in protocols:
            for finding in _findings(served, reference, name):
                if finding.verdict == "fail":
                    running.require_alive()
                yield finding
    finally:
        served.close()


def _findings(served: ServedModel, reference: Reference, name: ProtocolName) -> Iterator[Finding]:
    if name == "react_json":
        return react_findings(Session(served, reference, name, ReactJson()))
    try:
        protocol = reference.template.protocol(name)
    except TooldrillError as error:
        return iter([_no_native_calls(error)])
    return native_findings(Session(served, reference, name, protocol))


def _no_native_calls(error: TooldrillError) -> Finding:
    return Finding(
        protocol="native",
        check="chat template",
        demanded="a template that shows tools and writes calls",
        came=error.message,
        verdict="fail",
        next_step=error.next_step,
    )
