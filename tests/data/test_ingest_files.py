"""Reading the files and hub sets of others: every kind of file, and what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from imported_files import TOOL, chat, write_lines

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.ingest.reading import read_records
from tooldrill.data.ingest.run import ingest
from tooldrill.data.sets.reading import read_rows


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    values = [chat("A"), chat("B", keys=[1])]
    text = json.dumps(values)
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(text.encode()))
    lines = "".join(json.dumps(v) + "\n" for v in values)
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "d.json").write_text(lines)  # JSONL by another name
    (tmp_path / "e.jsonl").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    pq.write_table(pa.Table.from_pylist(values), tmp_path / "f.parquet")
    pq.write_table(pa.Table.from_pylist(values), tmp_path / "g")
    (tmp_path / "g.parquet.gz").write_bytes(gzip.compress((tmp_path / "g").read_bytes()))
    (tmp_path / "g").unlink()
    made = []
    for file in sorted(tmp_path.iterdir()):
        out = tmp_path / "out" / file.name
        assert ingest([str(file)], out).kept == 2, file.name
        rows = read_rows(out / "sft.jsonl")
        made.append([(row["messages"], row["tools"]) for row in rows])
    assert len(made) == 7
    assert all(one == made[0] for one in made)


def test_the_nulls_that_arrow_invents_are_not_arguments(tmp_path: Path) -> None:
    def struct(**arguments: Any) -> dict[str, Any]:
        call = {"type": "function", "function": {"name": "tune_piano", "arguments": arguments}}
        messages = [
            {"role": "user", "content": "Tune"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ]
        return {"messages": messages, "tools": json.dumps([TOOL])}

    values = [struct(room="A"), struct(room="B", pitch=1.5)]
    pq.write_table(pa.Table.from_pylist(values), tmp_path / "x.parquet")
    assert ingest([str(tmp_path / "x.parquet")], tmp_path / "out").kept == 2
    first, second = read_rows(tmp_path / "out/sft.jsonl")
    assert first["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"room": "A"}
    assert second["messages"][1]["tool_calls"][0]["function"]["arguments"] == {
        "room": "B", "pitch": 1.5,
    }  # fmt: skip


def test_several_sources_and_folders_in_one_set(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_lines(tmp_path / "in/x.jsonl", chat("A"))
    write_lines(tmp_path / "x.jsonl", chat("B"))
    (tmp_path / "in/readme.md").write_text("no data")
    told: list[tuple[int, int, str]] = []
    report = ingest(
        [str(tmp_path / "in"), str(tmp_path / "x.jsonl")], tmp_path / "out",
        progress=lambda done, total, note="": told.append((done, total, note)),
    )  # fmt: skip
    assert report.kept == 2
    ids = [row["trace_id"] for row in read_rows(tmp_path / "out/sft.jsonl")]
    assert ids == ["openai-000001:x.jsonl:1", "openai-000002:x.jsonl:1"]
    assert told == [(1, 2, "1 read, 1 kept"), (2, 2, "2 read, 2 kept")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("gone.jsonl", None, "no file at"),
        ("gone", None, "no file at"),
        ("x.json", b"{", "is not JSON"),
        ("x.csv", b"a,b", "neither .json, .jsonl nor .parquet"),
        ("x.parquet", b"PAR1", "is not a whole Parquet file"),
        ("x.jsonl.gz", gzip.compress(b"{}" * 4000)[:20], "is not a whole gzip file"),
        ("x.jsonl.gz", b"plain", "is not a whole gzip file"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TooldrillError, match=expected) as caught:
        list(read_records(str(tmp_path / name)))
    assert caught.value.next_step
    assert "\n" not in caught.value.message


def test_a_hub_name_that_cannot_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Port 9 answers nobody: the real client, and no network.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("datasets.config.HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(
        TooldrillError, match="nobody/nothing cannot be read from the hub"
    ) as caught:
        ingest(["nobody/nothing:config@train"], tmp_path / "out")
    assert "hf download nobody/nothing" in caught.value.next_step
    assert "\n" not in caught.value.message


def test_a_json_list_is_read_piece_by_piece(tmp_path: Path) -> None:
    """Elements across the borders of what is read at once, and lists that are none."""
    values = [chat(f"Room {i} " + "é" * 700) for i in range(2000)]
    path = tmp_path / "x.json"
    path.write_text("\ufeff " + json.dumps(values, ensure_ascii=False, indent=1))
    assert path.stat().st_size > 3 * 2**20
    assert [record.value for record in read_records(str(path))] == values
    path.write_text("[1e-7, 12.5 ,[]]  ")
    assert [record.value for record in read_records(str(path))] == [1e-7, 12.5, []]
    path.write_text("[]")
    assert list(read_records(str(path))) == []
    for broken in ('[{"a": 1}, {"b"', "[1, 2", "[1] 2", "["):
        path.write_text(broken)
        with pytest.raises(TooldrillError, match="is not JSON"):
            list(read_records(str(path)))
