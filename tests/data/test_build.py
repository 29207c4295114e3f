"""The files of a build: same seed same bytes, JSONL equals Parquet, nothing held out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
from trl.data_utils import is_conversational

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.build import DataSummary, build
from tooldrill.data.sets.reading import PAIR_COLUMNS, SFT_COLUMNS, read_rows
from tooldrill.data.sets.writing import ParquetSet, Row, line
from tooldrill.data.settings import DataFile, DataSettings, Mixture
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names

WORLDS = list(world_names(Split.TRAIN))
ONLY_WORLDS = {"mixture": Mixture(worlds=1, forge=0), "voices": 0.0, "situations": 0.0}
SETTINGS = DataSettings(worlds=WORLDS, traces=40, pairs=40, seed=11, **ONLY_WORLDS)
NAMES = ("sft.jsonl", "sft.parquet", "dpo.jsonl", "dpo.parquet", "data_card.md")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DataSummary]:
    out = tmp_path_factory.mktemp("build") / "data"
    return out, build(SETTINGS, out)


def rounded(number: str) -> str:
    return f"{float(number):.12g}"


def load(path: Path, cache: Path) -> list[dict]:
    kind = {".parquet": "parquet", ".jsonl": "json"}[path.suffix]
    loaded = datasets.load_dataset(
        kind, data_files=str(path), split="train", cache_dir=str(cache / kind)
    )
    return list(loaded)


def test_the_folder_holds_what_the_summary_says(built: tuple[Path, DataSummary]) -> None:
    out, summary = built
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES) == list(summary.files)
    assert (summary.traces, summary.pairs, summary.dropped) == (40, 40, 0)
    assert len(read_rows(out / "sft.jsonl", SFT_COLUMNS)) == 40
    assert len(read_rows(out / "dpo.parquet", PAIR_COLUMNS)) == 40
    assert [path.name for path in out.parent.iterdir()] == ["data"]


def test_the_same_seed_gives_the_same_bytes_in_another_process(
    built: tuple[Path, DataSummary], tmp_path: Path
) -> None:
    out, _ = built
    program = (
        "import sys; from pathlib import Path; from tooldrill.data.sets.build import build;"
        "from tooldrill.data.settings import DataSettings, Mixture;"
        "build(DataSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2]))"
    )
    again = tmp_path / "again"
    subprocess.run(
        [sys.executable, "-c", program, SETTINGS.model_dump_json(), str(again)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "77"},
    )
    for name in NAMES:
        assert (again / name).read_bytes() == (out / name).read_bytes(), name


def test_another_seed_gives_other_rows(built: tuple[Path, DataSummary], tmp_path: Path) -> None:
    out, _ = built
    build(SETTINGS.model_copy(update={"seed": 12, "pairs": 0}), tmp_path / "b")
    first, second = (read_rows(folder / "sft.jsonl") for folder in (out, tmp_path / "b"))
    assert not {str(row["messages"]) for row in first} & {str(row["messages"]) for row in second}
    assert not (tmp_path / "b/dpo.jsonl").exists()


@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_parquet_rows_equal_jsonl_rows(
    name: str, built: tuple[Path, DataSummary], tmp_path: Path
) -> None:
    out, _ = built
    rows = [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
    assert read_rows(out / f"{name}.parquet") == rows
    assert read_rows(out / f"{name}.jsonl") == rows
    for kind in ("parquet", "jsonl"):
        loaded = load(out / f"{name}.{kind}", tmp_path)
        if kind == "jsonl":
            # `datasets` itself turns some decimals of JSON lines into their neighbours.
            rows, loaded = json.loads(json.dumps([rows, loaded]), parse_float=rounded)
        assert json.dumps(loaded, sort_keys=True) == json.dumps(rows, sort_keys=True), kind
        assert all(is_conversational(row) for row in loaded)


def write_parquet(rows: list[Row], path: Path) -> None:
    with ParquetSet(path) as parquet:
        for row in rows:
            parquet.add(row)


def test_arguments_keep_their_types_and_no_null_is_invented(tmp_path: Path) -> None:
    values = [
        1,
        1.0,
        "1",
        True,
        None,
        [1, "a", None],
        {},
        {"x": {"y": []}},
        0.1 + 0.2,
        2**53 + 1,
        0.3,
    ]
    values += ["\u2028 é \\ </x>", "null", "[1]", -0.0, 1e300, {"a": 0.3, "b": [0.7, "\0", 19.99]}]
    rows = [
        {"messages": [{"role": "user", "content": "5"}, {"n": index, f"k{index}": value}],
         "tools": [], "trace_id": str(index)}
        for index, value in enumerate(values)
    ]  # fmt: skip
    write_parquet(rows, tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(map(line, rows)), "utf-8")
    want = json.dumps(rows)
    assert json.dumps(read_rows(tmp_path / "a.parquet")) == want
    assert json.dumps(read_rows(tmp_path / "a.jsonl")) == want
    assert json.dumps(load(tmp_path / "a.parquet", tmp_path / "c")) == want


def test_every_price_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [{"tools": [cents / 100 for cents in range(start, start + 100)]}
            for start in range(0, 2000, 100)]  # fmt: skip
    write_parquet(rows, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet", tmp_path / "c") == rows
    assert read_rows(tmp_path / "a.parquet") == rows


def test_a_number_that_datasets_cannot_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match="Parquet"):
        write_parquet([{"messages": [{"a": 2**80}]}], tmp_path / "a.parquet")


def test_the_card_carries_the_counts(built: tuple[Path, DataSummary]) -> None:
    out, summary = built
    card = (out / "data_card.md").read_text()
    assert "40 rows, 0 duplicates" in card
    assert summary.dpo is not None
    for kind, number in summary.dpo.counts["violation"].items():
        assert f"| {kind} | {number} |" in card
    assert sum(summary.dpo.counts["violation"].values()) == 40
    recoveries = summary.sft.counts["kind"]["recover"]
    assert summary.sft.unlearned_turns >= recoveries == 8
    assert "harvest:" not in card and "| workers |" not in card


def test_the_bytes_do_not_depend_on_the_number_of_processes(
    built: tuple[Path, DataSummary], tmp_path: Path
) -> None:
    out, _ = built
    build(SETTINGS.model_copy(update={"workers": 1}), tmp_path / "one")
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (out / name).read_bytes(), name


def test_rows_too_long_are_told_from_rows_that_failed(tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match=r"longer than data\.longest \(50 ") as caught:
        build(SETTINGS.model_copy(update={"longest": 50, "pairs": 0}), tmp_path / "d")
    assert "shortest row has" in caught.value.next_step


SHARED = {"messages": [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "No."}]}


def files(folder: Path, *rows: object) -> DataSettings:
    folder.mkdir()
    (folder / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    update = {"files": [DataFile(path=folder)], "traces": 10, "pairs": 0}
    return SETTINGS.model_copy(update=update)


def test_rows_from_files_get_an_id_and_those_with_held_out_tools_are_left_out(
    tmp_path: Path,
) -> None:
    (tool, *_) = get_world(world_names(Split.HELDOUT)[0]).registry.to_openai()
    settings = files(tmp_path / "mine", {**SHARED, "tools": []}, {**SHARED, "tools": [tool]})
    summary = build(settings, tmp_path / "d")
    rows = read_rows(tmp_path / "d/sft.jsonl")
    assert [r["trace_id"] for r in rows if r["messages"] == SHARED["messages"]] == [
        "mine.sft-000001"
    ]
    assert summary.dropped == 1


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**SHARED, "tools": "x"}, "row 1: tools is no list"),
        ({**SHARED, "tools": ["x"]}, "row 1: tools cannot be read"),
        ({"messages": ["x"], "tools": []}, "row 1: messages is no list of messages"),
        ({"messages": SHARED["messages"][:1], "tools": []}, "row 1: messages does not end with"),
        ({"foo": 1}, "no set of ours"),
    ],
)
def test_a_bad_row_of_a_file_is_one_line(row: object, problem: str, tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match=problem) as caught:
        build(files(tmp_path / "mine", row), tmp_path / "d")
    assert caught.value.next_step


def test_a_failed_build_leaves_the_old_folder_alone(
    built: tuple[Path, DataSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = built
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def stop(done: int, total: int, note: str = "") -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(SETTINGS.model_copy(update={"seed": 99}), out, stop)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    settings = SETTINGS.model_copy(update={"traces": 210, "pairs": 5})
    build(settings, tmp_path / "d", lambda done, total, note="": seen.append((done, total)))
    assert seen == [(100, 210), (200, 210), (210, 210)]


@pytest.mark.parametrize("name", world_names(Split.HELDOUT))
def test_a_held_out_world_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match="held out"):
        build(SETTINGS.model_copy(update={"worlds": [*WORLDS, name]}), tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_a_world_that_does_not_exist_and_a_reversed_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match="atlantis"):
        build(SETTINGS.model_copy(update={"worlds": ["atlantis"]}), tmp_path / "d")
    with pytest.raises(TooldrillError, match="from 5 to 2"):
        build(SETTINGS.model_copy(update={"tools": (5, 2)}), tmp_path / "d")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jsonl", None, "no data file"),
        ("none.parquet", None, "no data file"),
        ("a.csv", b"x", "neither"),
        ("empty.jsonl", b"\n", "no rows"),
        ("broken.jsonl", b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        ("bytes.jsonl", b'{"a": 1}\n\xff\xfe\n', "line 2 is not JSON"),
        ("list.jsonl", b"[1]\n", "line 1 is not a JSON object"),
        ("broken.parquet", b"PAR1 nonsense", "not a Parquet file"),
        (
            "columns.jsonl",
            b'{"messages": [], "tools": []}\n{"messages": []}\n',
            "row 2 has no list",
        ),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TooldrillError, match=message) as caught:
        read_rows(path, SFT_COLUMNS)
    assert caught.value.next_step
    assert "\n" not in caught.value.message
