"""Pairs out of the model's own failures: only where the oracle is known to be right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.episode import Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, calls_message, conclusion_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job, past_calls
from tooldrill.agent.settings import LoopSettings, WatchdogSettings
from tooldrill.agent.tool import Registry
from tooldrill.data.from_models.failures import own_failures, pairs_of
from tooldrill.data.from_models.rollouts import Rollout, read_rollouts
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.report import Report
from tooldrill.data.sets.writing import write_parquet
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task
from tooldrill.data.tasks.task import Split, Task, TaskKind

WORLDS = ["files", "inventory", "tickets"]


def draw(count: int = 24, recovery: float = 0.0, restraint: float = 0.0) -> list[Task]:
    return make_tasks(
        WORLDS, count, 11, (2, 5), recovery=recovery, restraint=restraint, masking=0.3
    )


def text_of(call: Call, thought: str = "", protocol: str = "native", **extra: Any) -> str:
    changed = Call(call.name, {**call.arguments, **extra})
    return get_protocol(protocol).write(call_message(changed, thought))


def run(task: Task, texts: list[str], **loop: Any) -> Rollout:
    """The replies through the real loop, in the task's world."""
    settings = LoopSettings(**loop)
    with open_task(task) as opened:
        job = Job(task.id, opened.messages, opened.registry, opened.session, len(texts), task.world)
        under_way = EpisodeRun(job, get_protocol(settings.protocol), settings)
        for text in texts:
            under_way.take(Generation(text=text))
        episode = under_way.episode
        assert episode is not None
        solved = judge(task, opened.session, episode.conclusion)
        judged = episode.model_copy(update={"success": solved})
        return Rollout(task=task, episode=judged, protocol=settings.protocol)


def reason(rollout: Rollout) -> str:
    with pytest.raises(DroppedError) as caught:
        pairs_of(rollout)
    return caught.value.reason


def longest(tasks: list[Task]) -> Task:
    return max(tasks, key=lambda task: len(task.oracle))


@pytest.mark.parametrize("recovery", [0.0, 1.0])
def test_an_invented_argument_is_paired_with_the_oracles_call(recovery: float) -> None:
    for task in draw(12, recovery=recovery):
        rights = [text_of(call) for call in task.calls]
        for at, call in enumerate(task.calls):
            wrong = text_of(call, zz_no_such=1)
            rollout = run(task, [*rights[:at], wrong, *rights[at:], task.answer])
            (row,) = pairs_of(rollout)
            assert rollout.episode.success
            assert row["chosen"] == [call_message(call)]
            bad = Call(call.name, {**call.arguments, "zz_no_such": 1})
            assert row["rejected"] == [call_message(bad)]
            assert (row["violation"], row["source"]) == ("invented_argument", "own_failure")
            assert row["prompt"] == rollout.episode.messages[: len(row["prompt"])]
            assert len(row["prompt"]) == 1 + len(task.history) + 2 * at


def test_every_row_is_what_it_says() -> None:
    rows = []
    for task in draw():
        wrong = [text_of(call, zz_no_such=1) for call in task.calls[:1]]
        texts = [*wrong, *wrong, *(text_of(c) for c in task.calls), task.answer]
        rows += pairs_of(run(task, texts))
    assert len(rows) == 48
    for row in rows:
        registry = Registry.from_openai(row["tools"])
        past = past_calls(row["prompt"], registry)

        def calls(message: dict[str, Any]) -> list[Call]:
            found = [c["function"] for c in message["tool_calls"]]
            return [Call(f["name"], f["arguments"]) for f in found]

        assert check_calls(calls(row["chosen"][0]), registry, past) == []
        kinds = [str(v.kind) for v in check_calls(calls(row["rejected"][0]), registry, past)]
        assert row["violation"] in kinds
    assert {row["violation"] for row in rows} == {"invented_argument", "sticky_argument"}


def test_the_refused_turns_before_are_context_and_not_learned() -> None:
    task = draw()[0]
    wrong = text_of(task.calls[0], zz_no_such=1)
    first, second = pairs_of(run(task, [wrong, wrong]))
    assert (first["violation"], second["violation"]) == ("invented_argument", "sticky_argument")
    assert [m.get("weight", 1) for m in second["prompt"]] == [1, 0, 1]
    assert second["chosen"] == first["chosen"]


def test_malformed_replies_keep_their_text_and_protocol() -> None:
    task = longest(draw())
    for protocol, broken in (("native", '<tool_call>{"name": '), ("react_json", "I think so.")):
        rights = [text_of(call, protocol=protocol) for call in task.calls]
        (row,) = pairs_of(run(task, [rights[0], broken, *rights[1:]], protocol=protocol))
        assert row["rejected"] == [{"role": "assistant", "content": broken, "malformed": True}]
        assert row["chosen"] == [call_message(task.calls[1])]
        assert (row["violation"], row["variant"]) == ("malformed_call", protocol)


def test_a_mended_reply_is_rejected_as_it_was_written() -> None:
    task = draw()[0]
    broken = text_of(task.calls[0]).replace("}}</tool_call>", "},}</tool_call>")
    (row,) = pairs_of(run(task, [broken, *map(text_of, task.calls[1:]), task.answer], repair=True))
    assert row["rejected"][0]["content"] == broken
    assert row["chosen"] == [call_message(task.calls[0])]


def test_several_calls_at_once_against_the_first_alone() -> None:
    task = longest(draw())
    both = get_protocol("native").write(calls_message(task.calls[:2]))
    (row,) = pairs_of(run(task, [both, *map(text_of, task.calls[1:]), task.answer]))
    assert row["violation"] == "multiple_calls"
    assert row["chosen"] == [call_message(task.calls[0])]
    assert row["rejected"] == [calls_message(task.calls[:2])]


def test_concluding_too_early_against_the_call_that_was_due() -> None:
    task = longest(draw())
    (row,) = pairs_of(run(task, [text_of(task.calls[0]), "All done."]))
    assert row["violation"] == "missing_call"
    assert row["chosen"] == [call_message(task.calls[1])]
    assert row["rejected"] == [conclusion_message("All done.")]


def test_a_needless_call_against_the_conclusion() -> None:
    task = next(t for t in draw(restraint=1.0) if t.tools)
    assert task.kind is TaskKind.RESTRAIN
    with open_task(task) as opened:
        tool = opened.registry.tools[0]
    made = {p.name: "x" for p in tool.parameters if p.required}
    (row,) = pairs_of(run(task, [text_of(Call(tool.name, made)), task.answer]))
    assert row["chosen"] == [conclusion_message(task.answer)]
    assert row["rejected"] == [call_message(Call(tool.name, made))]


def test_a_thought_is_kept_when_it_led_to_the_right_tool() -> None:
    task = draw()[0]
    rollout = run(task, [text_of(task.calls[0], "I do it.", zz_no_such=1)])
    (row,) = pairs_of(rollout)
    assert row["chosen"] == [call_message(task.calls[0], "I do it.")]
    other = next(name for name in task.tools if name != task.calls[0].name)
    (row,) = pairs_of(run(task, [text_of(Call(other, {"zz_no_such": 1}), "I do it.")]))
    assert row["chosen"] == [call_message(task.calls[0])]


def test_where_the_episode_went_another_way_there_are_no_pairs() -> None:
    (task,) = make_tasks(["files"], 1, 3, (20, 20), recovery=0.0, restraint=0.0)
    stray = text_of(Call("write_file", {"path": "zz/stray.txt", "content": "x"}))
    wrong = text_of(task.calls[0], zz_no_such=1)
    assert len(pairs_of(run(task, [wrong, stray]))) == 1
    assert reason(run(task, [stray, wrong])) == "left_oracle"


def test_the_same_outcome_by_other_words_is_the_oracles_own() -> None:
    """Arguments in another order, or a default that is spelled out, leave the way open."""
    task = longest(draw())
    turned = Call(task.calls[0].name, dict(reversed(task.calls[0].arguments.items())))
    wrong = text_of(task.calls[1], zz_no_such=1)
    (row,) = pairs_of(run(task, [text_of(turned), wrong]))
    assert row["chosen"] == [call_message(task.calls[1])]


def test_hints_of_the_watchdog_stay_in_the_prompt() -> None:
    task = draw()[0]
    wrong = text_of(task.calls[0], zz_no_such=1)
    watchdog = WatchdogSettings(enabled=True, identical_failures=2)
    rollout = run(task, [wrong, wrong, wrong, *map(text_of, task.calls)], watchdog=watchdog)
    rows = pairs_of(rollout)
    assert len(rows) == 3
    assert [m["role"] for m in rows[2]["prompt"]] == [
        "user", "assistant", "tool", "assistant", "tool", "user",
    ]  # fmt: skip


def test_episodes_that_teach_nothing_are_counted_by_reason() -> None:
    first, second, third = draw(3)
    clean = run(first, [*map(text_of, first.calls), first.answer])
    failed = clean.model_copy(
        update={"episode": clean.episode.model_copy(update={"outcome": Outcome.FAILED})}
    )
    swapped = clean.model_copy(update={"task": second})
    bad = run(third, [text_of(third.calls[0], zz_no_such=1)])
    report = Report()
    rows = list(own_failures([clean, failed, swapped, bad], report))
    assert [row["trace_id"] for row in rows] == [f"{third.id}+own@0"]
    assert (report.read, report.kept) == (4, 1)
    assert {k: v.count for k, v in report.dropped.items()} == {
        "no_violation": 1, "engine_failure": 1, "other_task": 1,
    }  # fmt: skip


def test_an_episode_of_another_state_is_not_trusted() -> None:
    task = longest(draw())
    rollout = run(task, [text_of(task.calls[0]), text_of(task.calls[1], zz_no_such=1)])
    step = rollout.episode.steps[0].model_copy(update={"observation": "something else"})
    steps = [step, *rollout.episode.steps[1:]]
    changed = rollout.episode.model_copy(update={"steps": steps})
    assert reason(rollout.model_copy(update={"episode": changed})) == "other_observation"


def test_heldout_tasks_are_refused() -> None:
    (task,) = make_tasks(["calendar"], 1, 1, (2, 4), recovery=0.0, restraint=0.0)
    rollout = run(task, [text_of(task.calls[0], zz_no_such=1)])
    relabelled = task.model_copy(update={"split": Split.TRAIN})
    good = run(draw()[0], [text_of(draw()[0].calls[0], zz_no_such=1)])
    report = Report()
    measured = [rollout, rollout.model_copy(update={"task": relabelled})]
    assert [row["world"] for row in own_failures([*measured, good], report)] == [good.task.world]
    assert (report.read, report.kept) == (3, 1)
    ((reason_, dropped),) = report.dropped.items()
    assert (reason_, dropped.count, dropped.detail) == ("heldout_world", 2, "calendar")


# Files


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
        run(task, [text_of(task.calls[0], "", "react_json", zz_no_such=1)], protocol="react_json")
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
    import datasets

    rows = list(own_failures(rollouts))
    assert len(rows) == 4
    write_parquet(rows, tmp_path / "dpo.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "dpo.parquet"), split="train",
        cache_dir=str(tmp_path / "cache"),
    )  # fmt: skip
    assert list(loaded) == rows
