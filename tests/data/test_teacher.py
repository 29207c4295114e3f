"""A teacher behind a real HTTP server in its own process: what of its work is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EndpointSettings, LoopSettings
from tooldrill.data.from_models.failures import own_failures
from tooldrill.data.from_models.rewording import needed_values, reword_tasks, reworded, stands_in
from tooldrill.data.from_models.rollouts import read_rollouts
from tooldrill.data.from_models.teacher import solve_tasks, training_tasks
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.solve import open_task
from tooldrill.data.tasks.task import Task, TaskKind

SERVER = Path(__file__).with_name("scripted_model.py")
SETTINGS = DataSettings(
    worlds=["files", "inventory", "tickets"], recovery=0.2, restraint=0.2, masking=0.2
)
LOOP = LoopSettings(max_steps=12)


def script(task: Task, fault: str | None) -> dict[str, Any]:
    with open_task(task) as opened:
        bare = next((t.name for t in opened.registry), "")
        return {
            "opening": len(opened.messages),
            "calls": [{"name": c.name, "arguments": c.arguments} for c in task.calls],
            "answer": task.answer,
            "fault": fault,
            "tool": bare,
        }


class Teacher:
    """The server process and the engine that asks it."""

    def __init__(self, folder: Path, tasks: list[Task], faults: dict[str, str]) -> None:
        path = folder / "script.json"
        scripts = {t.prompt: script(t, faults.get(t.id)) for t in tasks}
        assert len(scripts) == len(tasks)
        path.write_text(json.dumps(scripts))
        self._asked = path.with_suffix(".asked")
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}/v1"
        self.engine = EndpointEngine(self.url, settings=EndpointSettings(parallel=3))

    @property
    def asked(self) -> int:
        """Requests so far."""
        return len(self._asked.read_text().splitlines()) if self._asked.is_file() else 0

    def close(self) -> None:
        self.engine.close()
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


Start = Callable[..., Teacher]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Teacher] = []

    def begin(tasks: list[Task], faults: dict[str, str] | None = None) -> Teacher:
        running.append(Teacher(tmp_path, tasks, faults or {}))
        return running[-1]

    yield begin
    for teacher in running:
        teacher.close()


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return training_tasks(SETTINGS, 20, 1)


def test_tasks_go_on_where_fewer_ended(tasks: list[Task]) -> None:
    more = training_tasks(SETTINGS, 70, 1)
    assert more[:20] == tasks
    assert len({task.id for task in more}) == 70
    other = training_tasks(SETTINGS, 20, 2)
    assert not {t.id for t in other} & {t.id for t in more}
    assert not {t.prompt for t in other} & {t.prompt for t in tasks}


def test_heldout_worlds_get_no_teacher() -> None:
    with pytest.raises(TooldrillError, match="'calendar' is held out"):
        training_tasks(DataSettings(worlds=["calendar"]), 1, 0)


def test_a_perfect_teacher_is_kept_whole(tmp_path: Path, start: Start, tasks: list[Task]) -> None:
    told: list[tuple[int, int]] = []
    taught = solve_tasks(
        tasks, start(tasks).engine, LOOP, "big", tmp_path / "out",
        progress=lambda done, total, note="": told.append((done, total)),
    )  # fmt: skip
    assert (taught.report.kept, taught.report.read, taught.failures) == (20, 20, 0)
    assert [row["trace_id"] for row in taught.rows] == [f"{task.id}+big" for task in tasks]
    for row, task in zip(taught.rows, tasks, strict=True):
        made = [m for m in row["messages"][1 + len(task.history) :] if m["role"] == "assistant"]
        names = [m["tool_calls"][0]["function"] for m in made[:-1]]
        assert names == [{"name": c.name, "arguments": c.arguments} for c in task.calls]
        assert made[-1]["content"] == task.answer
        assert all("weight" not in m for m in made)
        assert (row["source"], row["world"], row["kind"]) == ("teacher:big", task.world, task.kind)
    assert told[0] == (0, 20) and told[-1] == (20, 20)


def test_what_is_not_beyond_reproach_is_dropped_by_reason(
    tmp_path: Path, start: Start, tasks: list[Task]
) -> None:
    acting = [task for task in tasks if task.kind is TaskKind.ACT]
    resting = [task for task in tasks if task.kind is TaskKind.RESTRAIN]
    faults = {
        acting[0].id: "invent", acting[1].id: "invent", acting[2].id: "conclude",
        acting[3].id: "malformed", resting[0].id: "needless", acting[4].id: "broken",
    }  # fmt: skip
    teacher = start(tasks, faults)
    out = tmp_path / "out"
    taught = solve_tasks(tasks, teacher.engine, LOOP, "big", out)
    counts = {reason: entry.count for reason, entry in taught.report.dropped.items()}
    needless = counts.pop("violation:needless_call", 0) + counts.pop(
        "violation:missing_argument", 0
    )
    assert needless == 1
    assert counts == {
        "violation:invented_argument": 2, "unsolved": 1, "violation:malformed_call": 1,
    }  # fmt: skip
    assert (taught.report.kept, taught.failures) == (14, 1)
    kept = {row["trace_id"].removesuffix("+big") for row in taught.rows}
    assert kept == {task.id for task in tasks} - set(faults)
    # What failed stays in the log, and is what `data failures` pairs.
    rows = list(own_failures(read_rollouts(out / "episodes.jsonl")))
    assert {row["trace_id"].partition("+")[0] for row in rows} == set(faults) - {acting[4].id}


def test_a_stopped_run_goes_on(tmp_path: Path, start: Start, tasks: list[Task]) -> None:
    out, teacher = tmp_path / "out", start(tasks)
    first = solve_tasks(tasks[:8], teacher.engine, LOOP, "big", out)
    asked = teacher.asked
    log = out / "episodes.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    assert len(lines) == 9
    log.write_text("".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    again = solve_tasks(tasks[:8], teacher.engine, LOOP, "big", out)
    assert again.rows == first.rows
    lost = json.loads(lines[-1])["task"]
    assert teacher.asked - asked == len(lost["oracle"]) + 1
    before = teacher.asked
    assert solve_tasks(tasks, teacher.engine, LOOP, "big", out).rows[:8] == first.rows
    assert teacher.asked - before == sum(len(task.oracle) + 1 for task in tasks[8:])


def test_a_log_of_another_teacher_is_not_gone_on_with(
    tmp_path: Path, start: Start, tasks: list[Task]
) -> None:
    teacher = start(tasks)
    solve_tasks(tasks[:1], teacher.engine, LOOP, "big", tmp_path / "out")
    with pytest.raises(TooldrillError, match="begun by another model"):
        solve_tasks(tasks[:1], teacher.engine, LOOP, "bigger", tmp_path / "out")


def test_a_teacher_that_never_answers_is_one_line(
    tmp_path: Path, start: Start, tasks: list[Task]
) -> None:
    teacher = start(tasks, {task.id: "broken" for task in tasks})
    with pytest.raises(TooldrillError, match="no reply in any of 3 tasks: HTTP 400: Bad Request"):
        solve_tasks(tasks[:3], teacher.engine, LOOP, "big", tmp_path / "out")
    with pytest.raises(TooldrillError, match="no reply in any of 3 tasks: HTTP 400: Bad Request"):
        reword_tasks(tasks[:3], teacher.engine, "big", tmp_path / "out")


def test_rewording_keeps_the_oracles_trace_under_a_new_request(
    tmp_path: Path, start: Start, tasks: list[Task]
) -> None:
    speaking = [task for task in tasks if needed_values(task)]
    faults = {speaking[0].id: "lose", speaking[1].id: "same", speaking[2].id: "empty"}
    teacher = start(tasks, faults)
    taught = reword_tasks(tasks, teacher.engine, "big", tmp_path / "out")
    counts = {reason: entry.count for reason, entry in taught.report.dropped.items()}
    assert counts == {"value_lost": 1, "unchanged": 1, "no_request": 1}
    assert taught.report.kept == 17
    by_id = {task.id: task for task in tasks}
    for row in taught.rows:
        task = by_id[row["trace_id"].removesuffix("+reworded")]
        prompt = f"Sorry to bother, but here it goes. {task.prompt} Much obliged."
        shown = row["messages"][0]["content"]
        # Quotes around everything are the teacher's; ones inside the request are not touched.
        assert shown in (prompt, f'"{prompt}"')
        assert row["messages"][1 : 1 + len(task.history)] == task.history
        assert row["source"] == "reworded:big"
    asked = teacher.asked
    assert asked == 20
    again = reword_tasks(tasks, teacher.engine, "big", tmp_path / "out")
    assert (again.rows, teacher.asked) == (taught.rows, asked)


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("SK-12", "for SK-12.", True),
        ("SK-12", "for SK-123", False),
        ("12", "at 12.5", False),
        ("12", "at 12.", True),
        ("Eva", "eva", False),
        ("notes/a.md", "in notes/a.md, please", True),
        ("*.py", "all *.py files", True),
        ("", "anything", False),
    ],
)
def test_what_stands_in_a_text(value: str, text: str, found: bool) -> None:
    assert stands_in(value, text) is found


def test_wordings_that_give_a_tool_away_are_refused(tasks: list[Task]) -> None:
    task = next(t for t in tasks if any("_" in name for name in t.tools))
    name = next(name for name in task.tools if "_" in name)
    with pytest.raises(DroppedError, match="tool_named"):
        reworded(task, f"{task.prompt} Use {name}.")
    thought = reworded(task, f"<think>shorter?</think>\nPlease: {task.prompt}")
    assert thought.prompt == f"Please: {task.prompt}"
    with pytest.raises(DroppedError, match="no_request"):
        reworded(task, task.prompt + " please" * 2000)


def test_a_right_answer_that_was_only_guessed_is_not_kept(tmp_path: Path, start: Start) -> None:
    tasks = training_tasks(SETTINGS.model_copy(update={"recovery": 0.0, "restraint": 0.0}), 40, 3)
    faults = {task.id: "guess" for task in tasks}
    taught = solve_tasks(tasks, start(tasks, faults).engine, LOOP, "big", tmp_path / "out")
    log = list(read_rollouts(tmp_path / "out/episodes.jsonl"))
    guessed = sum(one.episode.success is True for one in log)
    assert guessed > 3  # tasks that change nothing, and ask for what stands somewhere
    counts = {reason: entry.count for reason, entry in taught.report.dropped.items()}
    assert counts == {"violation:missing_call": guessed, "unsolved": 40 - guessed}
    assert taught.rows == []


def test_a_teachers_thinking_is_not_taught(tmp_path: Path, start: Start, tasks: list[Task]) -> None:
    taught = solve_tasks(
        tasks, start(tasks, {t.id: "think" for t in tasks}).engine, LOOP, "big", tmp_path / "out"
    )
    assert len(taught.rows) == 20
    assert "<think>" not in json.dumps(taught.rows)
