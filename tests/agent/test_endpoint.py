"""The endpoint engine against a real HTTP server: what is sent, and what comes of each reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted_endpoint import LLAMA_MODELS, Answer, reply, serve

from tooldrill.agent.call import Call
from tooldrill.agent.engines.base import Generation, Turn
from tooldrill.agent.engines.endpoint import EndpointEngine
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, calls_message, observation_message, user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import EndpointSettings, SamplingSettings
from tooldrill.agent.violation import ViolationClass

PARAMETERS = {"type": "object", "properties": {"x": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": PARAMETERS}}]
NATIVE, REACT = get_protocol("native"), get_protocol("react_json")
SAMPLING = SamplingSettings(seed=3)


def turn(key: str, *messages: Any, sampling: SamplingSettings = SAMPLING, **more: Any) -> Turn:
    protocol = more.pop("protocol", NATIVE)
    history = [*messages] if messages else [user("do it")]
    return Turn(key, history, TOOLS, protocol, sampling, 50, 2, **more)


def ask(url: str, asked: Turn, **settings: Any) -> Generation:
    engine = EndpointEngine(url, settings=EndpointSettings(**settings))
    try:
        engine.submit(asked)
        ((key, generation),) = engine.collect()
        assert key == asked.key
        return generation
    finally:
        engine.close()


def call(name: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    return {**more, "function": {"name": name, "arguments": arguments}}


def sent(asked: Turn, pages: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """The body of the request for a turn."""
    with serve(reply(content="ok"), pages=pages) as server:
        ask(server.url, asked, **settings)
        return server.requests[0]


def test_a_parsed_call_comes_back_as_the_protocols_text() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    answer = reply("tool_calls", usage, content="I call.", tool_calls=[call("f", '{"x": 1}')])
    with serve(answer) as server:
        generation = ask(server.url, turn("a"))
    read = NATIVE.parse(generation.text)
    assert (read.thought, read.calls) == ("I call.", (Call("f", {"x": 1}),))
    assert (generation.prompt_tokens, generation.reply_tokens) == (7, 5)
    assert (generation.cached_tokens, generation.stop) == (4, "stop")
    assert generation.failure is None


MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("content alone", {"content": "All done."}, "All done."),
    ("no content", {"content": None}, ""),
    ("parts", {"content": [{"type": "text", "text": "All "}, "done."]}, "All done."),
    ("refusal", {"content": None, "refusal": "I won't."}, "I won't."),
    (
        "arguments as an object",
        {"content": "", "tool_calls": [call("f", {"x": 1, "y": "é"})]},
        '<tool_call>{"name": "f", "arguments": {"x": 1, "y": "é"}}</tool_call>',
    ),
    (
        "legacy",
        {"content": None, "function_call": {"name": "f", "arguments": '{"x":1}'}},
        '<tool_call>{"name": "f", "arguments": {"x":1}}</tool_call>',
    ),
    (
        "no argument text",
        {"content": None, "tool_calls": [call("f", "")]},
        '<tool_call>{"name": "f"}</tool_call>',
    ),
    (
        "thinking",
        {"content": "Hm.", "reasoning_content": "Which?", "tool_calls": [call("f", "{}")]},
        '<think>\nWhich?\n</think>\n\nHm.\n<tool_call>{"name": "f", "arguments": {}}</tool_call>',
    ),
    (
        "thinking under two names",
        {"content": "Yes.", "reasoning": "So?", "reasoning_content": "So?"},
        "<think>\nSo?\n</think>\n\nYes.",
    ),
    (
        "thinking as a part",
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "So?"}]},
                {"type": "text", "text": "Yes."},
            ]
        },
        "<think>\nSo?\n</think>\n\nYes.",
    ),
    ("thinking only", {"content": "", "reasoning": "And then"}, "<think>\nAnd then"),
    (
        "a call that the server did not see",
        {"content": '<tool_call>{"name": "f", "arguments": {"x": 2}}</tool_call>'},
        '<tool_call>{"name": "f", "arguments": {"x": 2}}</tool_call>',
    ),
]


@pytest.mark.parametrize(
    ("message", "text"), [case[1:] for case in MESSAGES], ids=[case[0] for case in MESSAGES]
)
def test_every_form_of_a_message_becomes_one_text(message: dict[str, Any], text: str) -> None:
    with serve(reply(**message)) as server:
        assert ask(server.url, turn("a")).text == text


FAULTS: list[tuple[str, Answer, ViolationClass]] = [
    (
        "no JSON",
        reply(tool_calls=[call("f", '{"x": 1')]),
        ViolationClass.MALFORMED_CALL,
    ),
    (
        "two calls",
        reply(tool_calls=[call("f", "{}"), call("f", '{"x": 2}')]),
        ViolationClass.MULTIPLE_CALLS,
    ),
    ("no name", reply(tool_calls=[call(None, "{}")]), ViolationClass.MALFORMED_CALL),
    ("nothing", reply(content=""), ViolationClass.MALFORMED_CALL),
    (
        "cut off",
        reply("length", tool_calls=[call("f", '{"x": ')]),
        ViolationClass.MALFORMED_CALL,
    ),
    ("in thought", reply("length", content="", reasoning="I"), ViolationClass.MALFORMED_CALL),
    ("another dialect", reply(content="[TOOL_CALLS]f{}"), ViolationClass.MALFORMED_CALL),
]


@pytest.mark.parametrize(
    ("answer", "kind"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_what_the_model_wrote_is_never_a_failure(answer: Answer, kind: ViolationClass) -> None:
    with serve(answer) as server:
        generation = ask(server.url, turn("a"))
        assert len(server.requests) == 1
    assert generation.failure is None
    assert [problem.kind for problem in NATIVE.parse(generation.text).problems] == [kind]


def test_a_cut_off_call_is_left_open_and_a_whole_one_closed() -> None:
    with serve(
        reply("length", tool_calls=[call("f", '{"x": ')]),
        reply("length", tool_calls=[call("f", '{"x": 1}')]),
    ) as server:
        first, second = (ask(server.url, turn("a")) for _ in range(2))
    assert first.text == '<tool_call>{"name": "f", "arguments": {"x": '
    assert NATIVE.parse(second.text).calls == (Call("f", {"x": 1}),)
    assert (first.stop, second.stop) == ("length", "length")


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


def test_ids_made_here_are_unique_and_fit_mistrals_templates() -> None:
    past: list[Any] = [user("go")]
    for number in range(3):
        past += [call_message(Call("f", {"x": number})), observation_message("f", "o")]
    messages = sent(turn("a", *past))["messages"]
    ids = [message["tool_calls"][0]["id"] for message in messages if "tool_calls" in message]
    assert len(set(ids)) == 3
    assert all(len(one) == 9 and one.isalnum() for one in ids)
    assert ids == [message["tool_call_id"] for message in messages if message["role"] == "tool"]


def test_of_several_calls_those_with_an_observation_are_sent() -> None:
    calls = calls_message([Call("f", {"x": 1}), Call("f", {"x": 2}), Call("f", {"x": 3})])
    answers = [observation_message("f", "a"), observation_message("f", "b")]
    _, assistant, first, second = sent(turn("a", user("go"), calls, *answers))["messages"]
    ids = [item["id"] for item in assistant["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    assert len(set(ids)) == 2


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


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(TooldrillError, match="NO_SUCH_KEY") as caught:
        EndpointEngine(
            "http://127.0.0.1:9/v1", settings=EndpointSettings(api_key_env="NO_SUCH_KEY")
        )
    assert "export NO_SUCH_KEY" in caught.value.next_step


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


def test_what_llama_server_says_of_itself_is_kept() -> None:
    meta = {"size": 10, "n_params": 20, "n_ctx": 512}
    entry = {"id": "/models/tiny-Q4_K_M.gguf", "owned_by": "llamacpp", "meta": meta}
    props = {
        "build_info": "b1",
        "model_path": "/models/tiny-Q4_K_M.gguf",
        "model_ftype": "Q4_K - Medium",
        "total_slots": 2,
        "default_generation_settings": {"n_ctx": 256},
        "chat_template_caps": {"supports_tools": True, "supports_tool_calls": True},
    }
    with serve(pages={"/v1/models": {"data": [entry]}, "/props": props}) as server:
        engine = EndpointEngine(server.url, "tiny-Q4_K_M", EndpointSettings(parallel=8))
        engine.close()
    assert engine.server == {
        "program": "llama-server",
        "build": "b1",
        "file": "tiny-Q4_K_M.gguf",
        "quantization": "Q4_K_M",
        "size": 10,
        "parameters": 20,
        "context": 256,
        "slots": 2,
        "template_knows_tools": True,
        "calls": "server",
    }
    assert engine.info.settings["server"] == engine.server
    assert engine.slots == 2
    assert engine.model.short_name == "tiny-Q4_K_M"


def test_llama_server_does_not_pass_for_a_model_it_has_not() -> None:
    with (
        serve(pages={"/v1/models": LLAMA_MODELS}) as server,
        pytest.raises(TooldrillError, match=r"tiny-Q8_0\.gguf, not other"),
    ):
        EndpointEngine(server.url, "other")


def test_a_template_without_tools_is_refused_for_native_calls() -> None:
    props = {"chat_template_caps": {"supports_tools": False, "supports_tool_calls": False}}
    with serve(pages={"/v1/models": LLAMA_MODELS, "/props": props}) as server:
        engine = EndpointEngine(server.url)
        engine.close()
    with pytest.raises(TooldrillError, match="knows no tools"):
        engine.protocol("native")
    assert engine.protocol("react_json") is REACT


def test_the_password_of_a_url_is_not_stored() -> None:
    with serve() as server:
        url = server.url.replace("://", "://me:secret@")
        engine = EndpointEngine(url)
        engine.close()
    assert "secret" not in engine.info.model_dump_json()
    assert engine.info.source == server.url


@pytest.mark.parametrize("calls", ["auto", "raw"])
def test_only_llama_server_gives_replies_as_written(calls: str) -> None:
    def opened() -> EndpointEngine:
        return EndpointEngine(server.url, settings=EndpointSettings(calls=calls))  # type: ignore[arg-type]

    with serve() as server:
        if calls == "raw":
            with pytest.raises(TooldrillError, match="only llama-server"):
                opened()
            return
        engine = opened()
        engine.close()
    assert engine.server["calls"] == "server"


def test_a_grammar_is_refused_where_no_server_takes_it() -> None:
    with serve() as server:
        engine = EndpointEngine(server.url)
        engine.close()
    reason: Callable[..., str | None] = engine.cannot_constrain
    assert "no llama-server" in (reason(REACT) or "")
