"""Templates that refuse who speaks after whom: the conversation is sent in turns that they take."""

from __future__ import annotations

from typing import Any

from dialect_templates import WRITTEN
from endpoint_turns import FINE, ask, turn
from scripted_endpoint import LLAMA_MODELS, error, serve

from tooldrill.agent.call import Call
from tooldrill.agent.messages import call_message, observation_message, system, user

HINTED = turn(
    "a",
    system("Be brief."),
    user("do it"),
    call_message(Call("f", {"x": 1})),
    observation_message("f", "ERROR: no"),
    user("HINT: think again"),
)
# As Mistral Nemo has it: what is neither a call nor a result alternates.
STRICT = (
    "{%- set ns = namespace(last='') -%}"
    "{%- for m in messages if m.role not in ['tool', 'system'] and not m.tool_calls -%}"
    "{%- if m.role == ns.last -%}{{ raise_exception('roles must alternate') }}{%- endif -%}"
    "{%- set ns.last = m.role -%}{%- endfor -%}"
)


def roles(body: dict[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


def test_a_hint_goes_into_the_result_before_it_where_a_known_template_refuses_it() -> None:
    pages = {"/v1/models": LLAMA_MODELS, "/props": {"chat_template": STRICT + WRITTEN["hermes"][0]}}
    with serve(FINE, pages=pages) as server:
        assert ask(server.url, HINTED).text == "fine"
    (body,) = server.requests
    assert roles(body) == ["system", "user", "assistant", "tool"]
    assert body["messages"][-1]["content"] == "ERROR: no\n\nHINT: think again"
    assert body["messages"][-1]["tool_call_id"] == body["messages"][2]["tool_calls"][0]["id"]


def test_a_template_that_takes_it_is_given_the_conversation_as_it_is() -> None:
    pages = {"/v1/models": LLAMA_MODELS, "/props": {"chat_template": WRITTEN["hermes"][0]}}
    with serve(FINE, pages=pages) as server:
        ask(server.url, HINTED)
    assert roles(server.requests[0]) == ["system", "user", "assistant", "tool", "user"]


def test_where_the_template_is_not_known_the_refusal_tells() -> None:
    refusal = error(400, "Unexpected role 'user' after role 'tool'")
    with serve(refusal, refusal, FINE) as server:
        assert ask(server.url, HINTED).text == "fine"
    assert [roles(body)[-1] for body in server.requests] == ["user", "user", "tool"]


def test_a_refusal_that_nothing_helps_against_is_the_servers() -> None:
    with serve(error(400, "Conversation roles must alternate user/assistant")) as server:
        failure = ask(server.url, HINTED).failure
    assert failure is not None and "roles must alternate" in failure
    assert len(server.requests) == 4


def test_other_refusals_are_not_asked_about_again() -> None:
    with serve(error(400, "bad request")) as server:
        assert ask(server.url, HINTED).failure == "HTTP 400: bad request"
    assert len(server.requests) == 1
