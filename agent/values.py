"""Are the arguments what the tool's JSON Schema says? To the leaf, sorted into violation classes.

jsonschema-rs decides what is valid; this module turns its errors into problems that a reader can
act on. Which class an unknown argument gets depends on the episode, and is the checker's to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationError

from tooldrill.agent.json_schema import JsonSchema, closed
from tooldrill.agent.value_problems import ErrorReader, Problem
from tooldrill.agent.violation import ViolationClass


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
        reader = ErrorReader(self._schema, arguments)
        found = reader.problems(errors)
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


_DURATION = re.compile(
    r"[-+]?P(?=.)(\d+(\.\d+)?[YMWD])*(T(?=.)(\d+(\.\d+)?[HMS])+)?", re.ASCII | re.IGNORECASE
)

# What the standards refuse and Python writes itself: times without an offset (RFC 3339 wants one),
# fractions and signs in durations (ISO 8601 has them only in part).
_FORMATS: dict[str, Callable[[str], bool]] = {
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "date-time": lambda text: len(text) > 10 and _is_iso(datetime.fromisoformat)(text),
    "time": _is_iso(time.fromisoformat),
}
