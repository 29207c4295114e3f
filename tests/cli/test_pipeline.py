"""What runs again and what does not, and what a killed run leaves. The stages here are small but
write real files through the real pipeline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.meter import Meter
from tooldrill.agent.progress import Progress, silent
from tooldrill.config import RunConfig
from tooldrill.lock import locked
from tooldrill.manifest import Manifest, stamp
from tooldrill.pipeline import Run, Stage, Status, require_inputs, run_stages, status
from tooldrill.stages import STAGES as TRAINED


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.skipped_names: list[str] = []
        self.worked: list[str] = []

    def skipped(self, stage: Stage, status: Status) -> None:
        self.skipped_names.append(stage.name)

    @contextmanager
    def working(self, stage: Stage, status: Status) -> Iterator[Progress]:
        self.worked.append(stage.name)
        yield silent

    def finished(self, stage: Stage, manifest: Manifest) -> None:
        assert manifest.stage == stage.name


def copy_stage(name: str, source: str, text: str = "") -> Stage:
    """A stage that copies the file of another, with `text` in front of it."""

    def work(run: Run, out: Path, progress: Progress) -> None:
        content = (run.stage_folder(source) / "out.txt").read_text() if source else ""
        (out / "out.txt").write_text(text + str(run.config.data.traces) + content)

    return Stage(
        name=name,
        command=f"tooldrill {name}",
        config=lambda run: {"traces": run.config.data.traces} if not source else {},
        inputs=lambda run: {source: [run.stage_folder(source) / "out.txt"]} if source else {},
        work=work,
    )


STAGES = [copy_stage("first", ""), copy_stage("second", "first"), copy_stage("third", "second")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


def make_run(folder: Path, traces: int = 1) -> Run:
    config = RunConfig.model_validate(
        {"name": "a", "runs": str(folder), "data": {"traces": traces}}
    )
    return Run(config)


def go(run: Run, *, force: bool = False, stages: list[Stage] = STAGES) -> list[str]:
    """Runs the stages and names those that worked."""
    told = Told()
    run_stages(stages, run, told, force=force)
    assert [*told.worked, *told.skipped_names].sort() == [s.name for s in stages].sort()
    return told.worked


def test_nothing_runs_twice(run: Run) -> None:
    assert go(run) == ["first", "second", "third"]
    assert go(run) == []
    assert go(run, force=True) == ["first", "second", "third"]


def test_a_changed_config_reaches_what_depends_on_it(run: Run, tmp_path: Path) -> None:
    go(run)
    changed = make_run(tmp_path, traces=2)
    assert status(STAGES[0], changed).reason == "config changed (traces: 1 -> 2)"
    assert status(STAGES[1], changed, [STAGES[0]]).reason == "after first"
    assert status(STAGES[1], changed).done
    assert go(changed) == ["first", "second", "third"]


def test_the_same_result_stops_the_wave(run: Run) -> None:
    go(run)
    (run.stage_folder("first") / "manifest.json").unlink()
    assert go(run) == ["first"]


def test_a_changed_input_runs_the_stage_again(run: Run) -> None:
    outside = run.folder.parent / "input.txt"
    outside.write_text("one")
    reader = Stage(
        "reader",
        "tooldrill reader",
        lambda _run: {},
        lambda _run: {"": [outside]},
        lambda _run, out, _progress: (out / "o").write_text(outside.read_text()) and None,
    )
    assert go(run, stages=[reader]) == ["reader"]
    os.utime(outside, ns=(1, 1))
    assert go(run, stages=[reader]) == []
    outside.write_text("two")
    assert status(reader, run).reason.startswith("input changed (")
    assert go(run, stages=[reader]) == ["reader"]
    assert (run.stage_folder("reader") / "o").read_text() == "two"


def test_what_is_refused_at_the_start_leaves_the_earlier_work(run: Run, tmp_path: Path) -> None:
    go(run)

    def check(changed: Run) -> None:
        if changed.config.data.traces > 1:
            raise TooldrillError("more than one", "take one")

    wary = replace(STAGES[0], check=check)
    with pytest.raises(TooldrillError, match="more than one"):
        go(make_run(tmp_path, traces=2), stages=[wary])
    assert go(run, stages=[wary]) == []


def test_the_command_that_is_missing_is_told_with_the_overrides(run: Run) -> None:
    given = replace(run, config_path=Path("my run.yaml"), overrides=("name=a", "x=[1, 2]"))
    with pytest.raises(TooldrillError) as caught:
        require_inputs(STAGES[1], given, STAGES)
    assert caught.value.next_step == "run `tooldrill first 'my run.yaml' name=a 'x=[1, 2]'` first"


def test_a_launcher_does_not_make_an_adapter_another_one(run: Run) -> None:
    training = {"launcher": "torchrun --nproc-per-node 2"}
    spread = Run(RunConfig.model_validate({**run.config.model_dump(), "training": training}))
    for name in ("sft", "dpo", "rounds"):
        (stage,) = (stage for stage in TRAINED if stage.name == name)
        assert stage.config(spread) == stage.config(run)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "output is missing (out.txt)"),
        (lambda path: path.write_text("cut"), "output was changed (out.txt)"),
    ],
)
def test_a_damaged_output_is_made_again(run: Run, damage, reason: str) -> None:  # type: ignore[no-untyped-def]
    go(run)
    damage(run.stage_folder("first") / "out.txt")
    assert status(STAGES[0], run).reason == reason
    assert go(run) == ["first"]


def test_the_manifest_says_what_and_from_what(run: Run) -> None:
    go(run)
    record = json.loads((run.stage_folder("second") / "manifest.json").read_text())
    assert record["inputs"]["first/out.txt"] == json.loads(
        stamp(run.stage_folder("first") / "out.txt").model_dump_json()
    )
    assert list(record["outputs"]) == ["out.txt"]
    assert record["versions"]["torch"][0].isdigit()
    assert record["peak_memory"] > 10_000_000
    assert record["attempts"] == 1


class StopHereError(Exception):
    """Stands for whatever ends a run in the middle of a stage."""


def interrupted_stage(stop: list[bool]) -> Stage:
    """Writes two files; the first time it is stopped between them."""

    def work(run: Run, out: Path, progress: Progress) -> None:
        if not (out / "one").exists():
            (out / "one").write_text("1")
        if stop:
            stop.pop()
            raise StopHereError
        (out / "two").write_text((out / "one").read_text() + "2")

    return Stage(
        "slow",
        "tooldrill slow",
        lambda run: {"traces": run.config.data.traces},
        lambda _run: {},
        work,
    )


def test_a_half_written_stage_is_not_done_and_goes_on(run: Run) -> None:
    stage = interrupted_stage([True])
    with pytest.raises(StopHereError):
        run_stages([stage], run, Told())
    assert status(stage, run) == Status(False, True, "was interrupted, goes on")
    (run.stage_folder("slow") / "one").write_text("kept")
    assert go(run, stages=[stage]) == ["slow"]
    assert (run.stage_folder("slow") / "two").read_text() == "kept2"
    assert Manifest.read(run.stage_folder("slow") / "manifest.json").attempts == 2  # type: ignore[union-attr]
    assert not (run.stage_folder("slow") / "started.json").exists()


def test_half_work_of_another_config_is_thrown_away(run: Run, tmp_path: Path) -> None:
    stage = interrupted_stage([True])
    with pytest.raises(StopHereError):
        run_stages([stage], run, Told())
    (run.stage_folder("slow") / "one").write_text("stale")
    changed = make_run(tmp_path, traces=2)
    assert go(changed, stages=[stage]) == ["slow"]
    assert (run.stage_folder("slow") / "two").read_text() == "12"


def test_a_cut_off_manifest_counts_as_none(run: Run) -> None:
    go(run)
    path = run.stage_folder("first") / "manifest.json"
    path.write_text(path.read_text()[:40])
    assert not status(STAGES[0], run).done


def test_a_missing_input_names_the_command(run: Run) -> None:
    with pytest.raises(TooldrillError) as caught:
        require_inputs(STAGES[1], run, STAGES)
    assert str(run.stage_folder("first") / "out.txt") in caught.value.message
    assert caught.value.next_step == "run `tooldrill first CONFIG` first"
    go(run)
    require_inputs(STAGES[1], run, STAGES)


_HOLD = """
import sys, time
from pathlib import Path
from tooldrill.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_belongs_to_one_process_and_a_kill_frees_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TooldrillError, match=f"process {holder.pid}"), locked(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with locked(tmp_path):
            return
    pytest.fail("the lock outlived its process")


def test_the_meter_sees_memory_that_was_given_back() -> None:
    with Meter() as small:
        pass
    with Meter() as large:
        block = bytearray(200_000_000)
        block[::4096] = b"x" * len(block[::4096])
        del block
    assert large.peak_memory > small.peak_memory + 150_000_000
    with Meter() as after:
        pass
    assert after.peak_memory < large.peak_memory - 100_000_000


def test_a_measurement_inside_another_does_not_take_its_peak_away() -> None:
    with Meter() as outer:
        block = bytearray(64_000_000)
        block[::4096] = b"x" * len(block[::4096])
        del block
        with Meter() as inner:
            pass
    assert outer.peak_memory - inner.peak_memory > 32_000_000
