"""What the endpoint engine sends: the conversation in the API's form, sampling, headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from endpoint_turns import NATIVE, REACT, TOOLS, call, sent, turn
from scripted_endpoint import reply, serve

from tooldrill.agent.call import Call
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.messages import call_message, calls_message, observation_message, user
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.settings import EndpointSettings, SamplingSettings


def test_history_is_sent_in_the_apis_form() -> None:
    past = [call_message(Call("f", {"x": "é"}), learn=False), observation_message("f", "o")]
    body = sent(turn("next", user("go"), *past))
    _, assistant, tool = body["messages"]
    function = assistant["tool_calls"][0]["function"]
    assert function == {"name": "f", "arguments": '{"x": "é"}'}
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"]
    assert set(assistant) == {"role", "content", "tool_calls"}
    assert (body["seed"], body["tool_choice"], body["tools"]) == (5, "auto", TOOLS)
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0.0, 50, "some-model")
    assert "stream" not in body


def test_ids_made_here_are_those_that_templates_show_in_training() -> None:
    past: list[Any] = [user("go")]
    for number in range(3):
        past += [call_message(Call("f", {"x": number})), observation_message("f", "o")]
    messages = sent(turn("a", *past))["messages"]
    ids = [message["tool_calls"][0]["id"] for message in messages if "tool_calls" in message]
    assert ids == [call_id(number) for number in (1, 2, 3)]
    assert ids == [message["tool_call_id"] for message in messages if message["role"] == "tool"]


def test_of_several_calls_those_with_an_observation_are_sent() -> None:
    calls = calls_message([Call("f", {"x": 1}), Call("f", {"x": 2}), Call("f", {"x": 3})])
    answers = [observation_message("f", "a"), observation_message("f", "b")]
    _, assistant, first, second = sent(turn("a", user("go"), calls, *answers))["messages"]
    ids = [item["id"] for item in assistant["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]] == [call_id(1), call_id(2)]


def test_what_a_server_gave_goes_back_to_it() -> None:
    thought = {"content": "", "reasoning_content": "Which?"}
    answer = reply(**thought, tool_calls=[call("f", "{}", id="srv-1")])
    with serve(answer) as server:
        engine = EndpointEngine(server.url)
        engine.submit(turn("a", user("go")))
        engine.submit(turn("b", user("go")))
        texts = dict([*engine.collect(), *engine.collect()])
        read = NATIVE.parse(texts["a"].text)
        later = [user("go"), call_message(read.calls[0], read.thought)]
        later.append(observation_message("f", "o"))
        engine.submit(turn("a", *later))
        engine.submit(turn("new", *later))
        engine.collect()
        engine.collect()
        engine.close()
        known, new = sorted(server.requests[2:], key=lambda body: "srv-1" not in json.dumps(body))
    _, assistant, tool = known["messages"]
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"] == "srv-1"
    assert (assistant["reasoning_content"], assistant["content"]) == ("Which?", "")
    assert "reasoning_content" not in new["messages"][1]


def test_react_json_is_plain_chat() -> None:
    body = sent(turn("a", protocol=REACT))
    assert "tools" not in body
    assert "tool_choice" not in body
    assert "f(x?: integer)" in body["messages"][0]["content"]


def test_extra_keys_win_and_headers_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", "sesame")
    monkeypatch.setenv("SOME_TITLE", "drill")
    settings = EndpointSettings(
        api_key_env="SOME_KEY",
        headers_env={"X-Title": "SOME_TITLE"},
        body={"chat_template_kwargs": {"enable_thinking": False}, "max_tokens": 9},
    )
    with serve(reply(content="ok")) as server:
        engine = EndpointEngine(server.url, settings=settings)
        engine.submit(turn("a"))
        engine.collect()
        engine.close()
        body, headers = server.requests[0], server.headers[0]
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["max_tokens"] == 9
    assert (headers["Authorization"], headers["X-Title"]) == ("Bearer sesame", "drill")
    assert "sesame" not in engine.info.model_dump_json()


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("llamacpp", {"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.1}),
        ("vllm", {"repetition_penalty": 1.1}),
        ("somebody", {"repeat_penalty": 1.1}),
    ],
)
def test_sampling_is_said_in_the_servers_words(owner: str, expected: dict[str, Any]) -> None:
    sampling = SamplingSettings(temperature=0.5, repeat_penalty=1.1)
    pages = {"/v1/models": {"data": [{"id": "m", "owned_by": owner}]}}
    body = sent(turn("a", sampling=sampling), pages)
    words = ("top_k", "min_p", "repeat_penalty", "repetition_penalty")
    assert {word: body[word] for word in words if word in body} == expected
    assert (body["temperature"], body["top_p"]) == (0.5, 1.0)
