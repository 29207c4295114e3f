"""Data files that a parser falls over: one line, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.from_models.rollouts import read_rollouts
from tooldrill.data.sets.reading import read_rows

DEEP = "[" * 200_000


def test_deep_json_in_a_data_set_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(DEEP + "\n")
    with pytest.raises(TooldrillError, match="line 1 is not JSON") as caught:
        read_rows(path, ("messages",))
    assert "\n" not in caught.value.message


def test_deep_json_among_rollouts_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rollouts.json"
    path.write_text(DEEP)
    with pytest.raises(TooldrillError, match="not JSON") as caught:
        list(read_rollouts(path))
    assert "\n" not in caught.value.message
