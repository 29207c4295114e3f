"""What tools may do: the numbers and permissions, as the command line gives them.

How they are enforced is decided in `confinement` (the kernel) and `environment` (time, output).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, Field

from tooldrill.agent.settings import Settings

MIB = 2**20


class ToolLimits(Settings):
    """Limits of the tools of one agent."""

    model_config = ConfigDict(frozen=True)

    workspace: Path = Field(description="The one folder that tools may write in.")
    readable: tuple[Path, ...] = Field((), description="More that they may read.")
    variables: tuple[str, ...] = Field(
        (), description="More variables of the environment that they see, by name."
    )
    seconds: float = Field(30.0, gt=0, description="Time for one call.")
    start_seconds: float = Field(60.0, gt=0, description="Time to import the tools.")
    output_chars: int = Field(20_000, ge=200, description="Characters of one observation.")
    flood_chars: int = Field(
        1_000_000, ge=1, description="Characters of an answer above which the call has failed."
    )
    memory: int = Field(2048 * MIB, ge=64 * MIB, description="Memory of a process, in bytes.")
    file_bytes: int = Field(256 * MIB, ge=1, description="Size of a file that a tool writes.")
    disk_room: int = Field(
        512 * MIB, ge=0, description="Free space, in bytes, that a call must leave on the disk."
    )
    processes: int = Field(64, ge=1, description="Processes and threads, with allow_shell.")
    allow_shell: bool = Field(False, description="Other programs may be run.")
    allow_network: bool = Field(False, description="Sockets may be opened.")
    unconfined: bool = Field(
        False, description="Run them even where the kernel cannot keep them in the workspace."
    )
