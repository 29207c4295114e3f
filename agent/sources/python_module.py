"""Importing a user's module, from the working folder or from a file, without a mess.

What it prints goes to stderr, what it raises becomes one line. Which of its functions are tools is
decided in `python`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from tooldrill.agent.errors import TooldrillError


def import_target(where: str) -> ModuleType:
    """The module `package.module`, or that of `path/to/file.py`.

    A module is looked for as `python -m` does, in the working folder first; a file may import its
    siblings.

    Raises:
        TooldrillError: when it is not there, or importing it fails.
    """
    path = Path(where)
    if path.suffix == ".py":
        if not path.is_file():
            raise TooldrillError(f"no Python file at {path}", "check the path of python:FILE.py")
        with _importing(where, path.resolve().parent):
            return _from_file(path.resolve())
    if "/" in where or "\\" in where or not where.strip("."):
        raise TooldrillError(
            f"{where!r} is neither a module nor a Python file",
            "write python:package.module or python:path/to/file.py",
        )
    with _importing(where, Path.cwd()):
        return importlib.import_module(where)


def _from_file(path: Path) -> ModuleType:
    # A name of its own: a file called json.py is not the json that others import.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"tooldrill_source_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}_{digest}"
    package = [str(path.parent)] if path.stem == "__init__" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=package)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pydantic resolve hints by looking the module up by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextlib.contextmanager
def _importing(where: str, folder: Path) -> Iterator[None]:
    try:
        with _first_on_path(str(folder)), contextlib.redirect_stdout(sys.stderr):
            yield
    except SystemExit as end:
        raise TooldrillError(
            f"{where} exits while it is imported (status {end.code or 0})",
            'put what it does when run under `if __name__ == "__main__":`',
        ) from end
    except Exception as error:
        raise _failure(where, error) from error


@contextlib.contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """`folder` first among the places to import from; last, when the block has ended.

    It stays there for what a function imports when it is called, but no longer shadows what
    tooldrill itself has still to import.
    """
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _failure(where: str, error: Exception) -> TooldrillError:
    what = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        if f"{where}.".startswith(f"{error.name}."):
            return TooldrillError(
                f"{where} cannot be imported: there is no module {error.name}",
                "run this from the folder that holds it, or name a file: python:path/to/file.py",
            )
        return TooldrillError(
            f"{where} cannot be imported: it needs the module {error.name}",
            f"install what provides {error.name} beside tooldrill (pip install ...)",
        )
    if "attempted relative import" in what:
        return TooldrillError(
            f"{where} cannot be imported by itself: it imports from its own package",
            "name it as a module, from the folder that holds the package: python:package.module",
        )
    check = f"python {where}" if where.endswith(".py") else f"python -c 'import {where}'"
    return TooldrillError(
        f"{where} cannot be imported: {type(error).__name__}: {what}",
        f"see that this runs: {check}",
    )
