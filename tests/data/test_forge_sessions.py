"""Sessions of forged worlds: any call that the schema allows is answered, and errors are real."""

from __future__ import annotations

import random
import re
from typing import Any

from forged_tasks import SPLITS
from hypothesis import given, settings
from hypothesis import strategies as st
from world_calls import assert_answers_all, calls_of

from tooldrill.data.forge.world import ForgeWorld, forge_world
from tooldrill.data.tasks.task import TaskKind


@given(data=st.data())
@settings(max_examples=250)
def test_any_valid_call_gets_an_answer_and_an_error_changes_nothing(data: st.DataObject) -> None:
    world = forge_world(data.draw(st.integers(0, 400)), data.draw(st.sampled_from(SPLITS)))
    state = world.templates(TaskKind.ACT)[0].draft(random.Random(0)).state
    ids = [record["id"] for records in state.values() for record in records]
    assert_answers_all(world, state, data.draw(calls_of(world, ids)))


def first_op(action: str) -> tuple[ForgeWorld, Any, dict[str, Any]]:
    """The first world that has such an operation, and a state of it."""
    for number in range(500):
        world = forge_world(number)
        for op in world.blueprint.ops:
            if op.action == action:
                state = world.templates(TaskKind.ACT)[0].draft(random.Random(0)).state
                return world, op, state
    raise AssertionError(action)


def test_what_does_not_exist_is_refused() -> None:
    for action in ("get", "delete", "step", "tag"):
        world, op, state = first_op(action)
        identity = -1 if op.type.id_form == "int" else "nowhere"
        given_values = {"id": identity, "tag": "x"}
        observation = world.open(state).call(op.name, op.arguments(given_values))
        assert observation.error
        assert str(identity) in observation.text


def test_a_taken_label_is_refused() -> None:
    world, op, state = first_op("create")
    taken = state[op.type.key][0]
    made = {f"f:{f.key}": taken[f.key] for f in op.type.fields} | {"label": taken["label"]}
    observation = world.open(state).call(op.name, op.arguments(made))
    assert observation.error
    assert re.search("exists|taken|duplicate", observation.text)


def test_a_step_is_only_taken_from_where_it_begins() -> None:
    world, op, state = first_op("step")
    record = state[op.type.key][0]
    record["status"] = op.step.after
    session = world.open(state)
    assert session.call(op.name, op.arguments({"id": record["id"]})).error
    record["status"] = op.step.before
    session = world.open(state)
    assert not session.call(op.name, op.arguments({"id": record["id"]})).error
    assert session.snapshot()[op.type.key][str(record["id"])]["status"] == op.step.after


def test_a_value_out_of_range_is_refused_by_the_world_or_by_the_schema() -> None:
    seen = set()
    for number in range(200):
        world = forge_world(number)
        for op in world.blueprint.ops:
            if op.action != "set" or not op.field.kind.numeric:
                continue
            state = world.templates(TaskKind.ACT)[0].draft(random.Random(0)).state
            high = op.field.kind.bounds[1] + 1
            record = state[op.type.key][0]
            arguments = op.arguments({"id": record["id"], f"f:{op.field.key}": high})
            if world.registry[op.name].checker.accepts(arguments):
                assert "out of range" in world.open(state).call(op.name, arguments).text
                seen.add("world")
            else:
                seen.add("schema")
    assert seen == {"world", "schema"}


def test_what_is_in_use_is_not_deleted() -> None:
    for number in range(500):
        world = forge_world(number)
        plan = world.blueprint
        for op in plan.ops:
            users = [t for t in plan.types if t.refers_to == op.type.key]
            if op.action == "delete" and users:
                state = world.templates(TaskKind.RESTRAIN)[0].draft(random.Random(0)).state
                used = state[users[0].key][0]["ref"]
                observation = world.open(state).call(op.name, op.arguments({"id": used}))
                assert "still in use" in observation.text
                return
    raise AssertionError("no such world")
