"""A llama-server process for one GGUF: started, waited for, and always stopped.

What is asked of it over HTTP is `client`'s work.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.serving.binary import PROGRAM, ServerBinary
from tooldrill.export.serving.lifeline import Lifeline
from tooldrill.export.serving.options import own_environment, require_free

_HOST = "127.0.0.1"
_PAUSE = 0.1
_STOPPING = 10.0
_LOG_LINES = 12


@dataclass(frozen=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: without the API's `/v1`.
        log: what it wrote, still growing.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def require_alive(self) -> None:
        """Tells a dead server apart from a failed request.

        Raises:
            TooldrillError: when the process has ended.
        """
        if self.process.poll() is not None:
            raise _ended(self.process, self.log)


@contextmanager
def llama_server(
    binary: ServerBinary,
    model: Path,
    *,
    log: Path | None = None,
    context: int = 4096,
    gpu_layers: int | None = None,
    options: Sequence[str] = (),
    timeout: float = 600.0,
) -> Iterator[RunningServer]:
    """Runs the server on a free port of this machine only, until the block ends, however it ends.

    Also when this process is killed: `Lifeline`.

    Args:
        log: where its output goes; a new file in the folder for temporary files when None. Kept.
        context: tokens of the one slot it serves.
        gpu_layers: as llama-server's `-ngl`; None leaves its default.
        options: further options of llama-server.
        timeout: seconds until it must answer.

    Raises:
        TooldrillError: when the file is no GGUF, an option is ours to choose, or the server ends or
            does not answer in time; the last lines of its log stand in the message.
    """
    check_gguf(model)
    require_free(options)
    log = log or _new_log()
    port = _free_port()
    command = [
        *(str(binary.path), "--model", str(model), "--host", _HOST, "--port", str(port)),
        *("--jinja", "--parallel", "1", "--ctx-size", str(context)),
        *(("--n-gpu-layers", str(gpu_layers)) if gpu_layers is not None else ()),
        *options,
    ]
    log.parent.mkdir(parents=True, exist_ok=True)
    with Lifeline() as lifeline:
        process = _started(command, log)
        try:
            lifeline.hold(process.pid)
            url = f"http://{_HOST}:{port}"
            _wait_until_ready(process, url, log, timeout)
            yield RunningServer(url, log, process)
        finally:
            _stop(process)


def last_lines(log: Path, count: int = _LOG_LINES) -> str:
    """The end of a log, for a message."""
    lines = log.read_text("utf-8", errors="replace").splitlines()
    return "\n".join(line[:300] for line in lines[-count:])


def _started(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C ends the checks first and the server after them.
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=own_environment(os.environ),
        )


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, log: Path, timeout: float
) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _ended(process, log)
        try:
            # 503 as long as it loads.
            if httpx.get(f"{url}/health", timeout=5.0).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(_PAUSE)
    raise TooldrillError(
        f"{PROGRAM} did not answer within {timeout:.0f} s:\n{last_lines(log)}",
        f"see {log}; give it more time with --timeout",
    )


def _ended(process: subprocess.Popen[bytes], log: Path) -> TooldrillError:
    return TooldrillError(
        f"{PROGRAM} ended with status {process.returncode}:\n{last_lines(log)}", f"see {log}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPPING)
    except subprocess.TimeoutExpired:
        pass  # killed below
    finally:
        # Also when a second Ctrl-C comes while it is waited for.
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _new_log() -> Path:
    with tempfile.NamedTemporaryFile(prefix=f"{PROGRAM}-", suffix=".log", delete=False) as file:
        return Path(file.name)
