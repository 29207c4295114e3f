"""What a Python file defines and imports, found by griffe without running the file.

Every object keeps the syntax tree that it came from, and expressions are read from there: what a
call inside a hint says, `Field(description="...")`, must stay exactly what was written. What the
expressions mean is the work of `static_types`.
"""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import Any

import griffe

from tooldrill.agent.sources.skills.static_names import UnknownError, known, known_builtin

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Scope = griffe.Module | griffe.Class

_EXTRA = "tooldrill"

# It reports expressions that it cannot convert; they are not used here.
logging.getLogger("griffe").setLevel(logging.CRITICAL)


class _KeepNodes(griffe.Extension):
    """Leaves with every object its syntax tree."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: dict[str, FunctionNode] = {}

    def on_instance(
        self, *, node: ast.AST | griffe.ObjectNode, obj: griffe.Object, **_kwargs: Any
    ) -> None:
        obj.extra[_EXTRA]["node"] = node
        if isinstance(node, FunctionNode) and isinstance(obj.parent, griffe.Module):
            # The last one stands: overloads come before the function that they describe, and a
            # later `tool = decorate(tool)` changes no parameter.
            self.functions[obj.name] = node


class StaticFile:
    """A Python file, read and not run.

    Args:
        path: shown in messages; nothing is read from there.

    Attributes:
        module: its outermost scope.
        functions: those of the module, by name; of several of one name the last.

    Raises:
        SyntaxError: when the code does not parse.
        RecursionError: when it is nested too deeply to be read.
    """

    def __init__(self, path: Path, code: str) -> None:
        nodes = _KeepNodes()
        self.module = griffe.visit(
            path.stem, filepath=path, code=code, extensions=griffe.Extensions(nodes)
        )
        self.functions = nodes.functions

    def find(self, name: str, scope: Scope, *, as_type: bool) -> griffe.Object | str | type:
        """Where a name leads: to an object of this file, the path of an import, or a known thing.

        Raises:
            UnknownError: when nothing of this name is defined, imported or built in.
        """
        inner = None if scope is self.module else scope.members.get(name)
        # A field may have the name of its type: `date: date | None = None`.
        if inner is not None and not (as_type and isinstance(node_of(inner), ast.AnnAssign)):
            return target_of(inner)
        if name in self.module.members:
            return target_of(self.module.members[name])
        for member in self.module.members.values():
            if isinstance(member, griffe.Alias) and member.name.endswith("/*"):
                try:
                    found: type = known(f"{member.target_path}.{name}")
                except UnknownError:
                    continue
                return found
        return known_builtin(name)


def node_of(member: griffe.Object | griffe.Alias) -> ast.AST | None:
    """The syntax tree that a member came from; an import has none."""
    node = None if isinstance(member, griffe.Alias) else member.extra[_EXTRA].get("node")
    return node if isinstance(node, ast.AST) else None


def target_of(member: griffe.Object | griffe.Alias) -> griffe.Object | str:
    """The member itself, or the path that an import names."""
    return member.target_path if isinstance(member, griffe.Alias) else member
