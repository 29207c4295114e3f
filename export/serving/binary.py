"""Which llama-server runs: one that was named, one on PATH, or what `make llama-server` built.

Building it is `build`'s work, starting it `llama_server`'s.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tooldrill.agent.cache import cache_folder
from tooldrill.agent.errors import TooldrillError

PROGRAM = "llama-server"
VARIABLE = "LLAMA_SERVER"
_SECONDS = 60.0


@dataclass(frozen=True)
class ServerBinary:
    """A llama-server that answered `--version`."""

    path: Path
    version: str


def built_server() -> Path:
    """Where `make llama-server` puts its binary: one for each version of llama-cpp-python."""
    version = metadata.version("llama-cpp-python")
    return cache_folder() / PROGRAM / version / PROGRAM


def find_server(named: Path | None = None) -> ServerBinary:
    """The llama-server to use: `named`, `$LLAMA_SERVER`, PATH, the built one, in this order.

    Raises:
        TooldrillError: when there is none, or when it does not run.
    """
    path = named or _installed()
    if path is None:
        raise TooldrillError(
            f"no {PROGRAM} on PATH or at {built_server()}",
            f"make llama-server, or name one: --server PATH or ${VARIABLE}",
        )
    if path.is_file():
        path = path.absolute()  # a bare name would be searched for on PATH
    return ServerBinary(path, _version(path))


def has_server() -> bool:
    """Whether `find_server` finds one; one that does not run is found too, and refused there."""
    return _installed() is not None


def _installed() -> Path | None:
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    on_path = shutil.which(PROGRAM)
    path = Path(on_path) if on_path else built_server()
    return path if path.is_file() else None


def _version(path: Path) -> str:
    """What it says of itself: `0.3.36 (abc1234)` or the like."""
    step = f"name another: --server PATH or ${VARIABLE}, or build one: make llama-server"
    try:
        ran = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise TooldrillError(f"cannot run {path}: {error.strerror}", step) from error
    except subprocess.TimeoutExpired as error:
        raise TooldrillError(f"{path} --version does not end", step) from error
    said = ran.stdout + ran.stderr
    found = re.search(r"version:\s*(.+)", said)
    if ran.returncode != 0 or found is None:
        last = (said.strip().splitlines() or ["nothing"])[-1]
        raise TooldrillError(f"{path} --version says: {last[:200]}", step)
    return found[1].strip()
