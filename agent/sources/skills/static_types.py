"""The parameters of a function in a file that is not run: hints as real types, defaults as values.

Only the names of `static_names` mean something, only the constructors it lists are called, and only
with literals. A type that stays unknown is `Any`, a default an opaque object.
"""

from __future__ import annotations

import ast
import collections
import enum
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Optional, Union

import griffe
import typing_extensions
from pydantic.fields import FieldInfo

from tooldrill.agent.introspect import EMPTY, Offered
from tooldrill.agent.sources.skills.static_classes import Later, new_class, rebuild_class
from tooldrill.agent.sources.skills.static_file import (
    FunctionNode,
    Scope,
    StaticFile,
    node_of,
    target_of,
)
from tooldrill.agent.sources.skills.static_names import UnknownError, is_plain_value, is_type, known
from tooldrill.agent.sources.skills.static_values import (
    REFUSALS,
    known_keywords,
    value_of,
    value_or,
)

# Constants that hold each other can stand for far more than a file of that size should.
_MOST_VALUES = 100_000


def offered_parameters(file: StaticFile, function: FunctionNode) -> list[Offered]:
    """The named parameters of a function, in order; `*args` and `**kwargs` are left out."""
    types = StaticTypes(file)
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    required = [None] * (len(positional) - len(given.defaults))
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(positional, [*required, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return [types.offered(argument, default) for argument, default in pairs]


class StaticTypes:
    """What the type expressions and names of one file stand for."""

    def __init__(self, file: StaticFile) -> None:
        self._file = file
        # `UnknownError` stands for what was found to be unknown.
        self._made: dict[str, Any] = {}
        self._waiting: dict[str, Later] = {}
        self._reading: set[str] = set()
        self._counted = 0

    def offered(self, argument: ast.arg, default: ast.expr | None) -> Offered:
        """The parameter with its type and default, as far as they are known."""
        scope = self._file.module
        hint, value = EMPTY, EMPTY
        if argument.annotation is not None:
            try:
                hint = self.type_of(argument.annotation, scope)
            except UnknownError:
                hint = EMPTY
        if default is not None:
            self._counted = 0
            value = value_or(default, scope, self, object())
        if hint is EMPTY and isinstance(value, FieldInfo):
            hint = Any
        return Offered(argument.arg, hint, value)

    def count(self) -> None:
        """Told of every value that is read."""
        self._counted += 1
        if self._counted > _MOST_VALUES:
            raise UnknownError("too many values")

    def type_of(self, node: ast.expr, scope: Scope) -> Any:
        """What an annotation means.

        Raises:
            UnknownError: when it is a type that cannot be known, or a choice that includes one.
        """
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=str() as text):
                return self.type_of(_parsed(text), scope)
            case ast.BinOp(op=ast.BitOr()):
                sides = (self.type_of(node.left, scope), self.type_of(node.right, scope))
                return self._subscripted(Union, sides)
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.Call():
                made = self._made_by_call(node, scope)
            case ast.Name() | ast.Attribute():
                made = self.named(node, scope, as_type=True)
            case _:
                raise UnknownError(ast.unparse(node))
        if not is_type(made):
            raise UnknownError(ast.unparse(node))
        return made

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        base = self.type_of(node.value, scope)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base in (Literal, typing_extensions.Literal):
            values = tuple(value_of(item, scope, self) for item in inner)
            return self._subscripted(Literal, values)
        if base is Annotated:
            return self._annotated(inner, scope)
        if base in (Union, Optional):
            choices = tuple(self.type_of(item, scope) for item in inner)
            return self._subscripted(base, choices if len(choices) > 1 else choices[0])
        parts = tuple(self._inner(item, scope) for item in inner)
        return self._subscripted(base, parts if isinstance(node.slice, ast.Tuple) else parts[0])

    @staticmethod
    def _subscripted(base: Any, parts: Any) -> Any:
        try:
            return base[parts]
        except REFUSALS as error:
            raise UnknownError(str(error)) from error

    def _inner(self, node: ast.expr, scope: Scope) -> Any:
        """A type between brackets, where `...` and a list of types may stand too."""
        if isinstance(node, ast.Constant) and node.value is ...:
            return ...
        if isinstance(node, ast.List):
            return [self._inner(item, scope) for item in node.elts]
        try:
            return self.type_of(node, scope)
        except UnknownError:
            return Any

    def _annotated(self, inner: list[ast.expr], scope: Scope) -> Any:
        read = [value_or(item, scope, self, UnknownError) for item in inner[1:]]
        metadata = [m for m in read if m is not UnknownError and is_plain_value(m)]
        if not metadata:
            return self.type_of(inner[0], scope)
        return Annotated[(self._inner(inner[0], scope), *metadata)]

    def _made_by_call(self, node: ast.Call, scope: Scope) -> Any:
        """A type made by a call: `Enum("Color", ...)`, `TypedDict("Movie", {})`, `conint(ge=1)`."""
        function = value_of(node.func, scope, self)
        options = known_keywords(node, scope, self)
        try:
            match function, node.args:
                case ((typing.NewType | typing_extensions.NewType), [_, target]):
                    return self.type_of(target, scope)
                case typing_extensions.TypeAliasType, [ast.Constant(value=str() as name), target]:
                    return self._alias_type(name, target, scope)
                case typing_extensions.TypedDict, [name, ast.Dict() as fields]:
                    return self._fields_class(function, name, fields, scope, options)
                case ((typing.NamedTuple | typing_extensions.NamedTuple), [name, fields]):
                    items = getattr(fields, "elts", [])
                    pairs = [item.elts for item in items if isinstance(item, ast.Tuple)]
                    keys: list[ast.expr | None] = [key for key, _ in pairs]
                    mapping = ast.Dict(keys, [hint for _, hint in pairs])
                    return self._fields_class(function, name, mapping, scope, {})
            if function is collections.namedtuple or _is_enum(function):
                return function(*(value_of(a, scope, self) for a in node.args), **options)
        except REFUSALS as error:
            raise UnknownError(str(error)) from error
        return value_of(node, scope, self)

    def _fields_class(
        self, base: Any, name: ast.expr, fields: ast.Dict, scope: Scope, options: dict[str, Any]
    ) -> Any:
        keys = [value_of(key, scope, self) for key in fields.keys if key is not None]
        hints = [self._inner(hint, scope) for hint in fields.values]
        body = {"__annotations__": dict(zip(keys, hints, strict=True))}
        return new_class(value_of(name, scope, self), (base,), body, keywords=options)

    def named(self, node: ast.Name | ast.Attribute, scope: Scope, *, as_type: bool) -> Any:
        """What a name, or a dotted one, stands for.

        Raises:
            UnknownError: when it is not known.
        """
        found = self._found(node, scope, as_type=as_type)
        if isinstance(found, str):
            return known(found)
        if isinstance(found, griffe.Class):
            return self._class(found)
        if isinstance(found, griffe.Object):
            return self._assigned(found, as_type=as_type)
        return found.real if isinstance(found, _Real) else found

    def _found(self, node: ast.expr, scope: Scope, *, as_type: bool) -> Any:
        if isinstance(node, ast.Name):
            return self._file.find(node.id, scope, as_type=as_type)
        if not isinstance(node, ast.Attribute):
            raise UnknownError(ast.unparse(node))
        owner, name = self._found(node.value, scope, as_type=False), node.attr
        if isinstance(owner, str):
            return f"{owner}.{name}"
        if isinstance(owner, griffe.Attribute):
            owner = _Real(self._assigned(owner, as_type=True))
        elif isinstance(owner, griffe.Class):
            made = self._class(owner)
            if not _is_enum(made) and name in owner.members:
                return target_of(owner.members[name])
            owner = _Real(made)
        real: Any = owner.real if isinstance(owner, _Real) else None
        if _is_enum(real) and name in real.__members__:
            return _Real(real[name])
        if isinstance(real, enum.Enum) and name in ("value", "name"):
            return _Real(getattr(real, name))
        raise UnknownError(ast.unparse(node))

    def _assigned(self, member: griffe.Object, *, as_type: bool) -> Any:
        """What a name of the file was set to."""
        node, scope = node_of(member), member.parent
        value: ast.expr | None = getattr(node, "value", None)
        if value is None or not isinstance(scope, griffe.Module | griffe.Class):
            raise UnknownError(member.path)
        if isinstance(member, griffe.TypeAlias):
            return self._alias_type(member.name, value, scope)
        if f"type {member.name}" in self._waiting:
            return self._waiting[f"type {member.name}"].hint
        if not as_type:
            with self._once(member.path):
                return value_of(value, scope, self)
        with self._once(f"{member.path} as a type"):
            return self._cached(member.path, lambda: self.type_of(value, scope))

    @contextmanager
    def _once(self, name: str) -> Iterator[None]:
        if name in self._reading:
            raise UnknownError(f"{name} is defined by itself")
        self._reading.add(name)
        try:
            yield
        finally:
            self._reading.discard(name)

    def _class(self, found: griffe.Class) -> Any:
        node = node_of(found)
        if not isinstance(node, ast.ClassDef):
            raise UnknownError(found.path)
        return self._recursive(found.path, lambda: rebuild_class(node, found, self))

    def _alias_type(self, name: str, target: ast.expr, scope: Scope) -> Any:
        def make() -> Any:
            return typing_extensions.TypeAliasType(name, self.type_of(target, scope))

        return self._recursive(f"type {name}", make)

    def _recursive(self, key: str, make: Callable[[], Any]) -> Any:
        """A type that may contain itself: there, a placeholder stands that knows it later."""
        if key in self._waiting:
            return self._waiting[key].hint
        later = self._waiting[key] = Later()
        try:
            later.target = self._cached(key, make)
        finally:
            del self._waiting[key]
        return later.target

    def _cached(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            try:
                self._made[key] = make()
            except UnknownError:
                self._made[key] = UnknownError
                raise
        if self._made[key] is UnknownError:
            raise UnknownError(key)
        return self._made[key]


class _Real:
    """A value that a dotted name led to, apart from the objects that griffe describes."""

    def __init__(self, real: Any) -> None:
        self.real = real


def _is_enum(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, enum.Enum)


def _parsed(text: str) -> ast.expr:
    """A quoted annotation."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnknownError(text) from error
