"""Files in, a set and a balance out: every format from disk, and back through `datasets`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tooldrill.agent.engines.base import Generation
from tooldrill.agent.episode import Episode
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.conversation import Given
from tooldrill.data.ingest.reading import read_records
from tooldrill.data.ingest.report import Report
from tooldrill.data.ingest.run import ingest
from tooldrill.data.sets.reading import SFT_COLUMNS, read_rows
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task
from tooldrill.data.tasks.task import Task

TOOL = {
    "type": "function",
    "function": {
        "name": "tune_piano",
        "description": "Tune it.",
        "parameters": {
            "type": "object",
            "properties": {
                "room": {"type": "string"},
                "pitch": {"type": "number", "default": 440.3},
                "keys": {"type": "array", "items": {"type": "integer"}},
                "notes": {"type": "object", "additionalProperties": True},
            },
            "required": ["room"],
        },
    },
}


def chat(room: str, **more: Any) -> dict[str, Any]:
    function = {"name": "tune_piano", "arguments": json.dumps({"room": room, **more})}
    messages = [
        {"role": "user", "content": f"Tune the one in {room}"},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": function}]},
        {"role": "tool", "tool_call_id": "1", "content": "tuned"},
        {"role": "assistant", "content": "Tuned."},
    ]
    return {"messages": messages, "tools": [TOOL]}


def write_lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{v if isinstance(v, str) else json.dumps(v)}\n" for v in values))
    return path


def counts(report: Report) -> dict[str, int]:
    return {reason: entry.count for reason, entry in report.dropped.items()}


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


def test_a_failed_import_leaves_the_old_set(tmp_path: Path) -> None:
    good, bad = write_lines(tmp_path / "x.jsonl", chat("A")), tmp_path / "x.json"
    bad.write_text("{")
    ingest([str(good)], tmp_path / "out")
    before = (tmp_path / "out/sft.jsonl").read_bytes()
    with pytest.raises(TooldrillError, match="is not JSON"):
        ingest([str(good), str(bad)], tmp_path / "out")
    assert (tmp_path / "out/sft.jsonl").read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["sft.jsonl", "sft.parquet"]


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


def test_a_react_log_takes_the_prompt_from_the_file_beside_it(tmp_path: Path) -> None:
    log = [
        {"step": 1, "thought": "", "action": "tune_piano", "args": {"room": "A"},
         "observation": "tuned"},
        {"step": 2, "conclusion": "Tuned."},
    ]  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(log))
    given = Given(registry=Registry([Tool.from_openai(TOOL)]))
    report = ingest([str(tmp_path / "run.json")], tmp_path / "out", given)
    assert counts(report) == {"no_prompt": 1}
    (tmp_path / "run.prompt.txt").write_text("Tune A, please.\n")
    assert ingest([str(tmp_path / "run.json")], tmp_path / "out", given).kept == 1
    (row,) = read_rows(tmp_path / "out/sft.jsonl")
    assert row["messages"][0] == {"role": "user", "content": "Tune A, please."}
    assert row["source"] == "react"


# Episodes of our own loop


def episode_of(task: Task, *, wrong_first: bool = False, finish: bool = True) -> Episode:
    """The oracle's replies through the real loop, in the task's world."""
    settings = LoopSettings()
    with open_task(task) as opened:
        most = 9 if finish else len(task.calls)
        job = Job(task.id, opened.messages, opened.registry, opened.session, most, task.world)
        run = EpisodeRun(job, get_protocol("native"), settings)
        calls = [call_message(call) for call in task.calls]
        texts = [get_protocol("native").write(message) for message in calls]
        if wrong_first:
            wrong = json.loads(json.dumps(calls[0]))
            wrong["tool_calls"][0]["function"]["arguments"]["zz_no_such"] = 1
            texts.insert(0, get_protocol("native").write(wrong))
        for text in [*texts, *([task.answer] if finish else [])]:
            run.take(Generation(text=text))
        episode = run.episode
        assert episode is not None
        solved = judge(task, opened.session, episode.conclusion)
        return episode.model_copy(update={"success": solved})


def tasks(world: str, count: int = 8) -> list[Task]:
    return make_tasks([world], count, 3, (2, 4), recovery=0.0, restraint=0.0)


def dumped(episode: Episode) -> dict[str, Any]:
    return json.loads(episode.model_dump_json(by_alias=True))


def test_episodes_one_by_one_and_as_a_results_file(tmp_path: Path) -> None:
    made = tasks("tickets")
    episodes = [episode_of(made[0]), episode_of(made[1], wrong_first=True),
                episode_of(made[2], finish=False)]  # fmt: skip
    failed = episodes[0].model_copy(update={"success": False})
    heldout = episode_of(tasks("calendar")[0])
    results = {"format": "tooldrill-results",
               "episodes": [dumped(e) for e in [*episodes, failed, heldout]]}  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps(results))
    report = ingest([str(tmp_path / "r.json")], tmp_path / "out")
    assert (report.read, report.kept) == (5, 2)
    assert counts(report) == {"no_conclusion": 1, "unsolved": 1, "heldout_world": 1}
    clean, repaired = read_rows(tmp_path / "out/sft.jsonl")
    assert clean["messages"] == episodes[0].messages
    assert (clean["world"], clean["source"], clean["kind"]) == ("tickets", "episodes", "act")
    assert (repaired["kind"], repaired["violation"]) == ("recover", "invented_argument")
    learned = [m.get("weight", 1) for m in repaired["messages"] if m["role"] == "assistant"]
    assert learned == [0] + [1] * (len(learned) - 1)
    one = tmp_path / "one.json"
    one.write_text(episodes[0].model_dump_json(by_alias=True, indent=1))
    assert ingest([str(one)], tmp_path / "single").kept == 1


def test_own_sets_pass_through_unchanged(tmp_path: Path) -> None:
    import random

    from tooldrill.data.traces import record

    rows = [t.row() for task in tasks("files") if (t := record(task, random.Random(1)))]
    path = write_lines(tmp_path / "sft.jsonl", *rows)
    report = ingest([str(path)], tmp_path / "out")
    assert (report.kept, counts(report)) == (len(rows), {})
    again = read_rows(tmp_path / "out/sft.jsonl")
    kept = ("messages", "tools", "world", "split", "template", "kind", "violation")
    assert [[r[k] for k in kept] for r in again] == [[r[k] for k in kept] for r in rows]


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
