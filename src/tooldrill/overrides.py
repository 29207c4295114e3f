"""`training.sft.learning_rate=1e-4` on the command line, laid over a config file.

Only the path is judged here; the value is validated with the rest of the config.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from tooldrill.config_keys import annotation_at, dotted, nearest_path, suggestion
from tooldrill.yaml_source import Key, KeyPath, Problem, Source, parse_value


def apply_overrides(source: Source, overrides: Iterable[str], model: type[BaseModel]) -> None:
    """Writes each override into the source; what cannot be written becomes a problem there."""
    for text in overrides:
        origin = f"argument {shlex.quote(text)}"
        problem = _apply(source, text, origin, model)
        if problem is not None:
            source.problems.append(problem)


def _apply(source: Source, text: str, origin: str, model: type[BaseModel]) -> Problem | None:
    name, equals, raw = text.partition("=")
    path = _path(name.strip())
    if not equals or not path:
        return Problem(
            (), "an override has the form key.path=value, training.dpo.beta=0.2 say", origin
        )
    try:
        annotation_at(model, path)
    except KeyError as error:
        whole = nearest_path(model, path)
        wrong = path[: error.args[0] + 1]
        hint = f"did you mean {whole}?" if whole else suggestion(model, wrong)
        return Problem(path, f"unknown key; {hint}", origin)
    try:
        value = parse_value(raw)
    except ValueError as error:
        return Problem(path, f"the value is not YAML: {error}", origin)
    problem = _write(source.tree, path, value)
    if problem is not None:
        return Problem(path, problem, origin)
    for old in [key for key in source.origins if key[: len(path)] == path]:
        del source.origins[old]
    source.origins[path] = origin
    return None


def _path(name: str) -> KeyPath:
    if not name or any(not part for part in name.split(".")):
        return ()
    return tuple(int(part) if part.isdecimal() else part for part in name.split("."))


def _write(tree: dict[str, Any], path: KeyPath, value: Any) -> str | None:
    """Sets the value; says why when a list item does not exist."""
    node: Any = tree
    for index, key in enumerate(path[:-1]):
        below: Any = [] if isinstance(path[index + 1], int) else {}
        node, problem = _step(node, key, below, path[:index])
        if problem:
            return problem
    _, problem = _step(node, path[-1], value, path[:-1], replace=True)
    return problem


def _step(
    node: Any, key: Key, value: Any, at: KeyPath, *, replace: bool = False
) -> tuple[Any, str | None]:
    """The child at `key`, made from `value` where there is none (or where it is replaced)."""
    if isinstance(node, list) and isinstance(key, int):
        if key > len(node):
            return None, f"{dotted(at)} has {len(node)} items; the next one is number {len(node)}"
        if key == len(node):
            node.append(value)
        elif replace:
            node[key] = value
        return node[key], None
    if not isinstance(node, dict) or not isinstance(key, str):
        kind = "a mapping" if isinstance(key, str) else "a list"
        return None, f"{dotted(at)} is not {kind}"
    if replace or node.get(key) is None:
        node[key] = value
    return node[key], None
