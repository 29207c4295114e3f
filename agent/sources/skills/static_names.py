"""The names that a statically read file may use: which imports are known, and which may be called.

Everything here is of the standard library, of pydantic, annotated-types or typing-extensions. What
a file imports from anywhere else stays unknown. Reading expressions is the work of `static_types`.
"""

from __future__ import annotations

import builtins
import collections
import dataclasses
import datetime
import decimal
import enum
import importlib
import importlib.util
import ipaddress
import pathlib
import typing
import uuid
from types import ModuleType
from typing import Annotated, Any, get_origin

import annotated_types
import pydantic
import typing_extensions
from pydantic import alias_generators


class UnknownError(Exception):
    """What an expression stands for cannot be known without running the file."""


# Modules of which every public name is known. To know a name is not to call it: see `may_call`.
_OPEN_MODULES = frozenset(
    {
        "annotated_types",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "ipaddress",
        "numbers",
        "pathlib",
        "pydantic",
        "pydantic.alias_generators",
        "pydantic.config",
        "pydantic.dataclasses",
        "pydantic.fields",
        "pydantic.functional_serializers",
        "pydantic.functional_validators",
        "pydantic.json_schema",
        "pydantic.main",
        "pydantic.networks",
        "pydantic.root_model",
        "pydantic.types",
        "typing",
        "typing_extensions",
        "uuid",
    }
)
_SINGLE_NAMES = frozenset(
    {
        "abc.ABC",
        "abc.ABCMeta",
        "datetime.timezone.utc",
        "math.e",
        "math.inf",
        "math.nan",
        "math.pi",
        "os.PathLike",
        "re.Match",
        "re.Pattern",
        "sys.maxsize",
        "types.EllipsisType",
        "types.NoneType",
        "types.SimpleNamespace",
    }
)
# pydantic refuses typing's own before Python 3.12, and the two mean the same.
_REPLACED = {"typing.TypedDict": "typing_extensions.TypedDict"}

# Without the optional package email-validator pydantic can neither check these nor describe them.
_MAIL_TYPES: dict[str, Any] = {
    "EmailStr": Annotated[str, pydantic.WithJsonSchema({"type": "string", "format": "email"})],
    "NameEmail": Annotated[
        str, pydantic.WithJsonSchema({"type": "string", "format": "name-email"})
    ],
}

# Called with literals only, these have no effect, end at once and need little memory. `bytes(n)`
# and `Fraction("1e999999999")` do not, so they are missing.
_CALLABLE: tuple[Any, ...] = (
    *(bool, dict, float, frozenset, int, list, set, str, tuple),
    *(pathlib.Path, pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
    *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, uuid.UUID, enum.auto, typing.TypeVar, dataclasses.field),
    *(collections.OrderedDict, collections.deque),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
    *(annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt),
    *(annotated_types.Interval, annotated_types.MultipleOf, annotated_types.Len),
    *(annotated_types.MinLen, annotated_types.MaxLen),
    *(pydantic.Field, pydantic.ConfigDict, pydantic.StringConstraints, pydantic.Strict),
    *(pydantic.conint, pydantic.confloat, pydantic.constr, pydantic.conlist, pydantic.conset),
    *(pydantic.confrozenset, pydantic.condecimal, pydantic.condate, pydantic.conbytes),
    *(pydantic.AliasChoices, pydantic.AliasPath, pydantic.Discriminator, pydantic.Tag),
    *(pydantic.WithJsonSchema, pydantic.UrlConstraints, pydantic.SecretStr, pydantic.SecretBytes),
    *(typing_extensions.Doc, typing_extensions.TypeVar),
)
# Known by name, used as values (`alias_generator=to_camel`) and harmless when pydantic calls them.
_FUNCTION_VALUES: tuple[Any, ...] = (
    alias_generators.to_camel,
    alias_generators.to_pascal,
    alias_generators.to_snake,
)


def known(path: str) -> Any:
    """What an import path such as `typing.Literal` stands for.

    Raises:
        UnknownError: when the path is not among the known ones.
    """
    path = _REPLACED.get(path, path)
    module, _, name = path.rpartition(".")
    if path in _SINGLE_NAMES:
        owner, _, inner = module.rpartition(".")
        holder = getattr(importlib.import_module(owner), inner) if owner else _module(module)
        return getattr(holder, name)
    if module not in _OPEN_MODULES or name.startswith("_"):
        raise UnknownError(path)
    if name in _MAIL_TYPES and importlib.util.find_spec("email_validator") is None:
        return _MAIL_TYPES[name]
    found = getattr(_module(module), name, None)
    if found is None or isinstance(found, ModuleType):
        raise UnknownError(path)
    return found


def known_builtin(name: str) -> type:
    """The built-in type of this name; functions such as `open` are not known.

    Raises:
        UnknownError: when there is none.
    """
    found = getattr(builtins, name, None)
    if not isinstance(found, type):
        raise UnknownError(name)
    return found


def may_call(value: Any) -> bool:
    """Whether it is harmless to call with literals of someone else's choosing."""
    return any(value is allowed for allowed in _CALLABLE)


def is_type(value: Any) -> bool:
    """Whether it can stand as a type hint."""
    if value in (None, dataclasses.KW_ONLY) or isinstance(value, type):
        return True
    return type(value).__module__ in ("typing", "typing_extensions") or bool(get_origin(value))


def is_plain_value(value: Any) -> bool:
    """Whether it may be passed on as an argument: no function of the known modules but a few."""
    return not callable(value) or is_type(value) or any(value is f for f in _FUNCTION_VALUES)


def _module(name: str) -> ModuleType:
    return importlib.import_module(name)
