"""Type hints made portable: what pydantic refuses on an old Python, said in a way it takes.

Before Python 3.12 a `typing.TypedDict` does not tell pydantic all it must know, so it is refused;
`typing_extensions.TypedDict` is the same thing. Whoever writes tools should not have to care.
"""

from __future__ import annotations

import functools
import operator
import sys
import types
import typing
from typing import Any, Union, get_args, get_origin, get_type_hints

import typing_extensions


def portable(hint: Any) -> Any:
    """The hint with every `typing.TypedDict` in it replaced by an equal portable one."""
    return _portable(hint, {}) if sys.version_info < (3, 12) else hint


def _portable(hint: Any, made: dict[Any, Any]) -> Any:
    if isinstance(hint, type) and typing.is_typeddict(hint):
        return _typed_dict(hint, made)
    arguments, origin = get_args(hint), get_origin(hint)
    if not arguments or origin is typing.Literal:
        return hint
    changed = tuple(_portable(argument, made) for argument in arguments)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return hint
    if origin is typing.Annotated:
        return typing.Annotated[(changed[0], *hint.__metadata__)]
    if origin in (Union, types.UnionType):
        return functools.reduce(operator.or_, changed)
    if origin in (typing_extensions.Required, typing_extensions.NotRequired):
        return origin[changed[0]]
    return origin[changed if len(changed) > 1 else changed[0]]


def _typed_dict(hint: Any, made: dict[Any, Any]) -> Any:
    if type(hint).__module__ != "typing":
        return hint
    if hint in made:
        return made[hint]
    # One that refers to itself is left as it is: pydantic says what to do.
    made[hint] = hint
    fields = {}
    for name, of in get_type_hints(hint, include_extras=True).items():
        field = _portable(of, made)
        if get_origin(of) not in (typing_extensions.Required, typing_extensions.NotRequired):
            # `__required_keys__` sees no NotRequired in a quoted hint, only the class's totality.
            required = name in hint.__required_keys__
            wrapper = typing_extensions.Required if required else typing_extensions.NotRequired
            field = wrapper[field]
        fields[name] = field
    made[hint] = typing_extensions.TypedDict(hint.__name__, fields)  # type: ignore[operator]
    made[hint].__doc__ = hint.__doc__
    return made[hint]
