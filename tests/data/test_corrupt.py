"""Every operator breaks its own rule and no other, over many seeds and moments."""

from __future__ import annotations

import random

import pytest
from corrupt_moments import CALLS, PASTS, REGISTRY
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, check_reply
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.violation import ViolationClass as V
from tooldrill.data.corrupt.arguments import similarity
from tooldrill.data.corrupt.catalog import EPISODE_CLASSES, OPERATORS, corrupt, is_faithful
from tooldrill.data.corrupt.damage import for_protocol
from tooldrill.data.corrupt.moment import Corruption, Moment

MINIMAL = [
    V.BORROWED_ARGUMENT,
    V.STICKY_ARGUMENT,
    V.INVENTED_ARGUMENT,
    V.MISSING_ARGUMENT,
    V.WRONG_TYPE,
    V.INVALID_VALUE,
]

moments = st.builds(
    lambda call, past, needs: Moment(
        REGISTRY,
        call,
        "There are 3 notes.",
        past,
        needs_calls=needs or call is not None,
        absent_tools=("list_dir", "glob_match"),
    ),
    st.sampled_from([*CALLS, None]),
    st.sampled_from(PASTS),
    st.booleans(),
)
seeds = st.integers(0, 10**9)


def calls_of(corruption: Corruption) -> list[Call]:
    items = [item["function"] for item in corruption.message.get("tool_calls", [])]
    return [Call(item["name"], item["arguments"]) for item in items]


def test_there_is_one_operator_for_each_class() -> None:
    assert set(OPERATORS) == set(V)
    assert all(operator.kind is kind for kind, operator in OPERATORS.items())


@pytest.mark.parametrize("name", list(PROTOCOLS))
@given(moment=moments)
def test_the_right_reply_is_never_flagged(name: str, moment: Moment) -> None:
    protocol = get_protocol(name)
    reply = protocol.parse(protocol.write(moment.right))
    assert check_reply(reply, REGISTRY, moment.past) == []
    assert list(reply.calls) == ([] if moment.call is None else [moment.call])


@pytest.mark.parametrize("kind", MINIMAL)
@given(moment=moments, seed=seeds)
@settings(max_examples=300)
def test_an_argument_operator_breaks_only_its_rule_in_one_argument(
    kind: V, moment: Moment, seed: int
) -> None:
    corruption = OPERATORS[kind].apply(moment, random.Random(seed))
    if corruption is None:
        return
    assert moment.call is not None
    [call] = calls_of(corruption)
    found = check_calls([call], REGISTRY, moment.past)
    assert {violation.kind for violation in found} == {kind}
    assert call.name == moment.call.name
    names = call.arguments.keys() | moment.call.arguments.keys()
    missing = object()
    differing = [
        name
        for name in names
        if (call.arguments.get(name, missing), type(call.arguments.get(name, missing)))
        != (moment.call.arguments.get(name, missing),
            type(moment.call.arguments.get(name, missing)))
    ]  # fmt: skip
    assert len(differing) == 1


@pytest.mark.parametrize("kind", [V.UNKNOWN_TOOL, V.TERMINATOR_AS_TOOL])
@given(moment=moments, seed=seeds)
def test_a_naming_operator_breaks_only_its_rule_in_both_protocols(
    kind: V, moment: Moment, seed: int
) -> None:
    corruption = OPERATORS[kind].apply(moment, random.Random(seed))
    if corruption is None:
        # A wrong name needs a call; finishing as a call, a conclusion that could be written as one.
        assert (moment.call is None) == (kind is V.UNKNOWN_TOOL)
        return
    for protocol in PROTOCOLS.values():
        reply = protocol.parse(protocol.write(corruption.message))
        found = check_reply(reply, REGISTRY, moment.past)
        assert [violation.kind for violation in found] == [kind]
    if kind is V.UNKNOWN_TOOL and moment.call is not None:
        assert calls_of(corruption)[0].arguments == moment.call.arguments
    if kind is V.TERMINATOR_AS_TOOL:
        # Minimal: the same answer, only written as a call.
        assert list(calls_of(corruption)[0].arguments.values()) == [moment.answer]


@pytest.mark.parametrize("name", list(PROTOCOLS))
@given(moment=moments, seed=seeds)
@settings(max_examples=300)
def test_a_malformed_call_cannot_be_read_in_either_protocol(
    name: str, moment: Moment, seed: int
) -> None:
    corruption = OPERATORS[V.MALFORMED_CALL].apply(moment, random.Random(seed))
    if corruption is None:
        assert moment.call is None
        return
    protocol = get_protocol(name)
    [message] = for_protocol([corruption.message], protocol)
    reply = protocol.parse(protocol.write(message))
    assert [problem.kind for problem in reply.problems] == [V.MALFORMED_CALL]
    assert reply.calls == ()
    assert reply.conclusion is None


@given(moment=moments, seed=seeds)
def test_multiple_calls_begin_with_the_right_one(moment: Moment, seed: int) -> None:
    corruption = OPERATORS[V.MULTIPLE_CALLS].apply(moment, random.Random(seed))
    if corruption is None:
        assert moment.call is None
        return
    native = get_protocol("native")
    reply = native.parse(native.write(corruption.message))
    kinds = [violation.kind for violation in check_reply(reply, REGISTRY, moment.past)]
    assert kinds == [V.MULTIPLE_CALLS]
    assert reply.calls[0] == moment.call
    # The design's table: two objects cannot be read where one JSON object is the whole reply.
    react = get_protocol("react_json")
    problems = react.parse(react.write(corruption.message)).problems
    assert [problem.kind for problem in problems] == [V.MALFORMED_CALL]


@pytest.mark.parametrize("kind", sorted(EPISODE_CLASSES))
@given(moment=moments, seed=seeds)
def test_a_breach_of_the_episode_is_a_reply_that_the_checker_lets_pass(
    kind: V, moment: Moment, seed: int
) -> None:
    corruption = corrupt(kind, moment, random.Random(seed))
    if corruption is None:
        return
    assert check_calls(calls_of(corruption), REGISTRY, moment.past) == []
    concludes = not calls_of(corruption)
    assert concludes is (kind in (V.MISSING_CALL, V.FABRICATED_SUCCESS))
    assert concludes is (moment.call is not None)
    if kind is V.NEEDLESS_CALL:
        assert not moment.needs_calls
    if concludes:
        assert moment.last_failed is (kind is V.FABRICATED_SUCCESS)


@given(moment=moments, seed=seeds)
def test_a_repeated_failure_is_an_earlier_call_that_failed(moment: Moment, seed: int) -> None:
    corruption = corrupt(V.REPEATED_FAILURE, moment, random.Random(seed))
    failed = [past.call for past in moment.past if past.error and past.call.name]
    if corruption is None:
        assert not failed or moment.call in failed
        return
    assert calls_of(corruption)[0] in failed
    kinds = {v.kind for v in check_calls(calls_of(corruption), REGISTRY, moment.past)}
    assert V.REPEATED_FAILURE in kinds


@pytest.mark.parametrize("kind", list(V))
def test_every_class_applies_somewhere_and_always_faithfully(kind: V) -> None:
    made = 0
    for seed in range(120):
        rng = random.Random(seed)
        call = rng.choice([*CALLS, None])
        for past in PASTS:
            moment = Moment(REGISTRY, call, "It is done.", past, needs_calls=call is not None)
            corruption = corrupt(kind, moment, rng)
            made += corruption is not None
            assert corruption is None or is_faithful(corruption, moment)
    assert made > 20


def test_the_most_similar_sibling_lends_most_often() -> None:
    moment = Moment(REGISTRY, CALLS[0], "done")
    lenders = [
        OPERATORS[V.BORROWED_ARGUMENT].apply(moment, random.Random(seed)) for seed in range(200)
    ]
    variants = [corruption.variant for corruption in lenders if corruption]
    ranked = sorted(
        (tool for tool in REGISTRY if tool.name != "append_file"),
        key=lambda tool: -similarity(REGISTRY["append_file"], tool),
    )
    assert ranked[0].name == "write_file"
    assert variants.count("from:write_file") > 120
    assert len(set(variants)) > 1


def test_a_refused_argument_comes_back_with_its_value_on_another_tool() -> None:
    past = (PastCall(Call("append_file", {"path": "q", "overwrite": True}), True, ("overwrite",)),)
    moment = Moment(REGISTRY, CALLS[2], "done", past)
    corruption = corrupt(V.STICKY_ARGUMENT, moment, random.Random(0))
    assert corruption is not None
    assert corruption.call is not None
    assert corruption.variant == "other_tool"
    assert corruption.call.arguments == {**CALLS[2].arguments, "overwrite": True}
    # On a tool that has the parameter the same argument is right, so nothing is sticky.
    moment = Moment(REGISTRY, CALLS[1], "done", past)
    assert corrupt(V.STICKY_ARGUMENT, moment, random.Random(0)) is None


def test_a_borrowed_or_invented_name_is_never_one_that_was_refused() -> None:
    names = [p.name for tool in REGISTRY for p in tool.parameters if p.name != "overwrite"]
    past = (PastCall(Call("wait", dict.fromkeys(names, 1)), True, tuple(names)),)
    moment = Moment(REGISTRY, CALLS[0], "done", past)
    for seed in range(30):
        corruption = OPERATORS[V.BORROWED_ARGUMENT].apply(moment, random.Random(seed))
        assert corruption is not None
        assert corruption.call is not None
        assert corruption.call.arguments.keys() - CALLS[0].arguments.keys() == {"overwrite"}
