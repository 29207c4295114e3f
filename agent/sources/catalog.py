"""SOURCE, as a user writes it, to a registry: the forms by their prefix.

`world:` is not among them: worlds belong to the data stage (see `tooldrill.sources`).
"""

from __future__ import annotations

from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import Registry

SOURCE_FORMS = (
    "files, python:MODULE_OR_FILE[:name,name], skills:DIR, openai:FILE.json, 'mcp:COMMAND ARGS', "
    "mcp:http://HOST:PORT/mcp, world:NAME"
)


def load_source(source: str) -> Registry:
    """The registry that SOURCE names, every schema in it known to be one.

    Raises:
        TooldrillError: when the source is of no known form, or nothing is found there.
    """
    if source == "files":
        from tooldrill.agent.file_tools.tools import file_tools_registry

        return file_tools_registry()
    form, _, rest = source.partition(":")
    if not rest:
        raise no_source(source)
    return _load(form, rest).compiled()


def _load(form: str, rest: str) -> Registry:
    # Each form brings its own libraries: only the one that is asked for is imported.
    match form:
        case "python":
            from tooldrill.agent.sources.python import python_registry

            return python_registry(rest)
        case "skills":
            from tooldrill.agent.sources.skills.folder import skills_registry

            return skills_registry(Path(rest))
        case "openai":
            from tooldrill.agent.sources.tool_files import tool_file_registry

            return tool_file_registry(Path(rest))
        case "mcp":
            from tooldrill.agent.sources.mcp import mcp_registry

            return mcp_registry(rest)
    raise no_source(f"{form}:{rest}")


def no_source(source: str) -> TooldrillError:
    """What to say of a SOURCE of no known form."""
    guesses = {".py": "python", ".json": "openai", ".jsonl": "openai"}
    path = Path(source)
    form = guesses.get(path.suffix) if path.is_file() else None
    if source and path.is_dir():
        form = "skills"
    hint = f"did you mean {form}:{source}" if form else f"use one of: {SOURCE_FORMS}"
    return TooldrillError(f"no tool source {source!r}", hint)
