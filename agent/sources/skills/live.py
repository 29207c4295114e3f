"""The functions of a folder of skills, imported: for running them, when their code is trusted to.

What is offered to a model is read without importing anything: see `folder`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.sources.python_module import import_target
from tooldrill.agent.sources.skills.folder import skill_files


def load_skills(folder: Path) -> dict[str, Callable[..., Any]]:
    """The function of every skill, under the name of its tool.

    Skills may import from their folder, and from the one that it is in.

    Raises:
        TooldrillError: when one of them cannot be imported, or its function is not there.
    """
    sys.path += [str(folder.resolve()), str(folder.resolve().parent)]
    functions = {}
    for name, path in skill_files(folder).items():
        function = getattr(import_target(str(path)), name, None)
        if not callable(function):
            raise TooldrillError(
                f"{path} defines no function {name!r} when it is imported",
                f"define it at the top of {path}",
            )
        functions[name] = function
    return functions
