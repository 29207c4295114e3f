"""From jsonschema-rs's errors to problems: which class, where, and what to say.

A union's errors are read as what is wrong with the alternative that was meant. What is valid at all
is not decided here: see `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from tooldrill.agent.json_schema import JsonSchema, at, object_properties
from tooldrill.agent.value_reasons import broken_rule, must_be, options_text, types_text
from tooldrill.agent.violation import ViolationClass

Path = tuple[str | int, ...]

_OPTIONS = (Kind.Enum, Kind.Constant)


class Problem(NamedTuple):
    """One thing wrong with the arguments of a call.

    Attributes:
        kind: its class; `invented_argument` for any name that the schema does not know.
        path: where, from the arguments object down; for a missing or unknown name, where it is
            or should be.
        reason: the rest of a sentence that begins with what `path` names (for a missing or
            unknown name: with what should hold it).
        known: for an unknown name, the names there are.
    """

    kind: ViolationClass
    path: Path
    reason: str
    known: tuple[str, ...] = ()


def path_text(path: Path) -> str:
    """`items[0].name`: how a message names a place."""
    first, rest = path[:1], path[1:]
    return "".join(map(str, first)) + json_path(rest).removeprefix("$")


def json_path(path: Path) -> str:
    """JSONPath (RFC 9535) of a place, `$` being the arguments object."""
    text = "$"
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[^\W\d]\w*", part):
            text += f".{part}"
        else:
            quoted = part.replace("\\", "\\\\").replace("'", "\\'")
            text += f"['{quoted}']"
    return text


class ErrorReader:
    """Reads the errors of one call.

    Args:
        schema: the whole schema of the arguments, as it was checked against.
        arguments: the call's arguments.
    """

    def __init__(self, schema: JsonSchema, arguments: dict[str, Any]) -> None:
        self._schema = schema
        self._arguments = arguments
        self._names = frozenset(object_properties(schema))

    def problems(self, errors: Iterable[ValidationError]) -> list[Problem]:
        """Everything the errors say, nothing twice."""
        errors = list(errors)
        listed = {self._path(error) for error in errors if isinstance(error.kind, _OPTIONS)}
        # To say which values there are says the type as well.
        found: dict[tuple[ViolationClass, Path], Problem] = {}
        for error in errors:
            if isinstance(error.kind, Kind.Type) and self._path(error) in listed:
                continue
            for problem in self._problems(error):
                # Alternatives repeat what the schema around them says.
                found.setdefault((problem.kind, problem.path), problem)
        return list(found.values())

    def _path(self, error: ValidationError) -> Path:
        """Where the error is: names that look like numbers are numbers in its own path."""
        path: list[str | int] = []
        value: Any = self._arguments
        for part in error.instance_path:
            path.append(str(part) if isinstance(value, dict) else part)
            value = value[path[-1]] if isinstance(value, dict | list) else None  # type: ignore[index]
        # An empty name leaves no trace in its path.
        while isinstance(value, dict) and "" in value and value != error.instance:
            path.append("")
            value = value[""]
        return tuple(path)

    def _problems(self, error: ValidationError) -> Iterator[Problem]:
        path = self._path(error)
        match error.kind:
            case Kind.AnyOf() | Kind.OneOfNotValid():
                yield from self._union(error, path)
            case Kind.Required(property=name):
                yield Problem(ViolationClass.MISSING_ARGUMENT, (*path, name), f'needs "{name}"')
            case Kind.AdditionalProperties(unexpected=names):
                for name in names:
                    yield self._unknown(error, (*path, name))
            case Kind.UnevaluatedProperties(unexpected=names):
                # What stands in a branch that failed for another reason is unevaluated too.
                for name in names:
                    if path or name not in self._names:
                        yield self._unknown(error, (*path, name))
            case _ if (wanted := self._wanted_type(error, path)) is not None:
                yield Problem(ViolationClass.WRONG_TYPE, path, must_be(wanted, error.instance))
            case kind:
                reason = broken_rule(kind, error.instance)
                yield Problem(ViolationClass.INVALID_VALUE, path, reason)

    def _unknown(self, error: ValidationError, path: Path) -> Problem:
        # The last part of the schema's path is the keyword that forbids the name.
        names = object_properties(at(self._schema, tuple(error.schema_path)[:-1]))
        if len(path) == 1 and path[0] in self._names:
            reason = "does not go with the other arguments"
            return Problem(ViolationClass.INVALID_VALUE, path, reason)
        return Problem(ViolationClass.INVENTED_ARGUMENT, path, f'has no "{path[-1]}"', tuple(names))

    def _wanted_type(self, error: ValidationError, path: Path) -> list[str] | None:
        """What the value at `path` should be, if its JSON type is wrong; None when that is not it.

        A string where only numbers are listed is a wrong type, not a wrong choice.
        """
        if self._path(error) != path:
            return None
        match error.kind:
            case Kind.Type(types=types):
                return [types_text(types)]
            case Kind.Enum(options=options) if not _same_type(error.instance, options):
                return [options_text(options)]
            case Kind.Constant(expected_value=option) if not _same_type(error.instance, [option]):
                return [options_text([option])]
            case Kind.AnyOf(context=branches) | Kind.OneOfNotValid(context=branches):
                wanted: list[str] = []
                for branch in branches:
                    found = self._branch_type(branch, path)
                    if found is None:
                        return None
                    wanted += found
                return wanted
        return None

    def _branch_type(self, branch: list[ValidationError], path: Path) -> list[str] | None:
        found = (self._wanted_type(error, path) for error in branch)
        return next((wanted for wanted in found if wanted is not None), None)

    def _union(self, error: ValidationError, path: Path) -> Iterator[Problem]:
        """A value that fits no alternative: what is wrong with the one it comes nearest to."""
        wanted = self._wanted_type(error, path)
        if wanted is not None:
            yield Problem(ViolationClass.WRONG_TYPE, path, must_be(wanted, error.instance))
            return
        assert isinstance(error.kind, Kind.AnyOf | Kind.OneOfNotValid)
        meant = [b for b in error.kind.context if self._branch_type(b, path) is None]
        shared = self._shared(meant, path)
        if shared is not None:
            yield shared
            return
        for inner in min(meant, key=_distance):
            yield from self._problems(inner)

    def _shared(self, meant: list[list[ValidationError]], path: Path) -> Problem | None:
        """What is wrong with every alternative alike: a tag none of them has, or nothing given."""
        if len(meant) < 2:
            return None
        absent = [
            [e.kind.property for e in branch if isinstance(e.kind, Kind.Required)]
            for branch in meant
            if all(self._path(e) == path for e in branch)
        ]
        if [len(names) for names in absent] == [len(branch) for branch in meant]:
            needs = " or ".join(" and ".join(f'"{name}"' for name in names) for names in absent)
            return Problem(ViolationClass.MISSING_ARGUMENT, (*path, absent[0][0]), f"needs {needs}")
        tags = [{self._path(e): e for e in b if isinstance(e.kind, _OPTIONS)} for b in meant]
        for where, first in tags[0].items():
            if all(where in tag for tag in tags):
                options = [option for tag in tags for option in _options(tag[where])]
                fits = _same_type(first.instance, options)
                kind = ViolationClass.INVALID_VALUE if fits else ViolationClass.WRONG_TYPE
                return Problem(kind, where, must_be([options_text(options)], first.instance))
        return None


def _distance(branch: list[ValidationError]) -> tuple[int, int]:
    # A tag with another value (`kind` must be "circle") says that this alternative was not meant.
    tags = sum(isinstance(error.kind, _OPTIONS) for error in branch)
    return tags, len(branch)


def _options(error: ValidationError) -> list[Any]:
    match error.kind:
        case Kind.Enum(options=options):
            return list(options)
        case Kind.Constant(expected_value=option):
            return [option]
    return []


def _same_type(value: Any, options: list[Any]) -> bool:
    return _json_type(value) in {_json_type(option) for option in options}


def _json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
    return "object"
