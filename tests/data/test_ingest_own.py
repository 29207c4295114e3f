"""Records of agents and of tooldrill itself: ReAct logs, episodes of the loop, sets."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from imported_files import TOOL, counts, write_lines
from played_tasks import played, text_of

from tooldrill.agent.episode import Episode
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.conversation import Given
from tooldrill.data.ingest.run import ingest
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Task
from tooldrill.data.traces import record


def episode_of(task: Task, *, wrong_first: bool = False, finish: bool = True) -> Episode:
    """The oracle's replies through the real loop."""
    texts = [text_of(call) for call in task.calls]
    if wrong_first:
        texts.insert(0, text_of(task.calls[0], zz_no_such=1))
    return played(task, [*texts, *([task.answer] if finish else [])]).episode


def tasks(world: str, count: int = 8) -> list[Task]:
    return make_tasks([world], count, 3, (2, 4), recovery=0.0, restraint=0.0)


def dumped(episode: Episode) -> dict[str, Any]:
    return json.loads(episode.model_dump_json(by_alias=True))


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
    rows = [t.row() for task in tasks("files") if (t := record(task, random.Random(1)))]
    path = write_lines(tmp_path / "sft.jsonl", *rows)
    report = ingest([str(path)], tmp_path / "out")
    assert (report.kept, counts(report)) == (len(rows), {})
    again = read_rows(tmp_path / "out/sft.jsonl")
    kept = ("messages", "tools", "world", "split", "template", "kind", "violation")
    assert [[r[k] for k in kept] for r in again] == [[r[k] for k in kept] for r in rows]
