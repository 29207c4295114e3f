"""Which functions a source stands for, and what must be readable to import them.

Called inside of the worker, but for `readable_roots`, which only looks at names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import tool_from_function
from tooldrill.agent.limits.roots import holds_home
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.tool import Registry

PYTHON, SKILLS, FILES = "python:", "skills:", "files"


class LiveTools(NamedTuple):
    """What is offered, and what carries it out, under the same names."""

    registry: Registry
    functions: Mapping[str, Callable[..., Any]]


def is_live(source: str) -> bool:
    """Whether a worker can carry out its calls."""
    return source == FILES or source.startswith((PYTHON, SKILLS))


def readable_roots(source: str) -> list[Path]:
    """The folder that the tools' code is in; for a module that lies there, where the user stands.

    Raises:
        TooldrillError: when that is somebody's whole home folder.
    """
    if source == FILES:
        return []
    target = source.removeprefix(PYTHON).removeprefix(SKILLS)
    if source.startswith(SKILLS):
        folder = Path(target)
    else:
        from tooldrill.agent.sources.python import split_target

        where, _ = split_target(target)
        if where.endswith(".py"):
            folder = Path(where).parent
        else:
            folder, top = Path.cwd(), where.partition(".")[0]
            if not (folder / top).is_dir() and not (folder / f"{top}.py").is_file():
                return []
    if not folder.is_dir():
        return []
    if holds_home(folder):
        raise TooldrillError(
            f"the tools lie in {folder.resolve()}, and could read all that is in it",
            "move them to a folder of their own",
        )
    return [folder.resolve()]


def live_tools(source: str, limits: ToolLimits) -> LiveTools:
    """Imports the source.

    Raises:
        TooldrillError: when it cannot be imported, or is not made of tools.
    """
    if source == FILES:
        return _file_tools(limits)
    if source.startswith(SKILLS):
        from tooldrill.agent.sources.skills.folder import skills_registry
        from tooldrill.agent.sources.skills.live import load_skills

        folder = Path(source.removeprefix(SKILLS))
        registry = skills_registry(folder)
        return LiveTools(registry, load_skills(folder))
    from tooldrill.agent.sources.python import load_functions

    functions = load_functions(source.removeprefix(PYTHON))
    return LiveTools(
        Registry(tool_from_function(f, name) for name, f in functions.items()), functions
    )


def _file_tools(limits: ToolLimits) -> LiveTools:
    from tooldrill.agent.file_tools.folder import Folder
    from tooldrill.agent.file_tools.tools import FileTools, file_tools_registry
    from tooldrill.agent.limits.shell import Shell

    files = FileTools(Folder(limits.workspace))
    functions = {name: getattr(files, name) for name in files.tool_names}
    tools = list(file_tools_registry())
    if limits.allow_shell:
        command = Shell(limits).execute_command
        functions["execute_command"] = command
        tools.append(replace(tool_from_function(command), writes=True))
    return LiveTools(Registry(tools), functions)
