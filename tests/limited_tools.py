"""A worker with one tool that executes any Python, for the tests of limits: an open invitation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tooldrill.agent.environment import Environment, Observation
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import ToolLimits

SECRET = "the-secret-of-the-house"
TOOLS = '''
"""Tools that do whatever they are told."""
import ctypes, errno, os, resource, shutil, signal, socket, subprocess, sys, threading, time
from pathlib import Path

HERE = globals()


def python(code: str) -> object:
    """Run Python; what it puts into `result` is returned."""
    space = HERE
    space.pop("result", None)
    exec(code, space)
    return space.get("result")
'''


class Place(NamedTuple):
    """Folders of a test: only `workspace` is for the tools."""

    workspace: Path
    outside: Path
    source: Path

    @property
    def secret(self) -> Path:
        return self.outside / "secret.txt"

    def outside_now(self) -> dict[str, str]:
        """Everything outside: names, kinds and contents."""
        return {
            str(path): path.read_text() if path.is_file() else "folder"
            for path in sorted(self.outside.rglob("*"))
        }


def make_place(folder: Path) -> Place:
    """The folders, with a secret outside and a tool in a folder of its own."""
    place = Place(folder / "ws", folder / "outside", folder / "source" / "tools.py")
    for path in (place.workspace, place.outside, place.source.parent):
        path.mkdir()
    place.secret.write_text(SECRET)
    (place.outside / "empty").mkdir()
    place.source.write_text(TOOLS)
    return place


class Tools:
    """The running tool."""

    def __init__(self, place: Place, environment: Environment) -> None:
        self.place = place
        self.environment = environment

    def run(self, code: str, **names: Any) -> Observation:
        """Runs code that knows `names`."""
        given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
        return self.environment.call("python", {"code": given + code})


@contextmanager
def open_tools(place: Place, **limits: Any) -> Iterator[Tools]:
    """The tool under limits, with much time unless the test is about that."""
    settings = ToolLimits(workspace=place.workspace, **{"seconds": 60.0, **limits})
    with limited_environment(f"python:{place.source}", settings) as (_, environment):
        yield Tools(place, environment)
