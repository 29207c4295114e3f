"""A person who is asked before a call may change something, over the real file tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.confirm import ConfirmedEnvironment
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import ToolLimits

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("agreed", [True, False])
def test_only_what_may_write_is_asked_for(tmp_path: Path, agreed: bool) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(name: str, arguments: dict[str, Any]) -> bool:
        asked.append((name, arguments))
        return agreed

    with limited_environment("files", ToolLimits(workspace=tmp_path)) as (registry, inner):
        environment = ConfirmedEnvironment(inner, registry, ask)
        assert "one" in environment.call("read_file", {"path": "a.txt"}).text
        assert asked == []
        arguments = {"path": "a.txt", "content": "two\n"}
        seen = environment.call("append_file", arguments)
    assert asked == [("append_file", arguments)]
    assert seen.error is not agreed
    assert seen.text.startswith(ERROR_PREFIX) is not agreed
    assert (tmp_path / "a.txt").read_text() == ("one\ntwo\n" if agreed else "one\n")


def test_a_tool_of_which_nothing_is_known_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('def look() -> str:\n    """Look."""\n    return "seen"\n')
    source = f"python:{tmp_path / 'mine.py'}"
    with limited_environment(source, ToolLimits(workspace=tmp_path)) as (registry, inner):
        assert registry["look"].writes is None
        refused = ConfirmedEnvironment(inner, registry, lambda name, arguments: False)
        assert refused.call("look", {}).error
        allowed = ConfirmedEnvironment(inner, registry, lambda name, arguments: True)
        assert allowed.call("look", {}).text == "seen"
