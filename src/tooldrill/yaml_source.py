"""Reading YAML 1.2 with the place of every key, so that a problem can be shown where it stands.

YAML 1.2 is what makes `1e-5` a number. Comments are not kept, and nothing is validated here: see
`config`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tooldrill.agent.errors import TooldrillError

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]


@dataclass(frozen=True)
class Problem:
    """Something wrong in a config: the path of the key, and what is the matter with it."""

    path: KeyPath
    message: str
    origin: str | None = None


@dataclass
class Source:
    """A YAML document as plain Python values.

    Attributes:
        tree: the top mapping.
        origins: where each key stands, `FILE:LINE` or the command-line argument that set it.
        problems: what can be said without knowing what the keys mean (duplicates).
    """

    name: str
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def origin(self, path: KeyPath) -> str:
        """The place of a key, or of the nearest section around it that was written down."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.name


def read_source(path: Path) -> Source:
    """Reads a config file.

    Raises:
        TooldrillError: when the file is missing, is not text or is not YAML.
    """
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise TooldrillError(
            f"no config file at {path}", "look into configs/, or copy configs/demo.yaml and edit it"
        ) from None
    except UnicodeDecodeError as error:
        raise TooldrillError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}",
            "give a YAML config such as configs/demo.yaml",
        ) from None
    source = Source(str(path))
    yaml = _reader()
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise TooldrillError(
            f"{path}{line}: not YAML: {error.problem or error.context}",
            "mend that line (indentation, quotes, brackets)",
        ) from None
    except YAMLError as error:
        raise TooldrillError(
            f"{path}: not YAML: {str(error).splitlines()[0]}", "mend the file"
        ) from None
    if root is None:
        return source
    if not isinstance(root, MappingNode):
        raise TooldrillError(
            f"{path}:{root.start_mark.line + 1}: a config is a mapping of keys to values",
            "start with `name: my-run`; configs/demo.yaml shows the rest",
        )
    source.tree = _Builder(source, yaml).mapping(root, ())
    return source


def parse_value(text: str) -> Any:
    """A value written on the command line, read as YAML 1.2 (`1e-4`, `true`, `[a, b]`).

    Raises:
        ValueError: when it is not YAML.
    """
    try:
        node = _reader().compose(text)
    except YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if node is None:
        return None
    source = Source("")
    value = _Builder(source, _reader()).value(node, ())
    if source.problems:
        raise ValueError(source.problems[0].message)
    return value


def _reader() -> YAML:
    return YAML(typ="safe", pure=True)


class _Builder:
    """Turns a node tree into plain values and notes where the keys stand."""

    def __init__(self, source: Source, yaml: YAML) -> None:
        self.source = source
        self.yaml = yaml
        self.open: set[int] = set()

    def value(self, node: Node, path: KeyPath) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self.open:
            self._problem(node, path, "an alias that contains itself")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self.mapping(node, path)
            return list(self._items(node, path)) if isinstance(node, SequenceNode) else None
        finally:
            self.open.discard(id(node))

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            here = (*path, key)
            if not isinstance(key_node, ScalarNode):
                self._problem(key_node, here, "a key must be a word")
            elif key in result:
                first = self.source.origins[here].rpartition(":")[2]
                self._problem(key_node, here, f"duplicate key; it stands already in line {first}")
            else:
                self.source.origins[here] = self._place(key_node)
                result[key] = self.value(value_node, here)
        return result

    def _items(self, node: SequenceNode, path: KeyPath) -> Iterator[Any]:
        for index, item in enumerate(node.value):
            here = (*path, index)
            self.source.origins[here] = self._place(item)
            yield self.value(item, here)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        try:
            value = self.yaml.constructor.construct_object(node, deep=True)
        except (YAMLError, ValueError) as error:
            self._problem(node, path, f"cannot be read: {str(error).splitlines()[0]}")
            return None
        # Dates and the like have no place in a config: what was written counts.
        return value if isinstance(value, str | int | float | bool | None) else node.value

    def _problem(self, node: Node, path: KeyPath, message: str) -> None:
        self.source.problems.append(Problem(path, message, self._place(node)))

    def _place(self, node: Node) -> str:
        return f"{self.source.name}:{node.start_mark.line + 1}"
