"""Starting a program under limits: `python -m tooldrill.agent.limits.launch SETTING PROGRAM ARGS`.

For MCP servers, which are programs of their own. Three processes: the one that was started only
waits, the guard ends what the program leaves behind, and the third confines itself and becomes the
program.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits import process_limits
from tooldrill.agent.limits.confinement import confine
from tooldrill.agent.limits.process_tree import guard
from tooldrill.agent.limits.roots import holds_home
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.limits.variables import variables

_MOST_INTERPRETERS = 4
_PT_INTERP = 3
_CANNOT_RUN = 126
_END_SECONDS = 5


def launch_command(words: list[str], limits: ToolLimits, temporary: Path) -> list[str]:
    """The command that starts `words` under limits, in the workspace.

    A word that names a file from here on names it from anywhere.

    Args:
        temporary: the program's own folder for temporary files.

    Raises:
        TooldrillError: when there is no such program, or it cannot be executed.
    """
    program = shutil.which(words[0])
    if program is None:
        found = Path(words[0])
        if found.is_file():
            raise TooldrillError(
                f"{found} is not executable",
                f"chmod +x {found}, or name its interpreter: 'mcp:python {found}'",
            )
        raise TooldrillError(
            f"no command {words[0]!r} to start an MCP server with",
            f"check the spelling, or install it; `command -v {words[0]}` must find it",
        )
    arguments = [str(Path(w).resolve()) if Path(w).is_file() else w for w in words[1:]]
    setting = {"limits": limits.model_dump_json(), "temporary": str(temporary)}
    return [
        *(sys.executable, "-P", "-m", "tooldrill.agent.limits.launch", json.dumps(setting)),
        *(os.path.abspath(program), *arguments),  # noqa: PTH100 - a link may say what it runs as
    ]


def main(setting: str, words: list[str]) -> NoReturn:
    """Starts the program under a guard, and ends as it does."""
    # Each end tells when the process that holds the other has ended, however it did.
    here, there = socket.socketpair()
    guarding = os.fork()
    if guarding:
        there.close()
        _let_go(1, 2)
        os._exit(_waited(guarding, here.fileno()))
    here.close()
    os.setsid()
    process_limits.adopt_orphans()
    program = os.fork()
    if program:
        _let_go(0, 1, 2)
        os._exit(guard(program, there.fileno()))
    there.close()
    os.setpgid(0, 0)
    process_limits.die_with_parent(signal.SIGKILL)
    _become(setting, words)


def _let_go(*descriptors: int) -> None:
    """The program's pipes are its own: they close when it ends, not when its guard does."""
    sink = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(sink, descriptor)


def _waited(guarding: int, life: int) -> int:
    """The guard's exit status; 1 when the program goes on though nobody is there to write to it.

    The agent closes its pipe when it wants the program to end, and when it dies.
    """
    poll = select.poll()
    # What is always told is that the other end was closed.
    poll.register(life, 0)
    poll.register(sys.stdin.fileno(), 0)
    seconds = None
    while True:
        closed = {descriptor for descriptor, _ in poll.poll(seconds and seconds * 1000)}
        if life in closed:
            return os.waitstatus_to_exitcode(os.waitpid(guarding, 0)[1])
        if not closed:
            return 1
        poll.unregister(sys.stdin.fileno())
        seconds = _END_SECONDS


def _become(setting: str, words: list[str]) -> NoReturn:
    """Confines this process and becomes the program."""
    known = json.loads(setting)
    limits = ToolLimits.model_validate_json(known["limits"])
    temporary = Path(known["temporary"])
    named = [Path(word) for word in words[1:]]
    readable = [*_homes(Path(words[0])), *(_folder(path) for path in named if path.is_absolute())]
    programs = list(_programs(Path(words[0])))
    os.chdir(limits.workspace)
    try:
        confine(limits, temporary, [path for path in readable if path.exists()], programs)
        os.execve(words[0], words, variables(limits, temporary))
    except OSError as error:
        print(f"{words[0]} cannot be started under limits: {error}", file=sys.stderr)
        sys.exit(_CANNOT_RUN)


def _folder(path: Path) -> Path:
    """A folder as it is named; of a file the one it lies in, but no whole home."""
    return path if path.is_dir() or holds_home(path.parent) else path.parent


def _homes(program: Path) -> Iterator[Path]:
    """Where a program's own files lie: its folder, or the installation whose `bin` that is."""
    spared = Path.home() / ".local"
    for path in {program, program.resolve()}:
        prefix = path.parent.parent
        whole = path.parent.name == "bin" and prefix != spared and not holds_home(prefix)
        yield prefix if whole else _folder(path)


def _programs(program: Path) -> Iterator[Path]:
    """The program and what the kernel runs it by: interpreters of a script, the dynamic loader."""
    for _ in range(_MOST_INTERPRETERS):
        yield program
        with program.open("rb") as file:
            head = file.read(256)
        if not head.startswith(b"#!"):
            loader = _loader(program)
            if loader is not None:
                yield loader
            return
        words = head.split(b"\n", 1)[0][2:].decode("utf-8", "replace").split()
        if not words:
            return
        if Path(words[0]).name == "env":
            yield from _programs(Path(words[0]))
            words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        found = shutil.which(words[0]) if words else None
        if found is None:
            return
        program = Path(found)


def _loader(program: Path) -> Path | None:
    """The dynamic loader that an ELF program of 64 bits names (its PT_INTERP)."""
    data = program.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return None
    (table,) = struct.unpack_from("<Q", data, 0x20)
    size, count = struct.unpack_from("<HH", data, 0x36)
    for start in range(table, table + size * count, size):
        (kind,) = struct.unpack_from("<I", data, start)
        if kind == _PT_INTERP:
            (offset,) = struct.unpack_from("<Q", data, start + 8)
            return Path(data[offset : data.index(b"\0", offset)].decode())
    return None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
