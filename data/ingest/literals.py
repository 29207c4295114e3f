"""Values that were written as text: JSON, Python literals, and what describes a call.

Python is parsed with `ast` and only constants, containers and signs are accepted: nothing is ever
executed.
"""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.data.ingest.conversation import DroppedError

_CONSTANTS = {"true": True, "false": False, "null": None, "none": None, "nil": None}
_PARSER_ERRORS = (SyntaxError, ValueError, MemoryError, RecursionError)


def literal(text: str) -> Any:
    """The JSON value that a Python literal means; JSON's `true`, `false`, `null` are read too.

    Raises:
        ValueError: when it is anything else than a literal.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body)
    except _PARSER_ERRORS as error:
        raise ValueError(f"not a literal: {text[:80]!r}") from error


def json_or_literal(text: str) -> Any:
    """The value of JSON text or, where it is not JSON, of a Python literal.

    A line break inside a string is read as one: many data sets have them.

    Raises:
        ValueError: when it is neither.
    """
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return literal(text)


def arguments_of(value: Any) -> dict[str, Any]:
    """A call's arguments, given as an object or as its text; nothing at all means none.

    Raises:
        DroppedError: when they are no object.
    """
    if isinstance(value, str):
        try:
            value = json_or_literal(value) if value.strip() else {}
        except ValueError as error:
            raise DroppedError("bad_arguments", str(error)) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DroppedError("bad_arguments", f"not an object: {str(value)[:80]}")
    return value


def call_of(value: Any) -> Call:
    """The call that `{"name", "arguments"}` describes.

    Raises:
        DroppedError: when it describes none.
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise DroppedError("bad_call_syntax", f"a call without a name: {str(value)[:80]}")
    key = "arguments" if "arguments" in value else "parameters"
    return Call(value["name"], arguments_of(value.get(key)))


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.Name(id=name) if name.lower() in _CONSTANTS:
            return _CONSTANTS[name.lower()]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_key(key): _value(value) for key, value in zip(keys, values, strict=True)}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
    raise ValueError(f"not a literal: {ast.dump(node)[:80]}")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("a key that is not a string")
