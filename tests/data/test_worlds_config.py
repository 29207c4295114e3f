"""The `config` world: exact answers and errors, what counts as the same store, and no crash."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from world_calls import assert_answers_all, calls_of, run_all

from tooldrill.agent.call import Call
from tooldrill.data.worlds.catalog import get_world

STATE: dict[str, Any] = {
    "keys": {
        "app.size": {"type": "number", "default": 3, "low": 1, "high": 9, "unit": "entries"},
        "app.url": {"type": "text", "default": "x://a"},
        "app.on": {"type": "switch", "default": False},
        "application.size": {"type": "number", "default": 1, "low": 0, "high": 1, "unit": "days"},
    },
    "profiles": {"prod": {"app.size": 5}, "test": {"app.url": "x://t"}},
    "active": "prod",
    "locks": {"app.on": "audit"},
    "flags": {"new-x": {"percent": 1, "audience": "testers"}},
    "history": [{"profile": "prod", "before": {"app.size": None}}],
}


def call(tool: str, arguments: dict[str, Any]) -> tuple[str, Any, Any]:
    session = get_world("config").open(STATE)
    before = session.snapshot()
    return session.call(tool, arguments).text, before, session.snapshot()


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("get_setting", {"key": "app.size"}, "app.size = 5 (set in prod)"),
        ("get_setting", {"key": "app.size", "profile": "test"}, "app.size = 3 (default)"),
        (
            "get_setting",
            {"key": "app.size", "with_details": True},
            "app.size = 5 (set in prod); number; default 3; from 1 to 9; in entries",
        ),
        (
            "get_setting",
            {"key": "app.on", "with_details": True},
            "app.on = off (default); switch; default off; locked: audit",
        ),
        ("list_settings", {"prefix": "app"}, "app.on = off\napp.size = 5\napp.url = x://a"),
        ("list_settings", {"prefix": "app.", "limit": 1}, "app.on = off"),
        ("list_settings", {"changed_only": True, "profile": "test"}, "app.url = x://t"),
        (
            "compare_profiles",
            {"left": "prod", "right": "test"},
            "app.size: 5 | 3\napp.url: x://a | x://t",
        ),
        (
            "compare_profiles",
            {"left": "prod", "right": "test", "prefix": "application"},
            "no differences",
        ),
        (
            "import_lines",
            {"text": "app.size = 2\n\napp.url=x", "check_only": True},
            "2 lines are valid",
        ),
    ],
)
def test_reading(tool: str, arguments: dict[str, Any], text: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == text
    assert after == before


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("get_setting", {"key": "app"}, "no setting app"),
        ("get_setting", {"key": "app.on", "profile": "x"}, "no profile x; there are prod, test"),
        ("set_number", {"key": "app.size", "value": 10}, "app.size must be between 1 and 9"),
        ("set_number", {"key": "app.url", "value": 1}, "app.url holds a text, not a number"),
        ("set_text", {"key": "app.size", "value": "1"}, "app.size holds a number, not a text"),
        ("set_text", {"key": "app.url", "value": " "}, "a text value is one line and not empty"),
        ("set_switch", {"key": "app.on", "on": True}, "app.on is locked: audit"),
        (
            "unset_setting",
            {"key": "app.url"},
            "app.url is not set in prod; it has its default already",
        ),
        (
            "copy_settings",
            {"source": "prod", "target": "prod"},
            "`source` and `target` are the same profile",
        ),
        (
            "copy_settings",
            {"source": "prod", "target": "test", "prefix": "application"},
            "nothing to copy from prod to test",
        ),
        (
            "rename_key",
            {"key": "app.size", "new_key": "app.url"},
            "there is a setting app.url already",
        ),
        ("rename_key", {"key": "app.size", "new_key": "a b"}, "not a name for a setting: a b"),
        ("lock_key", {"key": "app.on"}, "app.on is locked: audit"),
        ("unlock_key", {"key": "app.size"}, "app.size is not locked"),
        ("undo_changes", {"steps": 2}, "`steps` must be between 1 and 1"),
        ("roll_out_flag", {"flag": "x"}, "no flag x; there are new-x"),
        ("roll_out_flag", {"flag": "new-x", "percent": 101}, "`percent` must be between 0 and 100"),
        ("import_lines", {"text": "app.size = 2\napp.url"}, "line 2 has no `=`: app.url"),
        (
            "import_lines",
            {"text": "app.url = x\napp.size = many"},
            "app.size holds a number, not a text",
        ),
        ("import_lines", {"text": "app.size = 2\napp.on = on"}, "app.on is locked: audit"),
    ],
)
def test_errors_change_nothing(tool: str, arguments: dict[str, Any], error: str) -> None:
    answer, before, after = call(tool, arguments)
    assert answer == f"ERROR: {error}"
    assert after == before


def after(*calls: tuple[str, dict[str, Any]]) -> Any:
    return run_all(get_world("config"), STATE, *calls)


SET = ("set_number", {"key": "app.size", "value": 7})


def test_undoing_brings_back_what_was_and_leaves_no_trace() -> None:
    assert after(SET) != after()
    assert after(SET, ("undo_changes", {})) == after()
    assert after(("undo_changes", {})) == after(("unset_setting", {"key": "app.size"}))
    both = ("import_lines", {"text": "app.size = 8\napp.url = y"})
    assert after(SET, both, ("undo_changes", {})) == after(SET)
    assert after(SET, both, ("undo_changes", {"steps": 2})) == after()


def test_a_change_that_changes_nothing_is_not_undone() -> None:
    same = ("set_number", {"key": "app.size", "value": 5})
    assert after(same) == after()
    assert (
        after(SET, ("set_number", {"key": "app.size", "value": 7}), ("undo_changes", {})) == after()
    )


def test_many_values_at_once_are_the_same_as_one_by_one() -> None:
    lines = ("import_lines", {"text": "app.url = y\napp.size = 7.0"})
    assert after(lines) == after(SET, ("set_text", {"key": "app.url", "value": " y "}))


def test_renaming_takes_values_along_and_can_still_be_undone() -> None:
    rename = ("rename_key", {"key": "app.size", "new_key": "app.length"})
    renamed = after(SET, rename)
    assert renamed["profiles"]["prod"] == {"app.length": 7}
    assert "app.size" not in renamed["keys"]
    assert after(SET, rename, ("undo_changes", {})) == after(rename)
    assert after(rename, ("rename_key", {"key": "app.length", "new_key": "app.size"})) == after()


def test_copying_spares_what_is_set_unless_told_otherwise() -> None:
    arguments = {"source": "prod", "target": "test"}
    url = ("set_text", {"key": "app.url", "value": "x://p"})
    spared = after(url, ("copy_settings", arguments))
    assert spared["profiles"]["test"] == {"app.size": 5, "app.url": "x://t"}
    replaced = after(url, ("copy_settings", {**arguments, "overwrite": True}))
    assert replaced["profiles"]["test"] == {"app.size": 5, "app.url": "x://p"}


def test_what_is_listed_can_be_imported_again() -> None:
    session = get_world("config").open(STATE)
    session.call("unlock_key", {"key": "app.on"})
    lines = session.call("list_settings", {"profile": "test"}).text
    assert not session.call("import_lines", {"text": lines, "profile": "prod"}).error
    everything = {"left": "prod", "right": "test"}
    assert session.call("compare_profiles", everything).text == "no differences"


KNOWN = ["app.size", "app.url", "app.on", "app.new", "prod", "test", "new-x", "app.size = 2", 5]


@settings(max_examples=60, deadline=None)
@given(calls=calls_of(get_world("config"), KNOWN))
def test_any_fitting_call_is_answered(calls: list[Call]) -> None:
    assert_answers_all(get_world("config"), STATE, calls)


def test_drawn_values_are_valid() -> None:
    """What a template sets beforehand could have been set through the tools."""
    world = get_world("config")
    for template in world.book.templates:
        for seed in range(5):
            draft = template.draft(random.Random(f"{template.name}{seed}"))
            for values in draft.state["profiles"].values():
                for key, value in values.items():
                    kind = draft.state["keys"][key]
                    assert isinstance(value, bool) is (kind["type"] == "switch")
                    if kind["type"] == "number":
                        assert kind["low"] <= value <= kind["high"]
