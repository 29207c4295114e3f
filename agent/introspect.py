"""From a Python function to a tool: hints, defaults and docstring become a JSON Schema.

pydantic makes the schema and docstring-parser reads the docstring; what is decided here is which
parameters are offered and what an unhinted one means. Nothing is executed. Functions that must not
even be imported are read by `sources.skills`, and end in the same `tool_from_parameters`.
"""

from __future__ import annotations

import functools
import inspect
import json
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NamedTuple, get_type_hints

import docstring_parser
from pydantic import ConfigDict, Field, PydanticSchemaGenerationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticSerializationError, core_schema, to_jsonable_python

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hints import portable
from tooldrill.agent.json_schema import JsonSchema, inline_references, without_titles
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.values import ArgumentsChecker

# The agent's own plumbing, filled in by the caller and never by the model.
HIDDEN_PARAMETERS = frozenset({"context", "stop_event", "self", "cls"})

EMPTY: Any = inspect.Parameter.empty


class Offered(NamedTuple):
    """A parameter that a model may fill in.

    Attributes:
        hint: its type, `EMPTY` when there is no hint.
        default: its default, `EMPTY` when it is required; any object that is not JSON stands for
            an option whose default cannot be shown.
    """

    name: str
    hint: Any = EMPTY
    default: Any = EMPTY

    @property
    def type(self) -> Any:
        """The hint, else the default's type, else anything."""
        if self.hint is not EMPTY:
            return portable(self.hint)
        return Any if self.default is EMPTY or self.default is None else type(self.default)


class _NotJsonError(Exception):
    """A parameter's type has no JSON Schema."""

    def __init__(self, parameter: Offered, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter


class _ToolSchema(GenerateJsonSchema):
    """pydantic's schema, closed: a field that an object does not have is a mistake, not ignored."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return self._closed(super().typed_dict_schema(schema))

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return self._closed(super().model_schema(schema))

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return self._closed(super().dataclass_schema(schema))

    @staticmethod
    def _closed(made: JsonSchemaValue) -> JsonSchemaValue:
        return {"additionalProperties": False, **made} if "properties" in made else made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "default" not in schema:
            return inner
        value = json_default(schema["default"])
        # A default that is not JSON can be left out of a call but never written in one.
        return inner if value is EMPTY else {**inner, "default": value}


def json_default(value: Any) -> Any:
    """A default as JSON shows it, or `EMPTY` when JSON cannot."""
    try:
        shown = to_jsonable_python(value)
        json.dumps(shown, allow_nan=False)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        return EMPTY
    # A set has no order of its own, and the same code must give the same schema every time.
    return sorted(shown, key=repr) if isinstance(value, set | frozenset) else shown


def tool_from_function(function: Callable[..., Any], name: str | None = None) -> Tool:
    """The tool that offers `function`.

    Raises:
        TooldrillError: when a hint cannot be resolved or has no JSON Schema.
    """
    name = name or function_name(function)
    return tool_from_parameters(name, _docstring(function), offered_parameters(function, name))


def _docstring(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        # A partial would answer with the documentation of `functools.partial`.
        function = function.func
    called = None if inspect.isroutine(function) else inspect.getdoc(type(function).__call__)
    return called or inspect.getdoc(function) or ""


def registry_from_functions(functions: Iterable[Callable[..., Any]]) -> Registry:
    """A registry of the given functions, in their order."""
    return Registry(tool_from_function(function) for function in functions)


def function_name(function: Callable[..., Any]) -> str:
    """The name it is defined by; of a partial, that of the function inside."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def tool_from_parameters(
    name: str, docstring: str, parameters: Sequence[Offered], description: str | None = None
) -> Tool:
    """The tool with these parameters.

    Args:
        docstring: Google, NumPy or reST style; describes the tool and its parameters.
        parameters: all of them, in order; those named in `HIDDEN_PARAMETERS` are left out, and so
            are options (parameters with a default) whose type JSON cannot express.
        description: stands in the place of the docstring's.

    Raises:
        TooldrillError: when the type of a required parameter has no JSON Schema.
    """
    doc = docstring_parser.parse(docstring)
    described = {p.arg_name.lstrip("*"): p.description for p in doc.params if p.description}
    left = [p for p in parameters if p.name not in HIDDEN_PARAMETERS]
    while True:
        try:
            schema = _object_schema(left, described)
            break
        except _NotJsonError as problem:
            if problem.parameter.default is EMPTY:
                raise TooldrillError(
                    f"tool {name!r}: the type of parameter {problem.parameter.name!r} has no JSON "
                    f"Schema: {problem}",
                    "give it a JSON type (str, int, list, a pydantic model...), give it a default "
                    "so that it need not be offered, or hide it by naming it `context`",
                ) from problem
            left.remove(problem.parameter)
    return Tool(name, description or _description(doc), schema)


def offered_parameters(function: Callable[..., Any], name: str) -> list[Offered]:
    """Every named parameter of `function`, the hidden ones among them.

    Raises:
        TooldrillError: when there is no signature, or a hint in it cannot be resolved.
    """
    hinted = function
    while isinstance(hinted, functools.partial):
        hinted = hinted.func
    if not inspect.isroutine(hinted):
        hinted = type(hinted).__call__
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError) as error:
        raise TooldrillError(
            f"tool {name!r} has no signature that could be read: {error}",
            "wrap it in a function of your own with named parameters",
        ) from error
    written = getattr(hinted, "__annotations__", {})
    return [
        Offered(p.name, _hint(hinted, p, written.get(p.name, EMPTY), name), p.default)
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def _hint(function: Any, parameter: inspect.Parameter, written: Any, tool: str) -> Any:
    """The parameter's hint, resolved alone: what the others and the result are does not matter."""
    if written is EMPTY or parameter.name in HIDDEN_PARAMETERS:
        return EMPTY
    function = inspect.unwrap(function)
    alone = types.SimpleNamespace(__annotations__={parameter.name: written})
    try:
        names = getattr(function, "__globals__", {})
        return get_type_hints(alone, names, include_extras=True)[parameter.name]
    except (NameError, TypeError, AttributeError) as error:
        if parameter.default is not EMPTY:
            # An option of an unknown type need not be offered.
            return _Unknown
        raise TooldrillError(
            f"tool {tool!r}: the type hint of {parameter.name!r} cannot be resolved: {error}",
            "import the type in the module that defines the function, drop the hint, or name only "
            "other functions: SOURCE:name,name",
        ) from error


class _Unknown:
    """Stands for a type that could not be found; it has no JSON Schema."""


def _object_schema(parameters: Sequence[Offered], described: dict[str, str]) -> JsonSchema:
    fields: dict[str, Any] = {}
    for index, parameter in enumerate(parameters):
        info = Field(alias=parameter.name)
        default = ... if parameter.default is EMPTY else parameter.default
        # Field names are ours (a tool may have a parameter called `model_config` or `_x`).
        fields[f"field{index}"] = (Annotated[parameter.type, info], default)
    try:
        schema = _model_schema(fields)
    except _PYDANTIC_REFUSALS as error:
        _find_culprit(parameters, fields)
        raise TooldrillError(
            f"the parameters have no JSON Schema: {_one_line(str(error))}",
            "give them JSON types (str, int, list, a pydantic model...)",
        ) from error
    schema = without_titles(inline_references(schema))
    schema.setdefault("properties", {})
    schema.setdefault("required", [])
    for name, text in described.items():
        # What stands in the hint itself, `Field(description=...)`, is nearer.
        if name in schema["properties"]:
            schema["properties"][name].setdefault("description", _one_line(text))
    return _without_invalid_defaults(schema)


_PYDANTIC_REFUSALS = (
    PydanticSchemaGenerationError,
    PydanticInvalidForJsonSchema,
    PydanticUserError,
    TypeError,
)


def _model_schema(fields: dict[str, Any]) -> JsonSchema:
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    model = create_model("Arguments", __config__=config, **fields)
    return model.model_json_schema(by_alias=True, schema_generator=_ToolSchema)


def _find_culprit(parameters: Sequence[Offered], fields: dict[str, Any]) -> None:
    for parameter, (name, field) in zip(parameters, fields.items(), strict=True):
        try:
            _model_schema({name: field})
        except _PYDANTIC_REFUSALS as error:
            raise _NotJsonError(parameter, str(error).splitlines()[0]) from error


def _without_invalid_defaults(schema: JsonSchema) -> JsonSchema:
    """Drops defaults that a call may not write: `limit: int = None`, `top: PositiveInt = 0`."""
    properties = schema["properties"]
    checker = ArgumentsChecker({**schema, "required": []})
    for name, described in properties.items():
        if "default" in described and checker.problems({name: described["default"]}):
            properties[name] = {k: v for k, v in described.items() if k != "default"}
    return schema


def _description(doc: docstring_parser.Docstring) -> str:
    summary, rest = doc.short_description or "", doc.long_description or ""
    if rest and not doc.blank_after_short_description:
        # A summary that runs over several lines ends at the first empty one.
        more, _, rest = rest.partition("\n\n")
        summary = f"{summary} {more}"
    return "\n\n".join(_one_line(part) for part in (summary, rest) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
