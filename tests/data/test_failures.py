"""Pairs out of the model's own failures: only where the oracle is known to be right."""

from __future__ import annotations

from typing import Any

import pytest
from played_tasks import draw, played, text_of

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.episode import Outcome
from tooldrill.agent.messages import call_message, calls_message, conclusion_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import past_calls
from tooldrill.agent.settings import WatchdogSettings
from tooldrill.agent.tool import Registry
from tooldrill.data.from_models.failures import own_failures, pairs_of
from tooldrill.data.from_models.rollouts import Rollout
from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.report import Report
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import open_task
from tooldrill.data.tasks.task import Split, Task, TaskKind


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
            rollout = played(task, [*rights[:at], wrong, *rights[at:], task.answer])
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
        rows += pairs_of(played(task, texts))
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
    first, second = pairs_of(played(task, [wrong, wrong]))
    assert (first["violation"], second["violation"]) == ("invented_argument", "sticky_argument")
    assert [m.get("weight", 1) for m in second["prompt"]] == [1, 0, 1]
    assert second["chosen"] == first["chosen"]


def test_malformed_replies_keep_their_text_and_protocol() -> None:
    task = longest(draw())
    for protocol, broken in (("native", '<tool_call>{"name": '), ("react_json", "I think so.")):
        rights = [text_of(call, protocol=protocol) for call in task.calls]
        (row,) = pairs_of(played(task, [rights[0], broken, *rights[1:]], protocol=protocol))
        assert row["rejected"] == [{"role": "assistant", "content": broken, "malformed": True}]
        assert row["chosen"] == [call_message(task.calls[1])]
        assert (row["violation"], row["variant"]) == ("malformed_call", protocol)


def test_a_mended_reply_is_rejected_as_it_was_written() -> None:
    task = draw()[0]
    broken = text_of(task.calls[0]).replace("}}</tool_call>", "},}</tool_call>")
    (row,) = pairs_of(
        played(task, [broken, *map(text_of, task.calls[1:]), task.answer], repair=True)
    )
    assert row["rejected"][0]["content"] == broken
    assert row["chosen"] == [call_message(task.calls[0])]


def test_several_calls_at_once_against_the_first_alone() -> None:
    task = longest(draw())
    both = get_protocol("native").write(calls_message(task.calls[:2]))
    (row,) = pairs_of(played(task, [both, *map(text_of, task.calls[1:]), task.answer]))
    assert row["violation"] == "multiple_calls"
    assert row["chosen"] == [call_message(task.calls[0])]
    assert row["rejected"] == [calls_message(task.calls[:2])]


def test_concluding_too_early_against_the_call_that_was_due() -> None:
    task = longest(draw())
    (row,) = pairs_of(played(task, [text_of(task.calls[0]), "All done."]))
    assert row["violation"] == "missing_call"
    assert row["chosen"] == [call_message(task.calls[1])]
    assert row["rejected"] == [conclusion_message("All done.")]


def test_a_needless_call_against_the_conclusion() -> None:
    task = next(t for t in draw(restraint=1.0) if t.tools)
    assert task.kind is TaskKind.RESTRAIN
    with open_task(task) as opened:
        tool = opened.registry.tools[0]
    made = {p.name: "x" for p in tool.parameters if p.required}
    (row,) = pairs_of(played(task, [text_of(Call(tool.name, made)), task.answer]))
    assert row["chosen"] == [conclusion_message(task.answer)]
    assert row["rejected"] == [call_message(Call(tool.name, made))]


def test_a_thought_is_kept_when_it_led_to_the_right_tool() -> None:
    task = draw()[0]
    rollout = played(task, [text_of(task.calls[0], "I do it.", zz_no_such=1)])
    (row,) = pairs_of(rollout)
    assert row["chosen"] == [call_message(task.calls[0], "I do it.")]
    other = next(name for name in task.tools if name != task.calls[0].name)
    (row,) = pairs_of(played(task, [text_of(Call(other, {"zz_no_such": 1}), "I do it.")]))
    assert row["chosen"] == [call_message(task.calls[0])]


def test_where_the_episode_went_another_way_there_are_no_pairs() -> None:
    (task,) = make_tasks(["files"], 1, 3, (20, 20), recovery=0.0, restraint=0.0)
    stray = text_of(Call("write_file", {"path": "zz/stray.txt", "content": "x"}))
    wrong = text_of(task.calls[0], zz_no_such=1)
    assert len(pairs_of(played(task, [wrong, stray]))) == 1
    assert reason(played(task, [stray, wrong])) == "left_oracle"


def test_the_same_outcome_by_other_words_is_the_oracles_own() -> None:
    """Arguments in another order, or a default that is spelled out, leave the way open."""
    task = longest(draw())
    turned = Call(task.calls[0].name, dict(reversed(task.calls[0].arguments.items())))
    wrong = text_of(task.calls[1], zz_no_such=1)
    (row,) = pairs_of(played(task, [text_of(turned), wrong]))
    assert row["chosen"] == [call_message(task.calls[1])]


def test_hints_of_the_watchdog_stay_in_the_prompt() -> None:
    task = draw()[0]
    wrong = text_of(task.calls[0], zz_no_such=1)
    watchdog = WatchdogSettings(enabled=True, identical_failures=2)
    rollout = played(task, [wrong, wrong, wrong, *map(text_of, task.calls)], watchdog=watchdog)
    rows = pairs_of(rollout)
    assert len(rows) == 3
    assert [m["role"] for m in rows[2]["prompt"]] == [
        "user", "assistant", "tool", "assistant", "tool", "user",
    ]  # fmt: skip


def test_episodes_that_teach_nothing_are_counted_by_reason() -> None:
    first, second, third = draw(3)
    clean = played(first, [*map(text_of, first.calls), first.answer])
    failed = clean.model_copy(
        update={"episode": clean.episode.model_copy(update={"outcome": Outcome.FAILED})}
    )
    swapped = clean.model_copy(update={"task": second})
    bad = played(third, [text_of(third.calls[0], zz_no_such=1)])
    report = Report()
    rows = list(own_failures([clean, failed, swapped, bad], report))
    assert [row["trace_id"] for row in rows] == [f"{third.id}+own@0"]
    assert (report.read, report.kept) == (4, 1)
    assert {k: v.count for k, v in report.dropped.items()} == {
        "no_violation": 1, "engine_failure": 1, "other_task": 1,
    }  # fmt: skip


def test_an_episode_of_another_state_is_not_trusted() -> None:
    task = longest(draw())
    rollout = played(task, [text_of(task.calls[0]), text_of(task.calls[1], zz_no_such=1)])
    step = rollout.episode.steps[0].model_copy(update={"observation": "something else"})
    steps = [step, *rollout.episode.steps[1:]]
    changed = rollout.episode.model_copy(update={"steps": steps})
    assert reason(rollout.model_copy(update={"episode": changed})) == "other_observation"


def test_heldout_tasks_are_refused() -> None:
    (task,) = make_tasks(["calendar"], 1, 1, (2, 4), recovery=0.0, restraint=0.0)
    rollout = played(task, [text_of(task.calls[0], zz_no_such=1)])
    relabelled = task.model_copy(update={"split": Split.TRAIN})
    good = played(draw()[0], [text_of(draw()[0].calls[0], zz_no_such=1)])
    report = Report()
    measured = [rollout, rollout.model_copy(update={"task": relabelled})]
    assert [row["world"] for row in own_failures([*measured, good], report)] == [good.task.world]
    assert (report.read, report.kept) == (3, 1)
    ((reason_, dropped),) = report.dropped.items()
    assert (reason_, dropped.count, dropped.detail) == ("heldout_world", 2, "calendar")
