"""Files of episodes with their tasks: read whichever program wrote them, and made into rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from played_tasks import draw, played, text_of

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.from_models.failures import own_failures
from tooldrill.data.from_models.rollouts import Rollout, read_rollouts
from tooldrill.data.ingest.run import new_set


def as_results(rollouts: list[Rollout]) -> dict[str, Any]:
    raw = [r.model_dump(mode="json", by_alias=True) for r in rollouts]
    return {
        "format": "tooldrill-results",
        "condition": {"loop": {"protocol": "react_json"}},
        "tasks": [one["task"] for one in raw],
        "episodes": [one["episode"] for one in raw],
    }


@pytest.fixture
def rollouts() -> list[Rollout]:
    return [
        played(
            task, [text_of(task.calls[0], "", "react_json", zz_no_such=1)], protocol="react_json"
        )
        for task in draw(4)
    ]


def lines(rollouts: list[Rollout]) -> str:
    return "".join(one.model_dump_json(by_alias=True) + "\n" for one in rollouts)


@pytest.mark.parametrize(
    "write",
    [
        lines,
        lambda r: '{"made_by": {}}\n' + lines(r),
        lambda r: json.dumps(as_results(r), indent=1),
        lambda r: json.dumps(as_results(r)),
    ],
)
def test_both_kinds_of_file_are_read(
    tmp_path: Path, rollouts: list[Rollout], write: Callable[[list[Rollout]], str]
) -> None:
    path = tmp_path / "r.json"
    path.write_text(write(rollouts))
    assert list(read_rollouts(path)) == rollouts


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: r.pop("tasks"), "does not carry the tasks"),
        (lambda r: r["tasks"].pop(), "does not carry the tasks"),
        (lambda r: r.pop("episodes"), "holds no episodes"),
        (lambda r: r["tasks"][0].pop("prompt"), "prompt: Field required"),
    ],
)
def test_a_file_that_lacks_something_is_one_line(
    tmp_path: Path, rollouts: list[Rollout], change: Callable[[Any], Any], expected: str
) -> None:
    results = as_results(rollouts)
    change(results)
    (tmp_path / "r.json").write_text(json.dumps(results, indent=1))
    with pytest.raises(TooldrillError, match=expected) as caught:
        list(read_rollouts(tmp_path / "r.json"))
    assert "tooldrill data teach" in caught.value.next_step
    (tmp_path / "r.json").write_text("nonsense")
    with pytest.raises(TooldrillError, match="damaged or is not JSON"):
        list(read_rollouts(tmp_path / "r.json"))


def test_rows_are_read_back_by_datasets(tmp_path: Path, rollouts: list[Rollout]) -> None:
    rows = list(own_failures(rollouts))
    assert len(rows) == 4
    with new_set(tmp_path, "dpo") as written:
        assert all(written.add(row) for row in rows)
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "dpo.parquet"), split="train",
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    assert list(loaded) == rows
