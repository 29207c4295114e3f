"""Classes of a file that must not be run, rebuilt from their source as real types.

Enum, TypedDict, NamedTuple, dataclass, pydantic model, or plain: fields with their types, defaults
and docstring; of the methods, none. Types and values of the fields are read by `static_types`.
"""

from __future__ import annotations

import abc
import ast
import dataclasses
import enum
import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any, get_origin

import griffe
import pydantic.dataclasses
import typing_extensions
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tooldrill.agent.sources.skills.static_file import Scope
from tooldrill.agent.sources.skills.static_names import UnknownError
from tooldrill.agent.sources.skills.static_values import (
    REFUSALS,
    Names,
    known_keywords,
    value_of,
    value_or,
)

# A class that has one of these describes itself by running code.
_SELF_DESCRIBED = frozenset(
    {"__get_pydantic_core_schema__", "__get_pydantic_json_schema__", "__get_validators__"}
)

_HARMLESS_METACLASSES = frozenset({abc.ABCMeta, enum.EnumMeta})


class Later:
    """Stands in a field's type for a class that is still being rebuilt (a tree's node).

    pydantic asks for the class when it makes the schema; by then it is there.
    """

    target: Any = Any

    @property
    def hint(self) -> Any:
        return Annotated[Any, self]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return (
            core_schema.any_schema() if self.target is Any else handler.generate_schema(self.target)
        )


@dataclasses.dataclass(frozen=True)
class _Field:
    name: str
    annotation: ast.expr
    value: ast.expr | None
    docstring: str | None


def rebuild_class(node: ast.ClassDef, scope: griffe.Class, names: Names) -> Any:
    """The class as a real type.

    Args:
        scope: the class itself, in which the names of its body are looked up first.

    Raises:
        UnknownError: when a base or metaclass is unknown, or the class defines itself by code.
    """
    methods = {m.name for m in node.body if isinstance(m, ast.FunctionDef)}
    if methods & _SELF_DESCRIBED:
        raise UnknownError(node.name)
    outer = scope.parent if isinstance(scope.parent, griffe.Module | griffe.Class) else scope
    bases = tuple(value_of(base, outer, names) for base in node.bases)
    metaclasses = [value_of(k.value, outer, names) for k in node.keywords if k.arg == "metaclass"]
    # A base may still be being rebuilt, or be no class (pydantic's `EmailStr`).
    if any(get_origin(b) is Annotated for b in bases) or set(metaclasses) - _HARMLESS_METACLASSES:
        raise UnknownError(node.name)
    try:
        resolved = types.resolve_bases(bases)
        if any(isinstance(b, type) and issubclass(b, enum.Enum) for b in resolved):
            return _enumeration(node, scope, bases, methods, names)
        return _record(node, scope, outer, bases, names)
    except REFUSALS as error:
        raise UnknownError(f"{node.name}: {error}") from error


def _enumeration(
    node: ast.ClassDef,
    scope: griffe.Class,
    bases: tuple[Any, ...],
    methods: set[str],
    names: Names,
) -> Any:
    members = list(_members(node, scope, names))
    automatic = any(isinstance(value, enum.auto) for _, value in members)
    if "__new__" in methods or (automatic and "_generate_next_value_" in methods):
        raise UnknownError(node.name)
    return new_class(node.name, bases, dict(members), doc=ast.get_docstring(node))


def _members(node: ast.ClassDef, scope: griffe.Class, names: Names) -> Iterator[tuple[str, Any]]:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            if not isinstance(target, ast.Name):
                raise UnknownError(node.name)
            # `_ignore_`, `__slots__` and the like are the class's own business.
            if not target.id.startswith("__") and not _is_sunder(target.id):
                yield target.id, value_of(value, scope, names)


def _is_sunder(name: str) -> bool:
    return name.startswith("_") and name.endswith("_")


def _record(
    node: ast.ClassDef,
    scope: griffe.Class,
    outer: Scope,
    bases: tuple[Any, ...],
    names: Names,
) -> Any:
    """Anything with fields; a class without is rebuilt too, it may be another's base."""
    resolved = types.resolve_bases(bases)
    is_model = any(isinstance(b, type) and issubclass(b, BaseModel) for b in resolved)
    # `TypedDict` itself is a function that leaves a base of this name.
    is_typed_dict = any(
        typing_extensions.is_typeddict(b) or getattr(b, "__name__", "") == "_TypedDict"
        for b in resolved
    )
    decorate, opaque = _decorator(node, outer, names)
    if opaque and decorate is None and not (is_model or is_typed_dict):
        raise UnknownError(node.name)
    fields = [f for f in _fields(node) if not (is_model and f.name.startswith("_"))]
    namespace: dict[str, Any] = {
        f.name: value_or(f.value, scope, names, object())
        for f in fields
        if f.value is not None and not is_typed_dict
    }
    namespace["__annotations__"] = {
        f.name: _type_or_any(f.annotation, scope, names) for f in fields
    }
    if is_model:
        namespace["model_config"] = _config(node, scope, names)
    keywords = {k: v for k, v in known_keywords(node, outer, names).items() if k != "metaclass"}
    made = new_class(node.name, bases, namespace, ast.get_docstring(node), keywords)
    made = made if decorate is None else decorate(made)
    _describe_fields(made, fields)
    return made


def _describe_fields(made: Any, fields: list[_Field]) -> None:
    """What pydantic does when it can see the source: a text below a field describes it."""
    config = getattr(made, "model_config", None) or getattr(made, "__pydantic_config__", {})
    if config.get("use_attribute_docstrings"):
        for field in fields:
            info = made.__pydantic_fields__.get(field.name)
            if info is not None and info.description is None:
                info.description = field.docstring


def _fields(node: ast.ClassDef) -> Iterator[_Field]:
    following = [*node.body[1:], None]
    for statement, after in zip(node.body, following, strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
            if not name.startswith("__"):
                yield _Field(name, statement.annotation, statement.value, _text(after))


def _text(statement: ast.stmt | None) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return inspect.cleandoc(value) if isinstance(value, str) else None
    return None


def _type_or_any(node: ast.expr, scope: Scope, names: Names) -> Any:
    try:
        return names.type_of(node, scope)
    except UnknownError:
        return Any


def _config(node: ast.ClassDef, scope: Scope, names: Names) -> dict[str, Any]:
    """The settings of a model; it is built when it is used, when its fields' classes are there."""
    config: dict[str, Any] = {}
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if [t.id for t in targets if isinstance(t, ast.Name)] == ["model_config"]:
            assert isinstance(statement, ast.Assign)
            found = value_or(statement.value, scope, names, None)
            config = dict(found) if isinstance(found, dict) else {}
    return {**config, "defer_build": True}


def _decorator(node: ast.ClassDef, outer: Scope, names: Names) -> tuple[Any, bool]:
    """The dataclass decorator if there is one, and whether an unknown decorator stands there."""
    unknown, decorate = False, None
    for item in node.decorator_list:
        call = item if isinstance(item, ast.Call) else None
        try:
            function = value_of(call.func if call else item, outer, names)
        except UnknownError:
            unknown = True
            continue
        options = known_keywords(call, outer, names) if call else {}
        if function is pydantic.dataclasses.dataclass:
            options["config"] = {**(options.get("config") or {}), "defer_build": True}
            decorate = pydantic.dataclasses.dataclass(**options)
        elif function is dataclasses.dataclass:
            decorate = dataclasses.dataclass(**options)
    return decorate, unknown


def new_class(
    name: str,
    bases: tuple[Any, ...],
    namespace: dict[str, Any],
    doc: str | None = None,
    keywords: dict[str, Any] | None = None,
) -> Any:
    """What a class statement with this body makes.

    Raises:
        UnknownError: when the bases or the fields do not fit together.
    """

    def body(prepared: dict[str, Any]) -> None:
        # No module of that name: nothing is looked up in one.
        prepared["__module__"] = "<read statically>"
        prepared["__qualname__"] = name
        if doc is not None:
            prepared["__doc__"] = doc
        # One by one: an Enum's namespace counts its members as they are set.
        for key, value in namespace.items():
            prepared[key] = value  # noqa: PERF403  (`update` would not count)

    try:
        return types.new_class(name, bases, keywords or {}, body)
    except REFUSALS as error:
        raise UnknownError(f"{name}: {error}") from error
