"""The value of an expression that consists of literals, constants and known constructors.

Arithmetic is that of numbers (and joining of texts, lists and paths), bounded so that no expression
takes long or much memory. What a name stands for is asked of the `Names`.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import operator
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Protocol

import pydantic
from pydantic.errors import PydanticUserError

from tooldrill.agent.sources.skills.static_file import Scope
from tooldrill.agent.sources.skills.static_names import UnknownError, is_plain_value, may_call

# What a known constructor, or a rebuilt class, may raise for arguments that it does not take.
REFUSALS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, PydanticUserError)

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
_NUMERIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}
# `10 ** 10 ** 10` must not be computed, nor a text that a short expression makes long.
_LARGEST_EXPONENT = 64
_LARGEST_OPERAND = 2**256
_LONGEST = 100_000

# These are understood in part: an option that is not known is left out.
_LENIENT = (pydantic.Field, pydantic.ConfigDict, dataclasses.field)


class Names(Protocol):
    """What names and type expressions stand for; all raise `UnknownError`."""

    def type_of(self, node: ast.expr, scope: Scope) -> Any: ...
    def named(self, node: ast.Name | ast.Attribute, scope: Scope, *, as_type: bool) -> Any: ...
    def count(self) -> None: ...


def value_of(node: ast.expr, scope: Scope, names: Names) -> Any:
    """The value of an expression.

    Raises:
        UnknownError: when it could only be known by running the file.
    """
    names.count()
    try:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name() | ast.Attribute():
                return names.named(node, scope, as_type=False)
            case ast.Subscript():
                return names.type_of(node, scope)
            case ast.List(elts=items):
                return [value_of(item, scope, names) for item in items]
            case ast.Tuple(elts=items):
                return tuple(value_of(item, scope, names) for item in items)
            case ast.Set(elts=items):
                return {value_of(item, scope, names) for item in items}
            case ast.Dict():
                return _mapping(node, scope, names)
            case ast.UnaryOp():
                return _UNARY[type(node.op)](value_of(node.operand, scope, names))
            case ast.BinOp():
                left, right = (value_of(n, scope, names) for n in (node.left, node.right))
                return _binary(node.op, left, right)
            case ast.Call():
                return _call(node, scope, names)
    except REFUSALS as error:
        raise UnknownError(str(error)) from error
    raise UnknownError(ast.unparse(node))


def value_or(node: ast.expr, scope: Scope, names: Names, otherwise: Any) -> Any:
    """The value of an expression, or `otherwise` when it is unknown."""
    try:
        return value_of(node, scope, names)
    except UnknownError:
        return otherwise


def known_keywords(node: ast.Call | ast.ClassDef, scope: Scope, names: Names) -> dict[str, Any]:
    """The keyword arguments whose value is known; a default stays, if only as an opaque one."""
    found: dict[str, Any] = {}
    opaque = {"default": object(), "default_factory": object}
    for keyword in node.keywords:
        if keyword.arg is None:
            continue
        value = value_or(keyword.value, scope, names, UnknownError)
        if value is UnknownError or not is_plain_value(value):
            if keyword.arg in opaque:
                found[keyword.arg] = opaque[keyword.arg]
        else:
            found[keyword.arg] = value
    return found


def _mapping(node: ast.Dict, scope: Scope, names: Names) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            made.update(value_of(value, scope, names))
        else:
            made[value_of(key, scope, names)] = value_of(value, scope, names)
    return made


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, int | float) and isinstance(right, int | float):
        bounded = isinstance(op, ast.Pow | ast.LShift) and abs(right) > _LARGEST_EXPONENT
        if not bounded and max(abs(left), abs(right)) <= _LARGEST_OPERAND:
            return _NUMERIC[type(op)](left, right)
    elif isinstance(op, ast.Add) and type(left) is type(right) and type(left) in (str, list, tuple):
        if len(left) + len(right) <= _LONGEST:
            return left + right
    elif isinstance(op, ast.Div) and isinstance(left, PurePath):
        return left / right
    elif isinstance(op, ast.BitOr) and isinstance(left, enum.Flag):
        return left | right
    raise UnknownError(type(op).__name__)


def _call(node: ast.Call, scope: Scope, names: Names) -> Any:
    function = value_of(node.func, scope, names)
    if not may_call(function):
        raise UnknownError(ast.unparse(node.func))
    options = known_keywords(node, scope, names)
    if function in _LENIENT:
        return function(*(value_or(a, scope, names, object()) for a in node.args), **options)
    args = [value_of(argument, scope, names) for argument in node.args]
    if len(options) < len(node.keywords) or not all(map(is_plain_value, args)):
        raise UnknownError(ast.unparse(node))
    return function(*args, **options)
