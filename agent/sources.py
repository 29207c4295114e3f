"""Where tools come from: `python:module-or-file[:name,name]` and `openai:FILE`.

Loading `python:` imports the module, so it is for code the user trusts.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.introspect import registry_from_functions
from tooldrill.agent.tool import Registry

SOURCE_FORMS = "python:MODULE_OR_FILE[:name,name], openai:FILE.json, world:NAME"


def load_source(source: str) -> Registry:
    """The registry that SOURCE names.

    Raises:
        TooldrillError: when the source is of no known form, or nothing is found there.
    """
    kind, _, rest = source.partition(":")
    if kind == "python" and rest:
        return registry_from_functions(load_functions(rest))
    if kind == "openai" and rest:
        return Registry.load(Path(rest))
    raise TooldrillError(f"no tool source {source!r}", f"use one of: {SOURCE_FORMS}")


def load_functions(target: str) -> list[Callable[..., Any]]:
    """The functions of `module` or `path/file.py`, all public ones or those named after a colon.

    Raises:
        TooldrillError: when the module cannot be imported, or holds no such function.
    """
    where, names = _split(target)
    module = _module(where)
    if names:
        missing = [n for n in names if not callable(getattr(module, n, None))]
        if missing:
            have = ", ".join(f.__name__ for f in _public(module)) or "none"
            raise TooldrillError(
                f"{where} has no function {', '.join(missing)}", f"public functions there: {have}"
            )
        return [getattr(module, n) for n in names]
    functions = _public(module)
    if not functions:
        raise TooldrillError(
            f"{where} defines no public function", "define one, or name imported ones: SOURCE:name"
        )
    return functions


def _split(target: str) -> tuple[str, list[str]]:
    # A Windows path has a colon of its own, directly after the drive letter.
    head, _, tail = target.rpartition(":")
    if not head or len(head) == 1 or "/" in tail or "\\" in tail:
        return target, []
    return head, [name for name in tail.split(",") if name]


def _module(where: str) -> ModuleType:
    path = Path(where)
    try:
        if path.suffix != ".py":
            return importlib.import_module(where)
        if not path.is_file():
            raise TooldrillError(f"no Python file at {path}", "check the path of python:FILE.py")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Hints are resolved by looking the module up by name.
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
    except TooldrillError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise TooldrillError(
            f"{where} cannot be imported: {reason}", "check that it runs: python -c 'import ...'"
        ) from error
    return module


def _public(module: ModuleType) -> list[Callable[..., Any]]:
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__ == module.__name__
    ]
