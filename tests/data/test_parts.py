"""Blocks: made in any order by any number of processes, kept over an interruption, mixed right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets import parts
from tooldrill.data.sets.build import build
from tooldrill.data.sets.mixing import BLOCK, plan_blocks, weights
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.settings import DataFile, DataSettings, Mixture

SETTINGS = DataSettings(traces=450, pairs=90, seed=3)
FILES = ("sft.jsonl", "dpo.jsonl", "sft.parquet", "dpo.parquet", "data_card.md")


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES if name != "data_card.md"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone") / "data"
    build(SETTINGS.model_copy(update={"workers": 1}), out)
    return out


def test_the_bytes_do_not_depend_on_the_processes(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_WORTH_A_PROCESS", 1)
    notes = set()
    settings = SETTINGS.model_copy(update={"workers": 2})
    build(settings, tmp_path / "d", lambda _done, _total, note="": notes.add(note))
    assert any("2 processes" in note for note in notes)
    assert content(tmp_path / "d") == content(alone)


PROGRAM = """
import sys
from pathlib import Path
from tooldrill.data.sets.build import build
from tooldrill.data.settings import DataSettings
settings = DataSettings.model_validate_json(sys.argv[1])
build(settings, Path(sys.argv[2]), lambda done, total, note="": print(done, flush=True))
"""


def test_a_killed_build_goes_on_and_ends_in_the_same_bytes(alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "d"
    settings = SETTINGS.model_copy(update={"workers": 1})
    command = [sys.executable, "-c", PROGRAM, settings.model_dump_json(), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["100\n", "200\n"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    seen: list[int] = []
    build(settings, out, lambda done, _total, _note="": seen.append(done))
    assert seen[0] > 200
    assert content(out) == content(alone)
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_parts_of_other_settings_are_not_used(tmp_path: Path) -> None:
    other = SETTINGS.model_copy(update={"seed": 4})
    left = tmp_path / ".d.parts"
    plans = plan_blocks(other, {})[:1]
    with pytest.raises(ZeroDivisionError), parts.parts_folder(other, plans, tmp_path / "d"):
        parts.make_parts(other, plans, left, lambda *_: 1 / 0)
    assert len(list(left.iterdir())) == 2
    with parts.parts_folder(SETTINGS, plans, tmp_path / "d") as folder:
        assert [path.name for path in folder.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("changed", ["code", "plans"])
def test_parts_made_by_other_code_or_of_other_plans_are_not_used(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = plan_blocks(SETTINGS, {})
    with (
        pytest.raises(ZeroDivisionError),
        parts.parts_folder(SETTINGS, plans, tmp_path / "d") as folder,
    ):
        parts.make_parts(SETTINGS, plans[:1], folder, lambda *_: 1 / 0)
    if changed == "code":
        monkeypatch.setattr(parts, "_code_digest", lambda: "newer")
    else:
        plans = plans[:-1]  # as when a file of `data.files` holds fewer rows now
    with parts.parts_folder(SETTINGS, plans, tmp_path / "d") as folder:
        assert [path.name for path in folder.iterdir()] == ["settings.json"]


def test_a_failure_in_a_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_WORTH_A_PROCESS", 1)
    bad = SETTINGS.model_copy(update={"worlds": ["atlantis"], "workers": 2})
    plans = plan_blocks(bad, {})
    with (
        parts.parts_folder(bad, plans, tmp_path / "d") as folder,
        pytest.raises(TooldrillError) as caught,
    ):
        parts.make_parts(bad, plans, folder, lambda *_: None)
    assert "atlantis" in caught.value.message
    assert caught.value.next_step


mixtures = st.builds(
    Mixture,
    worlds=st.floats(0.1, 10),
    forge=st.floats(0, 10),
    harvest=st.floats(0, 10),
)


@given(mixture=mixtures, traces=st.integers(1, 1000), pairs=st.integers(0, 500))
def test_every_source_has_its_share_at_every_point(
    mixture: Mixture, traces: int, pairs: int
) -> None:
    settings = DataSettings(mixture=mixture, traces=traces, pairs=pairs)
    plans = plan_blocks(settings, {})
    assert sum(plan.traces for plan in plans) == traces
    assert sum(plan.pairs for plan in plans) == pairs
    assert all(plan.traces == BLOCK for plan in plans[:-1])
    wanted = weights(settings)
    total = sum(wanted.values())
    so_far: Counter[str] = Counter()
    for plan in plans:
        assert plan.before == {s: n for s, n in so_far.items() if n}
        so_far.update(plan.counts)
        for source, weight in wanted.items():
            assert abs(so_far[source] - so_far.total() * weight / total) <= 1 + 1e-9


def test_a_source_that_runs_out_leaves_its_share_to_the_others() -> None:
    settings = DataSettings(
        traces=300, files=[DataFile(path=Path("x"), weight=1)], mixture=Mixture(worlds=1, forge=0)
    )
    counts: Counter[str] = Counter()
    for plan in plan_blocks(settings, {"file:0": 30}):
        counts.update(plan.counts)
    assert counts == {"file:0": 30, "worlds": 270}
    nothing_else = settings.model_copy(update={"mixture": Mixture(worlds=0, forge=0)})
    with pytest.raises(TooldrillError, match="hold only 30"):
        plan_blocks(nothing_else, {"file:0": 30})


def test_rows_made_elsewhere_are_mixed_in_once(alone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    rows: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "Hi."}],
         "tools": [], "trace_id": f"mine-{n}", "source": "me"}
        for n in range(20)
    ]  # fmt: skip
    (folder / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    pairs = read_rows(alone / "dpo.jsonl")[:10]
    (folder / "dpo.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    files = [DataFile(path=folder, weight=1)]
    settings = DataSettings(traces=150, pairs=20, seed=8, files=files)
    summary = build(settings, tmp_path / "d")
    made = read_rows(tmp_path / "d/sft.jsonl")
    mine = [row for row in made if row["source"] == "me"]
    assert len(mine) == 20
    assert {row["trace_id"] for row in mine} == {row["trace_id"] for row in rows}
    assert summary.dropped == 1
    assert len({tuple(row) for row in made}) == 1
    own = {json.dumps(pair["prompt"]) for pair in pairs}
    made_pairs = [json.dumps(pair["prompt"]) for pair in read_rows(tmp_path / "d/dpo.jsonl")]
    assert len([prompt for prompt in made_pairs if prompt in own]) == 10


def test_a_folder_without_a_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = DataSettings(files=[DataFile(path=tmp_path / "empty")])
    with pytest.raises(TooldrillError, match="neither"):
        build(settings, tmp_path / "d")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """A part is all that is held: the peak of four times the rows is the same but for digests."""
    program = (
        "import resource, sys; from pathlib import Path; import datasets, pyarrow.parquet\n"
        "from tooldrill.data.settings import DataSettings\n"
        "from tooldrill.data.sets.build import build\n"
        "s = DataSettings(traces=int(sys.argv[1]), pairs=0, worlds=['tickets'], workers=1)\n"
        "build(s, Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )

    def peak(traces: int) -> int:
        command = [sys.executable, "-c", program, str(traces), str(tmp_path / str(traces))]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak(2400) < peak(600) + 60


def test_nothing_waits_for_ever(tmp_path: Path) -> None:
    """Ctrl-C ends the processes too."""
    settings = DataSettings(traces=100_000, pairs=0, workers=2)
    command = [sys.executable, "-c", PROGRAM, settings.model_dump_json(), str(tmp_path / "d")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=30)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("a process of the build is still running")
