"""One episode in a forged world: a typed store, and operations carried out on it.

State is plain JSON: records by type, and the notices that were sent. Refusals are real (nothing of
that id, taken name, value out of range, forbidden step, still in use).
"""

from __future__ import annotations

from typing import Any, ClassVar

from tooldrill.agent.environment import Observation, ToolError
from tooldrill.data.forge.blueprint import Blueprint, Op, Style, Type
from tooldrill.data.forge.operations import RUN
from tooldrill.data.forge.records import NOTICES, Record, own
from tooldrill.data.forge.showing import done_text
from tooldrill.data.worlds.base import Session


class ForgeSession(Session):
    """A store in the state given; its tools are the blueprint's operations."""

    tool_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, state: dict[str, Any], plan: Blueprint, ops: dict[str, Op]) -> None:
        self._plan = plan
        self._ops = ops
        self.state: dict[str, Any] = {
            key: [own(item) if isinstance(item, dict) else item for item in items]
            for key, items in state.items()
        }

    def snapshot(self) -> dict[str, Any]:
        """Records by id and notices without their order, so that equal deeds are equal."""
        made: dict[str, Any] = {
            type_.key: {
                str(record["id"]): {**own(record), "tags": sorted(record["tags"])}
                for record in self.state[type_.key]
            }
            for type_ in self._plan.types
        }
        made[NOTICES] = sorted(self.state[NOTICES])
        return made

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        op = self._ops.get(name)
        if op is None or any(key not in op.roles for key in arguments):
            return Observation.failure(f"no such tool: {name}")
        # An option that is null or empty was not given.
        given = {
            op.roles[key].role: value
            for key, value in arguments.items()
            if not (value is None and not op.roles[key].required)
        }
        for param in op.params:
            if isinstance(param.default, bool | int | str):
                given.setdefault(param.role, param.default)
        try:
            self._check_values(op, given)
            if given.get("x:dry_run"):
                trial = ForgeSession(self.state, self._plan, self._ops)
                return Observation(f"nothing changed; would be: {RUN[op.action](trial, op, given)}")
            text = RUN[op.action](self, op, given)
        except ToolError as error:
            return Observation.failure(str(error))
        return Observation(text)

    # What operations are built from.

    @property
    def style(self) -> Style:
        return self._plan.style

    def records(self, type_: Type) -> list[Record]:
        records: list[Record] = self.state[type_.key]
        return records

    def record(self, type_: Type, identity: Any) -> Record:
        """The record of that id.

        Raises:
            ToolError: when there is none.
        """
        for record in self.records(type_):
            if record["id"] == identity:
                return record
        noun = type_.noun
        raise ToolError((
            f"no {noun} with id {identity}",
            f"{noun} {identity} not found",
            f"NOT_FOUND: {noun} {identity} does not exist",
            f"404: there is no {noun} {identity}",
        )[self.style.error])  # fmt: skip

    def _check_values(self, op: Op, given: dict[str, Any]) -> None:
        for param in op.params:
            if param.role in given and param.role != "query":
                problem = param.kind.problem(given[param.role])
                if problem:
                    raise ToolError(f"`{param.name}`: {problem}")

    def target_of(self, type_: Type) -> Type:
        """The type that `type_` refers to."""
        return self._plan.type_of(type_.refers_to)

    def types_that_refer_to(self, type_: Type) -> list[Type]:
        return [other for other in self._plan.types if other.refers_to == type_.key]

    def need_free_label(self, type_: Type, label: str) -> None:
        """Refuses a label that is taken.

        Raises:
            ToolError: naming the one that has it.
        """
        for record in self.records(type_):
            if record["label"].casefold() == label.casefold():
                raise ToolError((
                    f"{type_.noun} {label!r} already exists",
                    f"already exists: {record['id']} is called {label}",
                    f"CONFLICT: {label} is taken by {type_.noun} {record['id']}",
                    f"409: duplicate {type_.names['label']} {label!r}",
                )[self.style.error])  # fmt: skip

    def finish(self, op: Op, given: dict[str, Any], record: Record, what: str) -> str:
        """Carries out the options that many operations share, and answers."""
        self.leave(op, given, record)
        return done_text(self.style, op.type, record, what, echo=bool(given.get("x:echo")))

    def leave(self, op: Op, given: dict[str, Any], record: Record) -> None:
        for role in ("x:reason", "x:note"):
            if given.get(role):
                record["notes"].append(given[role])
        if given.get("x:tag") and given["x:tag"] not in record["tags"]:
            record["tags"].append(given["x:tag"])
        if given.get("x:notify"):
            self.state[NOTICES].append(f"{op.type.noun} {record['id']}: {op.action}")

    def go_to(self, type_: Type, record: Record, state: str) -> str:
        """Takes the record to a state of its flow; gives the one before.

        Raises:
            ToolError: when no step leads there.
        """
        before: str = record["status"]
        if state not in type_.entity.flow.next_states(before):
            after = " or ".join(type_.entity.flow.next_states(before)) or "nothing"
            raise ToolError(
                f"{type_.noun} {record['id']} is {before} and cannot become {state} (only {after})"
            )
        record["status"] = state
        return before
