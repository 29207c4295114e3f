"""A tool, its parameters, and an ordered registry of tools.

A tool is what OpenAI's tool list says of it: a name, a description and a JSON Schema of its
arguments. Everything else (required, defaults, owners of a parameter name) is read from there, so
that a registry survives being saved and loaded. Where tools come from is not decided here: see
`introspect` and `sources`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.json_schema import (
    JsonSchema,
    inline_references,
    object_properties,
    required_properties,
)
from tooldrill.agent.schema_dialects import parameters_schema
from tooldrill.agent.value_problems import Problem
from tooldrill.agent.values import ArgumentsChecker

__all__ = ["JsonSchema", "Parameter", "Registry", "Tool"]


@dataclass(frozen=True)
class Parameter:
    """One argument of a tool, as its JSON Schema describes it."""

    name: str
    schema: JsonSchema
    required: bool

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def has_default(self) -> bool:
        return "default" in self.schema

    @property
    def default(self) -> Any:
        return self.schema.get("default")


@dataclass(frozen=True, eq=False)
class Tool:
    """A callable thing offered to the model.

    Args:
        name: as it is written in a call.
        description: prose; its first line is what a signature shows.
        schema: JSON Schema of the arguments, of type `object`; the order of `properties` is the
            order of the parameters.
        writes: whether it changes anything, when that is known. Not shown to the model, and not
            saved with the tool.
    """

    name: str
    description: str
    schema: JsonSchema
    writes: bool | None = None

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        required = required_properties(self.schema)
        return tuple(
            Parameter(name, schema, name in required)
            for name, schema in object_properties(self.schema).items()
        )

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        return frozenset(p.name for p in self.parameters)

    @cached_property
    def checker(self) -> ArgumentsChecker:
        """The schema compiled.

        Raises:
            TooldrillError: when it is not valid JSON Schema.
        """
        try:
            return ArgumentsChecker(self.schema)
        except ValueError as error:
            raise TooldrillError(
                f"tool {self.name!r}: its parameters are not valid JSON Schema: {error}",
                "mend the schema, or leave the tool out",
            ) from error

    def value_problems(self, name: str, value: Any) -> list[Problem]:
        """What is wrong with one argument alone."""
        return [p for p in self.checker.problems({name: value}) if p.path[:1] == (name,)]

    def to_openai(self) -> dict[str, Any]:
        """The tool as an element of OpenAI's `tools` list."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self.schema,
        }
        return {"type": "function", "function": function}

    @classmethod
    def from_openai(cls, item: Mapping[str, Any]) -> Tool:
        """Reads an OpenAI tool (with or without the `function` wrapper).

        Raises:
            TooldrillError: when there is no name or the parameters are not an object schema.
        """
        function = item.get("function", item)
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(name, str) or not name.isprintable() or not name:
            raise TooldrillError(
                f"a tool without a name in one line: {json.dumps(item)[:120]}",
                'give every tool the shape {"type": "function", "function": {"name": ...}}',
            )
        try:
            schema = parameters_schema(function.get("parameters"))
        except ValueError as error:
            raise TooldrillError(
                f"tool {name!r}: {error}",
                'write {"type": "object", "properties": {...}, "required": [...]}',
            ) from None
        schema = inline_references(schema)
        # Templates look at nothing else, and alternatives describe arguments too.
        schema["properties"] = object_properties(schema)
        needed = required_properties(schema)
        if needed:
            schema["required"] = [n for n in schema["properties"] if n in needed]
        return cls(name, str(function.get("description") or ""), schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tool) and self.to_openai() == other.to_openai()

    def __hash__(self) -> int:
        return hash(self.name)


class Registry:
    """An ordered set of tools, looked up by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = tuple(tools)
        self._by_name: dict[str, Tool] = {}
        for tool in self.tools:
            if tool.name in self._by_name:
                raise TooldrillError(
                    f"two tools are named {tool.name!r}",
                    "rename one of them, or leave one out",
                )
            self._by_name[tool.name] = tool

    @cached_property
    def _owners(self) -> dict[str, tuple[str, ...]]:
        owners: dict[str, list[str]] = {}
        for tool in self.tools:
            for parameter in tool.parameters:
                owners.setdefault(parameter.name, []).append(tool.name)
        return {name: tuple(tools) for name, tools in owners.items()}

    def get(self, name: str) -> Tool | None:
        return self._by_name.get(name)

    def __getitem__(self, name: str) -> Tool:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Tool]:
        return iter(self.tools)

    def __len__(self) -> int:
        return len(self.tools)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registry) and self.tools == other.tools

    __hash__ = None  # type: ignore[assignment]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def owners(self, parameter: str) -> tuple[str, ...]:
        """Names of the tools that have a parameter of this name, in registry order."""
        return self._owners.get(parameter, ())

    def select(self, names: Iterable[str]) -> Registry:
        """The named tools, in the order given.

        Raises:
            KeyError: for a name that is not in the registry.
        """
        return Registry(self._by_name[name] for name in names)

    def compiled(self) -> Registry:
        """The registry itself, its schemas compiled now and not at the first call.

        Raises:
            TooldrillError: when one of them is not valid JSON Schema.
        """
        for tool in self.tools:
            _ = tool.checker
        return self

    def to_openai(self) -> list[dict[str, Any]]:
        return [tool.to_openai() for tool in self.tools]

    @classmethod
    def from_openai(cls, items: Iterable[Mapping[str, Any]]) -> Registry:
        return cls(Tool.from_openai(item) for item in items)

    def save(self, path: Path) -> None:
        """Writes the OpenAI tool list, which `sources.tool_files` reads back equal.

        Raises:
            TooldrillError: when the file cannot be written.
        """
        try:
            write_text(path, json.dumps(self.to_openai(), ensure_ascii=False, indent=1) + "\n")
        except (OSError, ValueError) as error:
            raise TooldrillError(
                f"{path} cannot be written: {getattr(error, 'strerror', None) or error}",
                "name a file in a folder that exists or can be made",
            ) from None
