"""Are the arguments what the tool's JSON Schema says? To the leaf, sorted into violation classes.

jsonschema-rs decides what is valid; this module turns its errors into problems that a reader can
act on. Which class an unknown argument gets depends on the episode, and is the checker's to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any, NamedTuple

import jsonschema_rs
from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from tooldrill.agent.json_schema import JsonSchema, at, closed, object_properties
from tooldrill.agent.value_reasons import broken_rule, must_be, options_text, types_text
from tooldrill.agent.violation import ViolationClass

Path = tuple[str | int, ...]
KnownNames = Callable[[Path], tuple[str, ...]]
"""The names that the object schema at a path of the whole schema knows."""


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


class ArgumentsChecker:
    """A tool's parameter schema, compiled once.

    Args:
        schema: JSON Schema of the arguments object; arguments it does not name are refused unless
            it says `additionalProperties`. The draft is the one `$schema` names, else 2020-12.

    Raises:
        ValueError: when the schema is not valid JSON Schema, with one line of reason.
    """

    def __init__(self, schema: JsonSchema) -> None:
        self._schema = closed(schema)
        try:
            self._validator = jsonschema_rs.validator_for(
                self._schema, validate_formats=True, formats=_FORMATS, retriever=_no_retrieval
            )
        except (ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise ValueError(str(error).strip().split("\n", 1)[0]) from error

    def accepts(self, arguments: dict[str, Any]) -> bool:
        """Whether nothing at all is wrong."""
        try:
            return bool(self._validator.is_valid(arguments))
        except ValueError:
            return bool(self._validator.is_valid(_encodable(arguments)))

    def problems(self, arguments: dict[str, Any]) -> list[Problem]:
        """Everything wrong, in the order of the arguments, what is missing last."""
        errors = self._errors(arguments)
        listed = {tuple(e.instance_path) for e in errors if isinstance(e.kind, _OPTIONS)}
        found = dict.fromkeys(
            problem
            for error in errors
            # To say which values there are says the type as well.
            if not (isinstance(error.kind, Kind.Type) and tuple(error.instance_path) in listed)
            for problem in _problems(error, self._known)
        )
        mistyped = {p.path for p in found if p.kind is ViolationClass.WRONG_TYPE}
        place = {name: index for index, name in enumerate(arguments)}
        return sorted(
            # Of a value of the wrong type, nothing else is worth saying.
            (p for p in found if p.kind is ViolationClass.WRONG_TYPE or p.path not in mistyped),
            key=lambda p: (
                p.kind is ViolationClass.MISSING_ARGUMENT,
                place.get(str(p.path[0]), len(place)) if p.path else -1,
            ),
        )

    def _errors(self, arguments: dict[str, Any]) -> list[ValidationError]:
        try:
            return list(self._validator.iter_errors(arguments))
        except ValueError:
            return list(self._validator.iter_errors(_encodable(arguments)))

    def _known(self, where: Path) -> tuple[str, ...]:
        return tuple(object_properties(at(self._schema, where)))


_OPTIONS = (Kind.Enum, Kind.Constant)


def _encodable(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with lone surrogates replaced: Python keeps them, UTF-8 cannot."""
    text = json.dumps(arguments, ensure_ascii=False, default=str)
    made: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
    return made


def _no_retrieval(uri: str) -> Any:
    raise ValueError(f"{uri} is not part of the schema")


def _is_iso(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def is_iso(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return is_iso


# RFC 3339 wants an offset; Python's own values have none, and tools take them without.
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": lambda text: len(text) > 10 and _is_iso(datetime.fromisoformat)(text),
    "time": _is_iso(time.fromisoformat),
}


def path_text(path: Path) -> str:
    """`items[0].name`: how a message names a place."""
    return json_path(path).removeprefix("$").removeprefix(".")


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


def _problems(error: ValidationError, known: KnownNames) -> Iterator[Problem]:
    path: Path = tuple(error.instance_path)
    match error.kind:
        case Kind.AnyOf() | Kind.OneOfNotValid():
            yield from _union(error, path, known)
        case Kind.Required(property=name):
            yield Problem(ViolationClass.MISSING_ARGUMENT, (*path, name), f'needs "{name}"')
        case Kind.AdditionalProperties(unexpected=names):
            for name in names:
                yield _unknown(error, (*path, name), known)
        case Kind.UnevaluatedProperties(unexpected=names):
            # What stands in a branch that failed for another reason counts as unevaluated too.
            for name in names:
                if path or name not in known(()):
                    yield _unknown(error, (*path, name), known)
        case _ if (wanted := _wanted_type(error, path)) is not None:
            yield Problem(ViolationClass.WRONG_TYPE, path, must_be(wanted, error.instance))
        case kind:
            reason = broken_rule(kind, error.instance)
            yield Problem(ViolationClass.INVALID_VALUE, path, reason)


def _unknown(error: ValidationError, path: Path, known: KnownNames) -> Problem:
    # The last part of the schema's path is the keyword that forbids the name.
    names = known(tuple(error.schema_path)[:-1])
    return Problem(ViolationClass.INVENTED_ARGUMENT, path, f'has no "{path[-1]}"', names)


def _wanted_type(error: ValidationError, path: Path) -> list[str] | None:
    """What the value at `path` should be, if its JSON type is wrong; None when that is not it.

    A string where only numbers are listed is a wrong type, not a wrong choice.
    """
    if tuple(error.instance_path) != path:
        return None
    match error.kind:
        case Kind.Type(types=types):
            return [types_text(types)]
        case Kind.Enum(options=options) if not _same_type(error.instance, options):
            return [options_text(options)]
        case Kind.Constant(expected_value=option) if not _same_type(error.instance, [option]):
            return [options_text([option])]
        case Kind.AnyOf(context=branches) | Kind.OneOfNotValid(context=branches):
            wanted = [_branch_type(branch, path) for branch in branches]
            return None if None in wanted else [text for texts in wanted for text in texts or ()]
    return None


def _branch_type(branch: list[ValidationError], path: Path) -> list[str] | None:
    found = (_wanted_type(error, path) for error in branch)
    return next((wanted for wanted in found if wanted is not None), None)


def _union(error: ValidationError, path: Path, known: KnownNames) -> Iterator[Problem]:
    """A value that fits no alternative: what is wrong with the one it comes nearest to."""
    wanted = _wanted_type(error, path)
    if wanted is not None:
        yield Problem(ViolationClass.WRONG_TYPE, path, must_be(wanted, error.instance))
        return
    assert isinstance(error.kind, Kind.AnyOf | Kind.OneOfNotValid)
    meant = (branch for branch in error.kind.context if _branch_type(branch, path) is None)
    for inner in min(meant, key=_distance):
        yield from _problems(inner, known)


def _distance(branch: list[ValidationError]) -> tuple[int, int]:
    # A tag with another value (`kind` must be "circle") says that this alternative was not meant.
    tags = sum(isinstance(error.kind, Kind.Constant) for error in branch)
    return tags, len(branch)


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
