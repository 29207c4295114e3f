"""The classes of violation, and the record of one.

The classes and their meanings are the project's vocabulary (docs/violations.md). Finding them is
the work of `protocols` (what can be read), `checker` (what the registry allows) and of the
evaluation's grader (what the task needed).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class ViolationClass(StrEnum):
    """A breach of the tool contract, found without a model's opinion."""

    MALFORMED_CALL = "malformed_call"
    MULTIPLE_CALLS = "multiple_calls"
    UNKNOWN_TOOL = "unknown_tool"
    TERMINATOR_AS_TOOL = "terminator_as_tool"
    BORROWED_ARGUMENT = "borrowed_argument"
    STICKY_ARGUMENT = "sticky_argument"
    INVENTED_ARGUMENT = "invented_argument"
    MISSING_ARGUMENT = "missing_argument"
    WRONG_TYPE = "wrong_type"
    INVALID_VALUE = "invalid_value"
    REPEATED_FAILURE = "repeated_failure"
    NEEDLESS_CALL = "needless_call"
    MISSING_CALL = "missing_call"
    FABRICATED_SUCCESS = "fabricated_success"
    NO_CONCLUSION = "no_conclusion"


# Arguments refused because no such parameter exists: what `sticky_argument` looks back at.
UNKNOWN_ARGUMENT_CLASSES = frozenset(
    {
        ViolationClass.BORROWED_ARGUMENT,
        ViolationClass.STICKY_ARGUMENT,
        ViolationClass.INVENTED_ARGUMENT,
    }
)


class Violation(BaseModel):
    """One breach, with what an agent needs to mend it.

    Attributes:
        kind: its class (`class` in JSON).
        tool: the tool's name as the call wrote it.
        argument: the top-level argument it concerns.
        path: JSON path of the offending value, `$` being the arguments object.
        owners: for `borrowed_argument`, the tools that own the parameter.
        suggestion: the nearest valid name.
        message: one sentence that an agent can act on.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    kind: ViolationClass = Field(alias="class")
    tool: str | None = None
    argument: str | None = None
    path: str | None = None
    owners: tuple[str, ...] = ()
    suggestion: str | None = None
    message: str
