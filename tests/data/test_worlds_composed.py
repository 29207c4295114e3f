"""Several worlds at once."""

from __future__ import annotations

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.data.worlds.composed import ComposedWorld

NAMES = world_names(Split.HELDOUT)


def test_it_has_every_tool_of_its_parts_as_they_are():
    world = get_world("+".join(NAMES))
    assert world is get_world("+".join(NAMES))
    parts = [tool for name in NAMES for tool in get_world(name).registry]
    assert [tool.to_openai() for tool in world.registry] == [tool.to_openai() for tool in parts]
    assert (world.split, len(world.tool_names)) == (Split.HELDOUT, 35)


def test_a_call_changes_the_state_of_its_own_world_alone():
    drawn = {name: make_tasks([name], 12, "c", (1, 2), recovery=0, restraint=0) for name in NAMES}
    state = {name: tasks[0].state for name, tasks in drawn.items()}
    for name, tasks in drawn.items():
        session = get_world("+".join(NAMES)).open(state)
        alone = get_world(name).open(tasks[0].state)
        before = session.snapshot()
        for call in tasks[0].calls:
            seen = session.call(call.name, call.arguments)
            assert seen == alone.call(call.name, call.arguments)
        after = session.snapshot()
        assert after == {**before, name: alone.snapshot()}
        session.close()
        alone.close()


def test_a_tool_of_no_part_is_refused():
    session = get_world("calendar+contacts").open({"calendar": {}, "contacts": {}})
    assert session.call("start_timer", {}).error
    session.close()


def test_worlds_of_different_splits_do_not_go_together():
    with pytest.raises(TooldrillError, match="different splits"):
        get_world("calendar+files")
    with pytest.raises(TooldrillError, match="share a name"):
        ComposedWorld([get_world("calendar"), get_world("calendar")])
    with pytest.raises(TooldrillError, match="no world named 'nowhere'"):
        get_world("calendar+nowhere")
