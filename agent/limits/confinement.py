"""Keeping a process, and all it starts, in the workspace: what the kernel of this machine can do.

`confine` is for the process that is to be confined, before anything of a tool runs in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits import landlock, process_limits, seccomp
from tooldrill.agent.limits.roots import SINK, holds_home, python_roots, system_roots
from tooldrill.agent.limits.settings import ToolLimits


def missing_powers(limits: ToolLimits) -> list[str]:
    """What this kernel cannot keep tools from, of what the limits forbid; empty where it can."""
    missing = []
    if not landlock.version():
        missing.append("leaving the workspace")
    elif not landlock.holds_truncation() and not seccomp.available():
        missing.append("emptying files outside of the workspace")
    if not seccomp.available():
        if not limits.allow_shell and not landlock.version():
            missing.append("running programs")
        if not limits.allow_network:
            tcp = landlock.version() >= 4
            missing.append("using the network, TCP aside" if tcp else "using the network")
    return missing


def require_confinement(limits: ToolLimits) -> None:
    """Refuses limits that this kernel cannot keep, unless they say that they need not be kept.

    Raises:
        TooldrillError: naming what tools could do.
    """
    missing = missing_powers(limits)
    if missing and not limits.unconfined:
        raise TooldrillError(
            f"this system ({sys.platform}) cannot keep tools from {' or from '.join(missing)}",
            "run them in a container, use --tools files, or pass --unconfined",
        )


def describe(limits: ToolLimits) -> str:
    """One line for a person: what tools may do here."""
    missing = missing_powers(limits)
    if missing:
        return (
            f"this system ({sys.platform}) cannot keep tools from {' or from '.join(missing)}; "
            f"they are limited in time ({limits.seconds:g} s) and output"
        )
    programs = "programs may be run" if limits.allow_shell else "no programs"
    network = "network" if limits.allow_network else "no network"
    said = f"tools write in {limits.workspace} only, {programs}, {network}, {limits.seconds:g} s"
    if Path(sys.prefix).resolve().is_relative_to(limits.workspace.resolve()):
        said += "; it holds the Python that tooldrill runs in, which they could change"
    if holds_home(limits.workspace):
        said += "; it is your home folder, with all that is in it"
    return said


def confine(
    limits: ToolLimits,
    temporary: Path,
    readable: Iterable[Path] = (),
    executable: Iterable[Path] | None = None,
) -> None:
    """Confines the calling thread and all it starts, as far as this kernel can. For good.

    Call it while there is only one thread.

    Args:
        temporary: the process's own folder for temporary files, where it may write too.
        readable: what the tools are made of.
        executable: the only programs that may be run although `allow_shell` is off (those of an
            MCP server); None for none at all, and no new processes either.

    Raises:
        OSError: when the kernel refuses what it said it can do, and `limits.unconfined` does not
            say that it need not.
    """
    process_limits.limit_resources(limits)
    process_limits.drop_privileges()
    try:
        if landlock.version():
            rules = list(_rules(limits, temporary, readable, executable))
            landlock.restrict(rules, limits.allow_network)
        if seccomp.available():
            programs = limits.allow_shell or executable is not None
            truncation = not landlock.holds_truncation()
            seccomp.restrict(programs, limits.allow_network, truncation)
    except OSError:
        if not limits.unconfined:
            raise


def _rules(
    limits: ToolLimits,
    temporary: Path,
    readable: Iterable[Path],
    executable: Iterable[Path] | None,
) -> Iterator[tuple[Path, int]]:
    run = landlock.EXECUTE if limits.allow_shell else 0
    several = limits.allow_shell or executable is not None
    for path in (*system_roots(several), *python_roots(), *limits.readable, *readable):
        yield path, landlock.READ | run
    for path in (limits.workspace, temporary):
        yield path, landlock.WRITE | run
    yield SINK, landlock.READ_FILE | landlock.WRITE_FILE
    for path in executable or ():
        yield path, landlock.READ_FILE | landlock.EXECUTE
