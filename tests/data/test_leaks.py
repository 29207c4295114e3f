"""Held-out things are found in rows that hold them, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.sets.blocks import make_block
from tooldrill.data.sets.leaks import RUN, find_leaks, heldout, read_forbidden, word_runs
from tooldrill.data.sets.mixing import plan_blocks
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.task import Split
from tooldrill.data.traces import record
from tooldrill.data.worlds.catalog import get_world, world_names

SETTINGS = DataSettings(
    traces=100, pairs=40, worlds=list(world_names(Split.TRAIN)), masking=0.3, seed=2
)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    (plan,) = plan_blocks(SETTINGS, {})
    made = make_block(SETTINGS, plan)
    return [*made.sft, *made.dpo]


def test_training_rows_hold_nothing_of_the_held_out_worlds(rows: list[dict[str, Any]]) -> None:
    assert list(find_leaks(rows, heldout())) == []


@pytest.mark.parametrize("name", world_names(Split.HELDOUT))
def test_held_out_tasks_are_found_out_by_its_prompt_alone(name: str) -> None:
    import random

    tasks = make_tasks([name], 60, 5, (2, 4), recovery=0.0, restraint=0.2)
    missed = []
    for task in tasks:
        trace = record(task, random.Random(0))
        assert trace is not None
        row = {**trace.row(), "tools": [], "world": "", "split": "train"}
        if {leak.kind for leak in find_leaks([row], heldout())} != {"prompt"}:
            missed.append(task.prompt)
    # But for the few whose wording has hardly a word of its own (`{number} -> {status}`).
    assert len(missed) <= 0.25 * len(tasks), missed


def test_every_held_out_tool_is_found_out_by_name_and_by_parameters() -> None:
    for name in world_names(Split.HELDOUT):
        for tool in get_world(name).registry:
            row = {"messages": [], "tools": [tool.to_openai()], "trace_id": "r"}
            kinds = {leak.kind for leak in find_leaks([row], heldout())}
            assert kinds == {"tool name", "parameter set"}
            renamed = {**tool.to_openai()["function"], "name": "zzz"}
            row["tools"] = [{"type": "function", "function": renamed}]
            assert {leak.kind for leak in find_leaks([row], heldout())} == {"parameter set"}


SENTENCE = "please tell the green man that nine words are more than eight"


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": SENTENCE, "tools": [{"name": "f", "parameters": {"properties": {"a": {}}}}]},
        {"question": [[{"role": "user", "content": SENTENCE.upper() + "!"}]],
         "function": [{"name": "f", "parameters": {"type": "dict", "properties": {"a": {}}}}]},
        {"query": SENTENCE, "tools": json.dumps([{"name": "f", "parameters": {"a": {"x": 1}}}])},
        {"messages": [{"role": "user", "content": SENTENCE}],
         "tools": [{"type": "function",
                    "function": {"name": "f", "parameters": {"properties": {"a": {}}}}}]},
        {"text": SENTENCE, "tool": {"name": "f", "input_schema": {"properties": {"a": {}}}}},
        {"system": 'Functions: {"name": "f", "parameters": {"properties": {"a": {}}}} - use them',
         "chat": SENTENCE},
    ],
)  # fmt: skip
def test_a_benchmark_of_any_shape_is_read(record: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "b.jsonl"
    file.write_text(json.dumps(record) + "\n")
    forbidden = read_forbidden(file)
    assert forbidden.tools == {"f"}
    assert forbidden.parameters == {frozenset({"a"})}
    shared = {"messages": [{"role": "user", "content": f"Well, {SENTENCE}?"}], "tools": []}
    leaks = list(find_leaks([shared], forbidden))
    assert len(leaks) == len(list(word_runs(SENTENCE))) == len(SENTENCE.split()) - RUN + 1
    short = {"messages": [{"role": "user", "content": " ".join(SENTENCE.split()[:7])}], "tools": []}
    assert not list(find_leaks([short], forbidden))


def test_a_tool_without_parameters_is_known_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps({"tools": [{"name": "ping", "description": "x"}]}))
    assert read_forbidden(tmp_path / "b.jsonl").tools == {"ping"}


def test_tools_of_held_out_forged_worlds_are_found() -> None:
    for tool in get_world("forge-h-000007").registry:
        row = {"messages": [], "tools": [tool.to_openai()], "trace_id": "r"}
        assert {leak.kind for leak in find_leaks([row], heldout())} == {
            "tool name", "parameter set",
        }  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_file_without_anything_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(text)
    with pytest.raises(TooldrillError):
        read_forbidden(tmp_path / "b.jsonl")
    with pytest.raises(TooldrillError):
        read_forbidden(tmp_path / "missing.jsonl")
