"""What an import writes: a set that comes back through `datasets`, and an exact balance."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest
from imported_files import chat, counts, write_lines

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.ingest.run import ingest
from tooldrill.data.sets.reading import SFT_COLUMNS, read_rows


def test_a_set_comes_back_from_datasets_as_it_was_written(tmp_path: Path) -> None:
    values = [
        chat("A", pitch=0.3, keys=[1, 2]),
        chat("B", notes={"a": None, "b": [1, "x", 2.5], "c": {"d": True}}),
        chat("C"),
    ]
    report = ingest([str(write_lines(tmp_path / "x.jsonl", *values))], tmp_path / "out")
    assert (report.read, report.kept, counts(report)) == (3, 3, {})
    rows = read_rows(tmp_path / "out/sft.jsonl", SFT_COLUMNS)
    assert rows == read_rows(tmp_path / "out/sft.parquet", SFT_COLUMNS)
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "out/sft.parquet"), split="train",
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    assert list(loaded) == rows
    arguments = [r["messages"][1]["tool_calls"][0]["function"]["arguments"] for r in rows]
    assert arguments == [
        {"room": "A", "pitch": 0.3, "keys": [1, 2]},
        {"room": "B", "notes": {"a": None, "b": [1, "x", 2.5], "c": {"d": True}}},
        {"room": "C"},
    ]
    assert [row["trace_id"] for row in rows] == [
        "openai-000001:x.jsonl:1", "openai-000002:x.jsonl:2", "openai-000003:x.jsonl:3",
    ]  # fmt: skip


def test_the_balance_is_exact(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "x.jsonl",
        chat("A"),
        "{not json",
        chat("A"),
        chat("B", volume=3),
        "",
        {"text": "what is this?"},
        chat("C", volume=3),
        chat("D", pitch="high"),
        '"\\ud800"',
    )
    report = ingest([str(path)], tmp_path / "out")
    assert (report.read, report.kept, dict(report.formats)) == (8, 1, {"openai": 1})
    assert counts(report) == {
        "not_json": 1,
        "duplicate": 1,
        "violation:invented_argument": 2,
        "unknown_format": 2,
        "violation:wrong_type": 1,
    }
    assert report.read == report.kept + sum(counts(report).values())
    invented = report.dropped["violation:invented_argument"]
    assert invented.examples == ["x.jsonl:4", "x.jsonl:7"]
    lines = list(report.lines())
    assert lines[0] == "8 read, 1 kept (openai 1)"
    assert "  dropped 2: violation:invented_argument (first x.jsonl:4: tune_piano)" in lines
    assert json.loads(json.dumps(report.to_dict()))["dropped"]["duplicate"]["count"] == 1


def test_without_a_row_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = ingest([str(write_lines(tmp_path / "x.jsonl", {"a": 1}))], out)
    assert report.kept == 0
    assert list(out.iterdir()) == []


def test_a_failed_import_leaves_the_old_set(tmp_path: Path) -> None:
    good, bad = write_lines(tmp_path / "x.jsonl", chat("A")), tmp_path / "x.json"
    bad.write_text("{")
    ingest([str(good)], tmp_path / "out")
    before = (tmp_path / "out/sft.jsonl").read_bytes()
    with pytest.raises(TooldrillError, match="is not JSON"):
        ingest([str(good), str(bad)], tmp_path / "out")
    assert (tmp_path / "out/sft.jsonl").read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["sft.jsonl", "sft.parquet"]
