"""What must hold of the checker for any tool and any call."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tool_strategies import json_values, tools_and_arguments

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import BLOCKING, check_calls, check_text, refusal, rejected_arguments
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import PROTOCOLS
from tooldrill.agent.signature import signature
from tooldrill.agent.tool import Registry, Tool

many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def kinds(found: Any) -> list[str]:
    return [str(v.kind) for v in found]


@many
@given(made=tools_and_arguments())
def test_a_call_drawn_from_the_tools_own_schema_is_never_flagged(
    made: tuple[Tool, dict[str, Any]],
) -> None:
    tool, arguments = made
    registry = Registry([tool])
    assert check_calls([Call(tool.name, arguments)], registry) == []
    for name, protocol in PROTOCOLS.items():
        text = protocol.write(call_message(Call(tool.name, arguments)))
        if "tool_call>" not in json.dumps(arguments):
            assert check_text(text, registry, name) == []


@many
@given(
    made=tools_and_arguments(), others=st.lists(tools_and_arguments(), max_size=3), data=st.data()
)
def test_the_verdict_survives_saving_and_loading(
    made: tuple[Tool, dict[str, Any]],
    others: list[tuple[Tool, dict[str, Any]]],
    data: st.DataObject,
) -> None:
    tools = {tool.name: tool for tool, _ in [made, *others]}
    registry = Registry(tools.values())
    loaded = Registry.from_openai(json.loads(json.dumps(registry.to_openai())))
    assert loaded == registry
    name = data.draw(st.sampled_from([*tools, "nothing_like_it"]))
    arguments = {**made[1], **data.draw(st.dictionaries(st.text(), json_values, max_size=2))}
    call = Call(name, arguments)
    assert check_calls([call], loaded) == check_calls([call], registry)
    assert [signature(t) for t in loaded] == [signature(t) for t in registry]


@many
@given(made=tools_and_arguments(), extra=st.text(min_size=1), value=json_values)
def test_a_name_the_tool_does_not_have_is_found_and_nothing_else(
    made: tuple[Tool, dict[str, Any]], extra: str, value: Any
) -> None:
    tool, arguments = made
    assume(extra not in tool.parameter_names)
    call = Call(tool.name, {**arguments, extra: value})
    alone = check_calls([call], Registry([tool]))
    assert kinds(alone) == ["invented_argument"]
    assert rejected_arguments(alone) == (extra,)
    owner = Tool("an owner", "", {"type": "object", "properties": {extra: {}}})
    borrowed = check_calls([call], Registry([tool, owner]))
    assert (kinds(borrowed), borrowed[0].owners) == (["borrowed_argument"], ("an owner",))
    past = PastCall(call, True, (extra,))
    sticky = check_calls([Call(tool.name, {extra: None, **arguments})], Registry([tool]), [past])
    assert kinds(sticky)[:1] == ["sticky_argument"]


@many
@given(made=tools_and_arguments())
def test_each_required_argument_that_is_left_out_is_named(
    made: tuple[Tool, dict[str, Any]],
) -> None:
    tool, arguments = made
    required = [p.name for p in tool.parameters if p.required]
    given = {name: value for name, value in arguments.items() if name not in required}
    found = check_calls([Call(tool.name, given)], Registry([tool]))
    assert kinds(found) == ["missing_argument"] * len(required)
    assert {v.argument for v in found} == set(required)


@many
@given(
    made=tools_and_arguments(),
    calls=st.lists(
        st.builds(Call, st.text(), st.dictionaries(st.text(), json_values, max_size=3)), max_size=4
    ),
)
def test_any_call_has_a_verdict_that_is_json_and_one_line(
    made: tuple[Tool, dict[str, Any]], calls: list[Call]
) -> None:
    tool, arguments = made
    for call in list(calls):
        # Wrong values for parameters that exist.
        given = dict(zip(tool.parameter_names, call.arguments.values(), strict=False))
        calls.append(Call(tool.name, {**arguments, **given}))
    registry = Registry([tool])
    found = check_calls(calls, registry)
    for violation in found:
        assert json.loads(violation.model_dump_json(by_alias=True))["class"] == violation.kind
        assert violation.message.endswith((".", "?"))
    if any(v.kind in BLOCKING for v in found):
        assert refusal(found, registry).startswith("ERROR: ")


@many
@given(made=tools_and_arguments(), data=st.data())
def test_a_check_does_not_depend_on_the_order_of_arguments(
    made: tuple[Tool, dict[str, Any]], data: st.DataObject
) -> None:
    tool, arguments = made
    noise = data.draw(st.dictionaries(st.text(min_size=1), json_values, max_size=2))
    items = list({**arguments, **noise}.items())
    shuffled = data.draw(st.permutations(items))
    registry = Registry([tool])
    one = check_calls([Call(tool.name, dict(items))], registry)
    other = check_calls([Call(tool.name, dict(shuffled))], registry)
    assert sorted(one, key=repr) == sorted(other, key=repr)
