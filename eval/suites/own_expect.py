"""What a task of one's own expects of an episode, and whether an episode met it.

Decided from calls, files and words; no model gives an opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tooldrill.agent.call import Call
from tooldrill.agent.checker import BLOCKING
from tooldrill.agent.episode import Episode
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.solve import says
from tooldrill.eval.replies import carried_out, tool_calls


class ExpectedCall(BaseModel):
    """A call that must be made, and come back without an error.

    Attributes:
        arguments: for each the value, or a list of the values that are accepted (a value that is a
            list itself stands in such a list). Those not named must be left at their defaults.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)

    @field_validator("arguments")
    @classmethod
    def _something_is_accepted(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        for name, value in arguments.items():
            if value == []:
                raise ValueError(f"no value of {name!r} is accepted; an empty list is [[]]")
        return arguments


class Expect(BaseModel):
    """What must be so when the episode has ended; all of it must hold.

    Attributes:
        calls: each must have been made; calls beside them do no harm.
        ordered: in this order.
        files: path to whole text; None where no file may be.
        answer_contains: strings of the conclusion, whole words, any case.
        no_call: no tool may have been called.
    """

    model_config = ConfigDict(extra="forbid")

    calls: list[ExpectedCall] = Field(default_factory=list)
    ordered: bool = False
    files: dict[str, str | None] = Field(default_factory=dict)
    answer_contains: list[str] = Field(default_factory=list)
    no_call: bool = False

    @model_validator(mode="after")
    def _can_be_met_and_missed(self) -> Expect:
        if self.no_call and self.calls:
            raise ValueError("no_call and calls contradict each other")
        if not (self.calls or self.files or self.answer_contains or self.no_call):
            raise ValueError("expects nothing, so that anything would pass")
        return self


def accepted(value: Any) -> list[Any]:
    """The values that an expected argument may have."""
    return value if isinstance(value, list) else [value]


def met(expect: Expect, episode: Episode, workspace: Path, registry: Registry) -> bool:
    """Whether the episode, which left its files in `workspace`, is as expected."""
    if expect.no_call and any(tool_calls(step) for step in episode.steps):
        return False
    if not says(episode.conclusion or "", expect.answer_contains):
        return False
    if not all(_holds(workspace / path, text) for path, text in expect.files.items()):
        return False
    made = [
        call
        for step in episode.own_steps
        if step.observation is not None
        and not step.error
        and not any(found.kind in BLOCKING for found in step.violations)
        and (call := carried_out(step)) is not None
    ]
    match = _in_order if expect.ordered else _in_any_order
    return match(expect.calls, made, registry)


def _holds(path: Path, text: str | None) -> bool:
    if text is None:
        return not path.exists()
    return path.is_file() and path.read_bytes() == text.encode()


def _in_order(wanted: Sequence[ExpectedCall], made: Sequence[Call], registry: Registry) -> bool:
    rest = iter(made)
    return all(any(_is(one, call, registry) for call in rest) for one in wanted)


def _in_any_order(wanted: Sequence[ExpectedCall], made: Sequence[Call], registry: Registry) -> bool:
    """Whether each wanted call has a made one of its own.

    Accepted values overlap, so that the first that fits may be another's only one: augmenting
    paths find a matching where there is one (H. W. Kuhn, The Hungarian method for the assignment
    problem, 1955).
    """
    taken: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for at, call in enumerate(made):
            if at in tried or not _is(wanted[number], call, registry):
                continue
            tried.add(at)
            if at not in taken or place(taken[at], tried):
                taken[at] = number
                return True
        return False

    return all(place(number, set()) for number in range(len(wanted)))


def _is(wanted: ExpectedCall, call: Call, registry: Registry) -> bool:
    if call.name != wanted.name:
        return False
    tool = registry[call.name]
    defaults = {p.name: p.default for p in tool.parameters if p.has_default}
    given = {**defaults, **call.arguments}
    if not given.keys() <= defaults.keys() | wanted.arguments.keys():
        return False
    return all(
        any(_same(given.get(name), choice) for choice in accepted(wanted.arguments[name]))
        if name in wanted.arguments
        else _same(given[name], defaults[name])
        for name in given.keys() | wanted.arguments.keys()
    )


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are one number, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
