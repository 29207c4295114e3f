"""Traces are carried out for real and solved; pairs differ in the violation alone."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.engines.base import Generation
from tooldrill.agent.episode import Message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.run import EpisodeRun, Job, past_calls
from tooldrill.agent.settings import LoopSettings
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass as V
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, FOCUS
from tooldrill.data.pairs import make_pairs
from tooldrill.data.sets.blocks import make_traces
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import judge, open_task
from tooldrill.data.tasks.task import Split, TaskKind
from tooldrill.data.traces import Fault, Trace, record
from tooldrill.data.worlds.catalog import world_names
from tooldrill.data.wrong_turns import NEEDED_REFUSALS, REFUSED_CLASSES

WORLDS = list(world_names(Split.TRAIN))
SETTINGS = DataSettings(
    worlds=WORLDS,
    traces=80,
    recovery=0.25,
    restraint=0.1,
    masking=0.3,
    voices=0.0,
    situations=0.0,
)


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return make_traces(SETTINGS, SETTINGS.worlds, SETTINGS.traces)


def assistant(messages: list[Message]) -> list[Message]:
    return [message for message in messages if message["role"] == "assistant"]


def calls_of(message: Message) -> list[Call]:
    functions = [item["function"] for item in message.get("tool_calls", [])]
    return [Call(function["name"], function["arguments"]) for function in functions]


def test_a_trace_solves_its_task_when_its_learned_calls_are_carried_out_again(
    traces: list[Trace],
) -> None:
    for trace in traces:
        with open_task(trace.task) as opened:
            for turn in trace.turns[:-1]:
                if not turn.right and not turn.done:
                    continue
                assert turn.answer is not None
                call = calls_of(turn.reply)[0]
                observation = opened.session.call(call.name, call.arguments)
                assert observation.text == turn.answer["content"]
            assert judge(trace.task, opened.session, trace.messages[-1]["content"])


def test_learned_turns_are_disciplined_and_the_last_one_concludes(traces: list[Trace]) -> None:
    for trace in traces:
        for index in trace.right_turns:
            moment = trace.moment(index)
            calls = calls_of(trace.turns[index].reply)
            assert check_calls(calls, trace.registry, moment.past) == []
        assert not trace.messages[-1].get("tool_calls")
        assert trace.messages[-1].get("weight", 1) == 1


def test_shares_are_those_of_the_settings(traces: list[Trace]) -> None:
    kinds = Counter(trace.kind for trace in traces)
    assert kinds[TaskKind.RECOVER] == 20
    # A task of restraint may be one of recovery: after a call that it forbids.
    needless = sum(t.fault is not None and t.fault.kind is V.NEEDLESS_CALL for t in traces)
    assert kinds[TaskKind.RESTRAIN] + needless == 8
    assert sum(trace.task.mask is not None for trace in traces) == 24
    assert sum(trace.fault is not None for trace in traces) == 10
    assert len({trace.id for trace in traces}) == 80


def test_only_a_recovery_has_wrong_turns_and_they_have_weight_0_and_an_answer(
    traces: list[Trace],
) -> None:
    for trace in traces:
        wrong = [m for m in assistant(trace.messages) if m.get("weight", 1) == 0]
        assert bool(wrong) == (trace.kind is TaskKind.RECOVER)
        assert len(wrong) <= (2 if trace.fault and trace.fault.kind in NEEDED_REFUSALS else 1)
        for one in wrong:
            after = trace.messages[trace.messages.index(one) + 1]
            assert after["role"] == ("tool" if one.get("tool_calls") else "user")


@pytest.mark.parametrize("kind", REFUSED_CLASSES)
def test_a_fault_is_refused_with_its_class_and_the_right_reply_follows(kind: V) -> None:
    tasks = make_tasks(WORLDS, 20, 5, (3, 6), recovery=0.0, restraint=0.0)
    made = 0
    for task in tasks:
        clean = record(task, random.Random(0))
        assert clean is not None
        for step in range(len(task.oracle) + 1):
            trace = record(task, random.Random(step), Fault(step, kind))
            if trace is None:
                continue
            made += 1
            assert trace.violation == kind
            wrong = trace.turns[step]
            assert wrong.reply["weight"] == 0
            assert [t for t in trace.turns if t.right] == list(clean.turns)
            calls = calls_of(wrong.reply)
            past = past_calls(trace.before(step), trace.registry)
            found = {v.kind for v in check_calls(calls, trace.registry, past)}
            assert found == (set() if kind is V.MALFORMED_CALL else {kind})
    # Few tools have an enum or a range.
    assert made >= (1 if kind is V.INVALID_VALUE else 10)


@pytest.mark.parametrize("kind", V)
def test_a_recovery_of_every_class_is_answered_as_the_loop_would_and_repaired(kind: V) -> None:
    restraint = 1.0 if kind is V.NEEDLESS_CALL else 0.0
    tasks = make_tasks(WORLDS, 24, 8, (3, 6), recovery=0.0, restraint=restraint)
    made = 0
    for task in tasks:
        for step in range(len(task.oracle) + 1):
            trace = record(task, random.Random(step), Fault(step, kind))
            if trace is None:
                continue
            made += 1
            row = trace.row()
            assert (row["violation"], row["kind"]) == (kind, "recover")
            wrong = [i for i, turn in enumerate(trace.turns) if not turn.right]
            # Nothing stands between the wrong reply and the turn that repairs it.
            assert wrong == list(range(step, step + len(wrong)))
            assert len(wrong) == 1 + (kind in NEEDED_REFUSALS)
            assert trace.turns[wrong[-1] + 1].right
            assert answers_of_the_loop(trace, wrong) == [
                trace.turns[i].answer["content"] for i in wrong if trace.turns[i].past
            ]
    assert made >= (1 if kind is V.INVALID_VALUE else 10)


def answers_of_the_loop(trace: Trace, wrong: list[int]) -> list[str]:
    """What the loop's own episode says when it is given the trace's replies as text."""
    protocol = get_protocol("native")
    with open_task(trace.task) as opened:
        job = Job("t", opened.messages, opened.registry, opened.session, max_steps=99)
        run = EpisodeRun(job, protocol, LoopSettings(protocol="native"))
        said = []
        for index, turn in enumerate(trace.turns[: wrong[-1] + 1]):
            if turn.past is None and not turn.reply.get("malformed"):
                continue  # it would end the episode
            step = run.take(Generation(protocol.write(turn.reply)))
            assert step is not None
            if index in wrong:
                said.append(step.observation)
        return said


def test_rare_classes_are_not_starved() -> None:
    counts: Counter[str] = Counter()
    settings = SETTINGS.model_copy(update={"recovery": 0.6, "seed": 3})
    for first in range(0, 200, 50):
        traces = make_traces(settings, WORLDS, 50, first)
        counts.update(trace.fault.kind for trace in traces if trace.fault)
    assert counts.total() == 60
    assert set(counts) == set(V)
    assert min(counts.values()) >= 3


def test_a_row_says_where_it_comes_from(traces: list[Trace]) -> None:
    row = traces[0].row()
    assert " ".join(row) == ("messages tools trace_id world split template kind violation source")
    assert row["split"] == "train"
    assert row["tools"] == traces[0].registry.to_openai()
    sources = Counter(trace.row()["source"] for trace in traces)
    assert sources == {"oracle": 70, "corruption": 10}


@pytest.fixture(scope="module", params=[1, 3])
def pairs(traces: list[Trace], request: pytest.FixtureRequest) -> list[dict]:
    return make_pairs(traces, 120, seed=3, rejected=request.param)


def test_a_right_reply_gets_several_wrong_ones_of_other_classes(traces: list[Trace]) -> None:
    rows = make_pairs(traces, 120, seed=3, rejected=3)
    by_prompt: dict[str, list[dict]] = {}
    for row in rows:
        by_prompt.setdefault(str((row["prompt"], row["chosen"], row["tools"])), []).append(row)
    for alike in by_prompt.values():
        assert len({row["violation"] for row in alike}) == len(alike)
        assert len({row["trace_id"] for row in alike}) == 1
    assert len(by_prompt) < 70
    assert sum(len(alike) > 3 for alike in by_prompt.values()) < 8


def test_pairs_are_as_many_as_asked_and_all_different(pairs: list[dict]) -> None:
    assert len(pairs) == 120
    assert len({str((pair["prompt"], pair["rejected"])) for pair in pairs}) == 120


def test_the_four_of_the_opening_weigh_more_and_the_others_are_even(pairs: list[dict]) -> None:
    counts = Counter(pair["violation"] for pair in pairs)
    assert len(counts) >= 14
    focus = [counts[kind] for kind in FOCUS]
    others = [number for kind, number in counts.items() if kind not in FOCUS]
    assert min(focus) > max(others)
    # A cycle that is not finished may leave a class one round behind.
    assert max(focus) - min(focus) <= 2
    assert max(others) - min(others) <= 1


def test_chosen_is_never_flagged_and_rejected_is_exactly_what_it_says(pairs: list[dict]) -> None:
    for pair in pairs:
        registry = Registry.from_openai(pair["tools"])
        past = past_calls(pair["prompt"], registry)
        [chosen], [rejected] = pair["chosen"], pair["rejected"]
        assert check_calls(calls_of(chosen), registry, past) == []
        assert chosen != rejected
        assert "weight" not in chosen
        assert "weight" not in rejected
        found = {v.kind for v in check_calls(calls_of(rejected), registry, past)}
        kind = V(pair["violation"])
        if kind is V.REPEATED_FAILURE:
            assert kind in found
        elif kind in EPISODE_CLASSES or kind in (V.MALFORMED_CALL, V.MULTIPLE_CALLS):
            assert found == set()
        else:
            assert found == {kind}


def test_a_sticky_pair_shows_the_refusal_it_did_not_learn_from(pairs: list[dict]) -> None:
    sticky = [pair for pair in pairs if pair["violation"] == V.STICKY_ARGUMENT]
    for pair in sticky:
        registry = Registry.from_openai(pair["tools"])
        [call] = calls_of(pair["rejected"][0])
        refused = {n for p in past_calls(pair["prompt"], registry) for n in p.rejected_arguments}
        assert refused & call.arguments.keys() - registry[call.name].parameter_names
    across = [pair for pair in sticky if pair["variant"] == "other_tool"]
    assert len(across) > len(sticky) / 2
