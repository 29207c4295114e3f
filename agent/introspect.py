"""From a Python function to a tool: hints, defaults and docstring become a JSON Schema.

pydantic makes the schema and docstring-parser reads the docstring; what is decided here is which
parameters are offered and what an unhinted one means. Nothing is executed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, get_type_hints

import docstring_parser
from pydantic import ConfigDict, Field, PydanticSchemaGenerationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticSerializationError, core_schema, to_jsonable_python

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.tool import JsonSchema, Registry, Tool

# The agent's own plumbing, filled in by the caller and never by the model.
HIDDEN_PARAMETERS = frozenset({"context", "stop_event", "self", "cls"})


class _ToolSchema(GenerateJsonSchema):
    """pydantic's schema without the generated titles, which only cost the model tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "default" not in schema:
            return inner
        value = schema["default"]
        try:
            return {**inner, "default": to_jsonable_python(value)}
        except PydanticSerializationError:
            # A default that is not JSON can be left out of a call but never written in one.
            return inner


def tool_from_function(function: Callable[..., Any], name: str | None = None) -> Tool:
    """The tool that offers `function`.

    Raises:
        TooldrillError: when a hint cannot be resolved or has no JSON Schema.
    """
    name = name or function.__name__
    doc = docstring_parser.parse(inspect.getdoc(function) or "")
    described = {p.arg_name.lstrip("*"): p.description for p in doc.params if p.description}
    fields: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for index, parameter in enumerate(_offered(function, name)):
        # Field names are ours (a tool may have a parameter called `model_config` or `_x`).
        field_name = f"field{index}"
        aliases[field_name] = parameter.name
        hint = parameter.annotation
        if hint is inspect.Parameter.empty:
            unhinted = parameter.default in (inspect.Parameter.empty, None)
            hint = Any if unhinted else type(parameter.default)
        text = described.get(parameter.name)
        info = Field(alias=parameter.name, description=_one_line(text) if text else None)
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[field_name] = (Annotated[hint, info], default)
    schema = _object_schema(name, fields)
    return Tool(name, _description(doc), schema)


def registry_from_functions(functions: Iterable[Callable[..., Any]]) -> Registry:
    """A registry of the given functions, in their order."""
    return Registry(tool_from_function(function) for function in functions)


def _offered(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise TooldrillError(
            f"tool {name!r}: a type hint cannot be resolved: {error}",
            "import the type in the module that defines the function, or drop the hint",
        ) from error
    offered = []
    for parameter in inspect.signature(function).parameters.values():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if variadic or parameter.name in HIDDEN_PARAMETERS:
            continue
        hint = hints.get(parameter.name, inspect.Parameter.empty)
        offered.append(parameter.replace(annotation=hint))
    return offered


def _object_schema(name: str, fields: dict[str, Any]) -> JsonSchema:
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    try:
        model = create_model("Arguments", __config__=config, **fields)
        schema = model.model_json_schema(by_alias=True, schema_generator=_ToolSchema)
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema) as error:
        raise TooldrillError(
            f"tool {name!r}: a parameter's type has no JSON Schema: {str(error).splitlines()[0]}",
            "give it a JSON type (str, int, list, a pydantic model...), or hide it by naming it "
            "`context`",
        ) from error
    schema.pop("title", None)
    schema.setdefault("properties", {})
    schema.setdefault("required", [])
    return schema


def _description(doc: docstring_parser.Docstring) -> str:
    parts = [doc.short_description, doc.long_description]
    return "\n\n".join(_one_line(part) for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
