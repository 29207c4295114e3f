"""A block of the whole mixture: what is learned keeps the contract, what is rejected breaks it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, rejected_arguments
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.protocols.catalog import PROTOCOLS
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES
from tooldrill.data.sets.blocks import BlockRows, make_block, worlds_in_turn
from tooldrill.data.sets.leaks import find_leaks, heldout
from tooldrill.data.sets.mixing import FORGE, HARVEST, WORLDS, plan_blocks
from tooldrill.data.settings import DataSettings, Mixture

Row = dict[str, Any]
ALL = Mixture(worlds=1, forge=1, harvest=1)


@pytest.fixture(scope="module", params=[0, 1])
def block(request: pytest.FixtureRequest) -> BlockRows:
    settings = DataSettings(mixture=ALL, traces=200, pairs=160, seed=21, situations=0.4, voices=0.8)
    return make_block(settings, plan_blocks(settings, {})[request.param])


def source(row: Row) -> str:
    if row["source"] == "harvest":
        return HARVEST
    return FORGE if row["world"].startswith("forge") else WORLDS


def calls(message: Row) -> list[Call]:
    items = [item["function"] for item in message.get("tool_calls") or ()]
    return [Call(f["name"], f["arguments"]) for f in items]


def turns(messages: list[Row], registry: Registry) -> list[tuple[Row, list[PastCall]]]:
    """Every assistant message with the calls made before it."""
    past: list[PastCall] = []
    found = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        found.append((message, list(past)))
        answer = messages[index + 1] if index + 1 < len(messages) else {"content": ""}
        for call in calls(message)[:1]:
            error = str(answer["content"]).startswith(ERROR_PREFIX)
            names = rejected_arguments(check_calls([call], registry, past))
            past.append(PastCall(call, error, names))
    return found


def test_every_source_and_kind_is_there(block: BlockRows) -> None:
    sources = Counter(source(row) for row in block.sft)
    assert len(sources) == 3 and min(sources.values()) >= 30
    kinds = Counter(row["kind"] for row in block.sft)
    assert {"act", "recover", "restrain", "stop"} <= set(kinds)
    assert block.dropped <= 3
    assert len({row["trace_id"] for row in block.sft}) == len(block.sft)


def test_what_is_learned_keeps_the_contract(block: BlockRows) -> None:
    learned = 0
    for row in block.sft:
        registry = Registry.from_openai(row["tools"])
        for message, past in turns(row["messages"], registry):
            # Where the steps have run out, no tools are listed beside the calls made before.
            if message.get("weight", 1) == 0 or not len(registry):
                continue
            learned += 1
            assert check_calls(calls(message), registry, past) == [], row["trace_id"]
            assert len(calls(message)) <= 1
            assert "malformed" not in message
    assert learned > 150


def test_every_row_ends_with_what_is_to_be_learned(block: BlockRows) -> None:
    for row in block.sft:
        assert row["messages"][-1]["role"] == "assistant"
        assert row["messages"][-1].get("weight", 1) != 0
        assert row["messages"][0]["role"] in ("user", "system")


def test_pairs_differ_in_their_violation_alone(block: BlockRows) -> None:
    seen: Counter[str] = Counter()
    for row in block.dpo:
        registry = Registry.from_openai(row["tools"])
        history = turns([*row["prompt"], row["chosen"][0]], registry)
        chosen, past = history[-1]
        kind = ViolationClass(row["violation"])
        seen[kind] += 1
        if len(registry):
            assert check_calls(calls(chosen), registry, past) == []
        rejected = row["rejected"][0]
        found = {v.kind for v in check_calls(calls(rejected), registry, past)}
        if kind in EPISODE_CLASSES or kind == ViolationClass.MULTIPLE_CALLS:
            assert kind not in found
        elif kind == ViolationClass.MALFORMED_CALL:
            assert rejected.get("malformed")
        else:
            assert kind in found, row["trace_id"]
        for protocol in PROTOCOLS.values():
            if not rejected.get("malformed"):
                assert protocol.write(rejected) != protocol.write(chosen)
    assert len(seen) >= 14


def test_nothing_held_out_is_in_it(block: BlockRows) -> None:
    assert list(find_leaks([*block.sft, *block.dpo], heldout())) == []


def test_a_block_has_few_worlds_and_a_set_has_all_of_them_alike() -> None:
    settings = DataSettings(traces=1600, pairs=0, workers=1)
    plans = plan_blocks(settings, {})
    used: Counter[str] = Counter()
    for plan in plans:
        chosen = worlds_in_turn(settings, plan.before.get(WORLDS, 0), plan.counts[WORLDS])
        assert plan.counts[WORLDS] / len(chosen) >= settings.sharing
        used.update(chosen)
    assert used.keys() == set(settings.worlds)
    assert max(used.values()) - min(used.values()) <= 1
