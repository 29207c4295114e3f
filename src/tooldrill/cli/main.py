"""The entry point: runs the command and turns whatever stops it into one line and a next step.

Nothing heavy is imported here, and no command is defined here.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from tooldrill.cli.exits import INTERRUPTED, USER_ERROR, ToldExit


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `tooldrill` with `arguments` (default: the process's) and exits.

    Exit status: 0 done; 1 a check found something; 2 an error that the message explains;
    130 stopped from outside.
    """
    from tooldrill.cli.app import app

    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, _stop)
    try:
        app(args=arguments, prog_name="tooldrill", standalone_mode=True)
    except KeyboardInterrupt:
        _leave(INTERRUPTED, _STOPPED)
    except ToldExit:
        raise
    except SystemExit as end:
        # Typer turns an interrupt inside a command into this status.
        if end.code == INTERRUPTED:
            print(_STOPPED, file=sys.stderr)
        raise
    except MemoryError:
        _leave(USER_ERROR, *_OUT_OF_MEMORY)
    except Exception as error:
        explained = _explain(error)
        if explained is None:
            raise
        _leave(USER_ERROR, *explained)


_STOPPED = "stopped; run the same command to go on"
_OUT_OF_MEMORY = (
    "error: out of memory",
    "next:  lower training.hardware.tokens or eval.engine.parallel; "
    "`tooldrill run CONFIG --dry-run` estimates the need",
)


def _explain(error: BaseException) -> tuple[str, ...] | None:
    """The lines for an error that a person can mend; None for a defect of ours."""
    from tooldrill.agent.errors import TooldrillError

    if isinstance(error, TooldrillError):
        lines = tuple(f"error: {line}" for line in error.message.splitlines() or [""])
        return (*lines, f"next:  {error.next_step}") if error.next_step else lines
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return (
            f"error: the disk is full{where}",
            "next:  free some space and run the same command: it goes on from here",
        )
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return (
            f"error: {error.filename} lies on a disk that cannot be written to",
            "next:  work in another folder (runs=FOLDER)",
        )
    if isinstance(error, PermissionError):
        return (
            f"error: no permission for {error.filename}",
            "next:  change its owner or mode, or work in another folder (runs=FOLDER)",
        )
    if "out of memory" in str(error).lower() and isinstance(error, RuntimeError):
        return _OUT_OF_MEMORY
    return None


def _leave(status: int, *lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
    sys.exit(status)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
