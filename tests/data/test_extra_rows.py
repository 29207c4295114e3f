"""Rows made elsewhere that are mixed in: ours as they stand, anything else with the way to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ingest_rows import ASK, called, chat, row_of, seen, xlam

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.extra_rows import capacities
from tooldrill.data.settings import DataFile, DataSettings

END = {"role": "assistant", "content": "Sun."}


def capacity(path: Path) -> int:
    (found,) = capacities(DataSettings(files=[DataFile(path=path)])).values()
    return found


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_imported_rows_can_be_mixed_in(tmp_path: Path) -> None:
    row = row_of(chat(ASK, called('{"town": "Ulm"}'), seen("sun"), END))
    assert capacity(lines(tmp_path / "sft.jsonl", row)) == 1
    assert capacity(tmp_path) == 1
    pair = {"prompt": [ASK], "chosen": [END], "rejected": [END], "tools": row["tools"]}
    assert capacity(lines(tmp_path / "dpo.jsonl", pair)) == 0  # it has pairs, and no traces


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (xlam([]), "it lacks the columns messages and tools"),
        (chat(ASK, called('{"town": "Ulm"}'), seen("sun"), END), "arguments are text in it"),
    ],
)
def test_other_shapes_are_not_taken_for_empty_or_for_ours(
    tmp_path: Path, row: Any, expected: str
) -> None:
    path = lines(tmp_path / "x.jsonl", row)
    with pytest.raises(TooldrillError, match=expected) as caught:
        capacity(path)
    assert f"tooldrill data ingest {path} --out DIR" in caught.value.next_step


def test_a_data_set_on_the_hub_is_imported_first() -> None:
    with pytest.raises(TooldrillError, match="nothing lies at owner/name") as caught:
        capacity(Path("owner/name"))
    assert "tooldrill data ingest owner/name --out DIR" in caught.value.next_step
