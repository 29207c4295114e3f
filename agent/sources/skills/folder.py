"""Tools from a folder of skills: `NAME/skill.py` holds the function, `NAME/README.md` describes it.

Everything is read statically: nothing in the folder is imported or executed. What a hint means is
found out in `static_types`; a folder whose code may be run is read by `sources.python`.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import tool_from_parameters
from tooldrill.agent.sources.skills.readme import first_prose_line
from tooldrill.agent.sources.skills.static_file import StaticFile
from tooldrill.agent.sources.skills.static_types import offered_parameters
from tooldrill.agent.tool import Registry, Tool

_CODE = "skill.py"
_README = "readme.md"


def skills_registry(folder: Path) -> Registry:
    """The tools of a folder with one sub-folder per tool, sorted by the sub-folders' names.

    Sub-folders that begin with `_` or `.`, and those without Python or a README, are passed over.

    Raises:
        TooldrillError: when the folder, a `skill.py` or the function in it is missing or cannot be
            read; the message names the file.
    """
    if not folder.is_dir():
        raise TooldrillError(f"no folder at {folder}", "check the path of skills:DIR")
    owners: dict[str, Path] = {}
    tools = []
    for skill in _skill_folders(folder):
        tool = _tool(skill)
        if tool.name in owners:
            raise TooldrillError(
                f"{owners[tool.name]} and {skill} both define the tool {tool.name!r}",
                "rename one of the two folders, or begin its name with _ to leave it out",
            )
        owners[tool.name] = skill
        tools.append(tool)
    if not tools:
        raise TooldrillError(f"no tool in {folder}", _where_tools_belong(folder))
    return Registry(tools)


def skill_files(folder: Path) -> dict[str, Path]:
    """The code of every tool of a folder that `skills_registry` accepts, by the tool's name."""
    return {_tool_name(skill): skill / _CODE for skill in _skill_folders(folder)}


def _tool_name(skill: Path) -> str:
    return skill.name.replace("-", "_")


def _where_tools_belong(folder: Path) -> str:
    if (folder / _CODE).is_file():
        return f"that folder is itself a skill: name its parent, skills:{folder.resolve().parent}"
    return f"give every tool a sub-folder with a function of the same name in {_CODE}"


def _skill_folders(folder: Path) -> Iterator[Path]:
    here = folder.resolve()
    for child in sorted(_children(folder), key=lambda path: path.name):
        if child.name.startswith(("_", ".")) or not child.is_dir():
            continue
        # A link that leads back to this folder, or further up, is no skill.
        target = child.resolve()
        if target == here or target in here.parents:
            continue
        files = [f.name for f in _children(child)]
        if any(f.endswith(".py") or f.lower() == _README for f in files):
            yield child


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise TooldrillError(
            f"{folder} cannot be read: {error.strerror}", "check the permissions of that folder"
        ) from error


def _tool(skill: Path) -> Tool:
    path = skill / _CODE
    if not path.is_file():
        raise TooldrillError(
            f"{skill} has no {_CODE}",
            f"put the tool's function there, or rename the folder to _{skill.name} to leave it out",
        )
    file = _parsed(path)
    name = _tool_name(skill)
    function = file.functions.get(name)
    if function is None:
        have = ", ".join(n for n in file.functions if not n.startswith("_")) or "none"
        raise TooldrillError(
            f"{path} defines no function {name!r} (functions there: {have})",
            f"name the function {name!r}, or the folder after the function",
        )
    docstring, readme = ast.get_docstring(function) or "", _description(skill)
    try:
        parameters = offered_parameters(file, function)
        return tool_from_parameters(name, docstring, parameters, readme or None)
    except TooldrillError as error:
        raise TooldrillError(
            f"{path}:{function.lineno}: {error.message}", error.next_step
        ) from error
    except RecursionError as error:
        raise _too_deep(path) from error


def _parsed(path: Path) -> StaticFile:
    code = _decoded(path)
    try:
        with warnings.catch_warnings():
            # An invalid escape in the file is not the reader's business.
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return StaticFile(path, code)
    except SyntaxError as error:
        raise TooldrillError(
            f"{path}:{error.lineno or 1}: does not parse: {error.msg}",
            f"mend that line; to check: python -m py_compile {path}",
        ) from error
    except ValueError as error:
        raise TooldrillError(
            f"{path} does not parse: {error}",
            f"mend the file; to check: python -m py_compile {path}",
        ) from error
    except (RecursionError, MemoryError) as error:
        raise _too_deep(path) from error


def _too_deep(path: Path) -> TooldrillError:
    return TooldrillError(
        f"{path} has an expression that is nested too deeply to be read",
        "split that expression, or move it to another file",
    )


def _decoded(path: Path) -> str:
    """The text of a Python file, in the encoding that its first lines declare."""
    content = _bytes(path)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise TooldrillError(
            f"{path} cannot be decoded: {error}",
            "save it as UTF-8, or declare its encoding in the first line: # -*- coding: ... -*-",
        ) from error
    return io.IncrementalNewlineDecoder(None, translate=True).decode(text, final=True)


def _description(skill: Path) -> str:
    """What the README says first; empty without one."""
    found = sorted(f for f in _children(skill) if f.name.lower() == _README and f.is_file())
    if not found:
        return ""
    try:
        return first_prose_line(_bytes(found[0]).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise TooldrillError(
            f"{found[0]} cannot be decoded: {error}", "save it as UTF-8"
        ) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TooldrillError(
            f"{path} cannot be read: {error.strerror}", "check the permissions of that file"
        ) from error
