"""What a forged world is made of: types, parameters, operations and the styles it keeps to.

Plain values. Drawing them is `design`'s work, carrying operations out is `session`'s, wording
requests is `asks`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tooldrill.agent.introspect import EMPTY
from tooldrill.agent.json_schema import JsonSchema
from tooldrill.agent.tool import Tool
from tooldrill.data.forge.kinds import Kind
from tooldrill.data.forge.lexicon import Entity, Field, Step

# A parameter that may be left out and has no default to show.
ABSENT = object()


@dataclass(frozen=True)
class Type:
    """An entity of this world.

    Attributes:
        fields: those that this world keeps, in order.
        names: what this world calls each field, by key; `label`, `status` and `ref` among them.
        refers_to: the key of the type that it may point at; empty when it points nowhere.
        id_form: `int` or a form of text id.
        id_prefix: what a text id begins with.
    """

    entity: Entity
    fields: tuple[Field, ...]
    names: dict[str, str]
    refers_to: str
    id_form: str
    id_prefix: str

    @property
    def key(self) -> str:
        return self.entity.key

    @property
    def noun(self) -> str:
        return self.entity.noun

    @property
    def id_kind(self) -> Kind:
        return Kind("id", ("int" if self.id_form == "int" else "str",))

    def field(self, key: str) -> Field:
        """The field of that key; `label` is one."""
        if key == "label":
            return self.entity.label
        return next(field for field in self.fields if field.key == key)


@dataclass(frozen=True)
class Param:
    """A parameter as this world offers it.

    Attributes:
        role: what it means to the operation (`id`, `f:price`, `limit`).
        default: `EMPTY` when required; `ABSENT` when it may be left out; None when it may be null.
    """

    name: str
    role: str
    kind: Kind
    default: Any = EMPTY
    description: str = ""

    @property
    def required(self) -> bool:
        return self.default is EMPTY

    def schema(self) -> JsonSchema:
        """Its property in the tool's schema, keywords in the order of introspection."""
        made = self.kind.schema(nullable=self.default is None)
        if self.default is not EMPTY and self.default is not ABSENT:
            made["default"] = self.default
        made = dict(sorted(made.items()))
        if self.description:
            made["description"] = self.description
        return made


@dataclass(frozen=True)
class Op:
    """An operation on one type, offered as a tool.

    Attributes:
        action: what it does (`create`, `find`, `set`...).
        field: the field it is about, if it is about one.
        step: the transition it makes, if it makes one.
    """

    action: str
    type: Type
    name: str
    description: str
    params: tuple[Param, ...]
    field: Field | None = None
    step: Step | None = None

    @cached_property
    def by_role(self) -> dict[str, Param]:
        return {param.role: param for param in self.params}

    @cached_property
    def roles(self) -> dict[str, Param]:
        """Parameters by the name that is shown."""
        return {param.name: param for param in self.params}

    def has(self, role: str) -> bool:
        return role in self.by_role

    def arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """The call's arguments for values by role, in the order of the parameters.

        What equals its default is left out.
        """
        return {
            p.name: values[p.role]
            for p in self.params
            if p.role in values and (p.required or values[p.role] != p.default)
        }

    def tool(self) -> Tool:
        """The tool, in the form that introspection gives (a test holds the two together)."""
        properties = {p.name: p.schema() for p in self.params}
        required = [p.name for p in self.params if p.required]
        schema: JsonSchema = {"additionalProperties": False, "properties": properties}
        # Introspection says last that nothing is required.
        rest = {"required": required, "type": "object"}
        schema |= rest if required else dict(reversed(rest.items()))
        return Tool(self.name, self.description, schema)


@dataclass(frozen=True)
class Style:
    """How a world writes.

    Attributes:
        tools, parameters: naming styles.
        system: the word that prefixed tool names begin with.
        prose: `full`, `plain` or `terse` descriptions.
        strict: whether schemas carry ranges and formats.
        absent: what stands for an option that is not given: `ABSENT` or None.
        output: `json`, `lines`, `sentence` or `table`.
        echo: whether a change is answered with the whole record.
        padded: whether records carry details that nobody asked for.
        error: which way errors are worded.
    """

    tools: str
    parameters: str
    system: str
    prose: str
    strict: bool
    absent: Any
    output: str
    echo: bool
    padded: bool
    error: int


@dataclass(frozen=True)
class Blueprint:
    """All of a world: the types it keeps and what can be done with them."""

    types: tuple[Type, ...]
    ops: tuple[Op, ...]
    style: Style

    def type_of(self, key: str) -> Type:
        return next(type_ for type_ in self.types if type_.key == key)

    def find(self, action: str, type_: Type) -> Op | None:
        """The first operation of that action on that type."""
        return next((op for op in self.ops if op.action == action and op.type is type_), None)
