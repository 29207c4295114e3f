"""Is a value what a parameter's JSON Schema says? Down to the leaf, as wrong type or invalid value.

jsonschema decides; this module only sorts its errors into the project's classes, and answers the
common scalar cases without it, because the checker runs tens of thousands of times a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator

from tooldrill.agent.violation import ViolationClass

JsonSchema = dict[str, Any]

# Keywords that describe but do not constrain.
_ANNOTATIONS = frozenset({"type", "description", "default", "title", "examples"})


def _is_integer(value: Any) -> bool:
    # JSON Schema: 1.0 is an integer, true is not.
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


_SCALARS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


class ValueProblem(NamedTuple):
    """One thing wrong with a value.

    Attributes:
        path: JSON path below the argument, empty for the argument itself, else `.a[0]`.
        reason: the end of a sentence that begins with the argument's name.
    """

    kind: ViolationClass
    path: str
    reason: str


class ValueChecker:
    """A parameter's schema, compiled once.

    Args:
        schema: the parameter's JSON Schema.
        definitions: the tool's `$defs`, for `$ref`.
    """

    def __init__(self, schema: JsonSchema, definitions: JsonSchema | None = None) -> None:
        self._scalar: Callable[[Any], bool] | None = None
        kind = schema.get("type")
        if isinstance(kind, str) and schema.keys() <= _ANNOTATIONS:
            self._scalar = _SCALARS.get(kind)
        whole = {**schema, "$defs": definitions} if definitions else schema
        self._validator: Validator = Draft202012Validator(
            whole, format_checker=Draft202012Validator.FORMAT_CHECKER
        )

    def problems(self, value: Any) -> list[ValueProblem]:
        """Everything wrong with `value`; empty when it is valid."""
        if self._scalar is not None and self._scalar(value):
            return []
        return [self._problem(error) for error in self._leaves(value)]

    def _leaves(self, value: Any) -> Iterator[ValidationError]:
        for error in self._validator.iter_errors(value):
            # For a union the branch that came nearest is what a reader can act on.
            nearest = best_match([error]) if error.context else error
            yield _union_error(error, nearest or error)

    @staticmethod
    def _problem(error: ValidationError) -> ValueProblem:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        got = _short(error.instance)
        rule: Any = error.validator_value
        match error.validator:
            case "type":
                kind = rule
                wanted = kind if isinstance(kind, str) else " or ".join(kind)
                return ValueProblem(
                    ViolationClass.WRONG_TYPE, path, f"must be {_article(wanted)}, not {got}"
                )
            case "anyOf" | "oneOf":
                options = {str(o.get("type", "")) for o in rule} - {""}
                wanted = " or ".join(sorted(options)) or "one of the allowed types"
                return ValueProblem(
                    ViolationClass.WRONG_TYPE, path, f"must be {_article(wanted)}, not {got}"
                )
            case "required":
                return ValueProblem(ViolationClass.MISSING_ARGUMENT, path, error.message)
            case "additionalProperties":
                return ValueProblem(ViolationClass.INVENTED_ARGUMENT, path, error.message)
            case "enum":
                allowed = ", ".join(_short(v) for v in rule)
                return ValueProblem(
                    ViolationClass.INVALID_VALUE, path, f"must be one of {allowed}, not {got}"
                )
            case _:
                return ValueProblem(ViolationClass.INVALID_VALUE, path, f"{error.message}")


def _union_error(union: ValidationError, nearest: ValidationError) -> ValidationError:
    """The union itself when every branch refused the type, else the branch that came nearest."""
    if union.validator not in ("anyOf", "oneOf"):
        return nearest
    by_type = all(e.validator == "type" and not e.relative_path for e in union.context or ())
    return union if by_type else nearest


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
