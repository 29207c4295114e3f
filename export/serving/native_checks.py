"""Native calls through llama-server's parser.

llama-server makes a parser for a template by rendering probe conversations with it; when it finds
no form, the call stays in `content`, and nothing says so (its format is `peg-native` either way).
What a model happens to write proves little: a weak one may never call. So calls are replayed (see
`played`): `tool_calls` must be the call and `content` the thought. Replies that the model chooses
are read twice instead: what the server made of them must be what tooldrill's own reader makes of
the raw text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, conclusion_message, observation_message, user
from tooldrill.agent.protocols.base import calls_of, is_malformed
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.tool import Registry
from tooldrill.export.serving.client import Answer, ToolCall
from tooldrill.export.serving.findings import Finding
from tooldrill.export.serving.played import play, replay
from tooldrill.export.serving.scenes import (
    CONFIRM,
    CONFIRMED,
    NUMBERS,
    SCENES,
    TEN,
    WRITTEN,
    Scene,
)
from tooldrill.export.serving.session import (
    Session,
    mending,
    numbers,
    prompt,
    same_tokens,
    shorten,
    shown,
    stop_token,
)

_UNKNOWN_FORM = (
    "llama-server does not know these calls: train and export with the bundled template "
    "(model.chat_template=tooldrill), or use the protocol react_json"
)
_WHITE_SPACE = "let the agent strip `content` before it sends a message back"
_BROKEN_STREAM = "update llama-server, or do without streaming"
_ASKED, _CONFIRM = user("Go on."), user("Confirm, please.")


def native_findings(session: Session) -> Iterator[Finding]:
    """All checks of native calls, as they are made."""
    yield stop_token(session)
    for name, (thought, call) in WRITTEN.items():
        yield from recognised(session, name, thought, call)
    yield forced_call(session, streaming=False)
    yield forced_call(session, streaming=True)
    for scene in SCENES:
        yield prompt(session, scene)
        yield from replay(session, scene, as_meant)
        yield from play(session, scene, reading)
    yield numbers(session, NUMBERS)
    yield streamed_reply(session)


def recognised(session: Session, name: str, thought: str, call: Call) -> Iterator[Finding]:
    """A call as training writes it is one for the server; sent back, it has the same tokens."""
    protocol = session.protocol
    if thought and isinstance(protocol, Native) and protocol.dialect.lead is None:
        return  # no text may stand before a call
    message = call_message(call, thought)
    text = protocol.write(message)
    replayed = [_ASKED, {"role": "assistant", "content": text}]
    answer = session.served.reply(replayed, TEN, max_tokens=1, **session.forced_end())
    check, demanded = f"recognition: {name}", f"{shorten(text, 80)} is a call"
    wrong = _not_the_call(answer, thought, call)
    if wrong:
        step = mending(answer.error, _UNKNOWN_FORM)
        yield session.finding(check, demanded, wrong, "fail", step)
        return
    yield session.finding(check, demanded, shown(answer))
    try:
        yield _sent_back(session, name, message, answer.message)
    except TooldrillError as error:
        check = f"sent back: {name}"
        yield session.finding(check, "a history", error.message, "fail", error.next_step)


def _sent_back(session: Session, name: str, message: Message, received: Message) -> Finding:
    """The message as received, put into the history as agents do, has the tokens of the model's.

    White space alone is told, not judged: where a template writes a line break before a call, the
    server may leave it in `content`, and the template writes it once more.
    """
    result = observation_message(message["tool_calls"][0]["function"]["name"], "Done.")
    scene = Scene(name, (_ASKED, message, result), TEN, conclusion_message("Done."))
    expected = session.prompt_ids(scene)
    asked, _, answered = session.request(scene)[0]
    # Ids are drawn at random; some templates write them.
    calls = [{**item, "id": answered["tool_call_id"]} for item in received["tool_calls"]]
    given = session.served.prompt_ids([asked, {**received, "tool_calls": calls}, answered], TEN)
    found = same_tokens(session, f"sent back: {name}", expected, given)
    if found.verdict == "fail" and not isinstance(given, str):
        texts = ["".join(session.reference.text(ids).split()) for ids in (expected, given)]
        if texts[0] == texts[1]:
            return found.model_copy(update={"verdict": "note", "next_step": _WHITE_SPACE})
    return found


def forced_call(session: Session, *, streaming: bool) -> Finding:
    """With `tool_choice: required` and one possible call, that call comes, whatever the model.

    Its beginning is given, as text may stand before a call and a weak model would not come to it,
    and the end is forced as soon as the server's grammar allows one: it allows further calls too,
    also with `parallel_tool_calls: false`.
    """
    text = session.protocol.write(call_message(CONFIRMED))
    begun = [_CONFIRM, {"role": "assistant", "content": text[: len(text) // 2]}]
    ask = session.served.streamed if streaming else session.served.reply
    answer = ask(begun, CONFIRM, tool_choice="required", max_tokens=48, **session.forced_end())
    check = "streaming: the only possible call" if streaming else "the only possible call"
    demanded = f"{CONFIRMED.name}(answer) with tool_choice required"
    cut = answer.finish == "length"  # in the middle of a further call
    whole = [call for call in answer.calls if not cut or _arguments(call) is not None]
    calls = [Call(call.name, _arguments(call) or {}) for call in whole]
    # In some dialects the server's grammar knows the arguments' names, and not their values.
    right = all((c.name, [*c.arguments]) == (CONFIRMED.name, ["answer"]) for c in calls)
    if calls and right and not session.leaks(answer):
        return session.finding(check, demanded, shown(answer))
    step = mending(answer.error, _BROKEN_STREAM if streaming else _UNKNOWN_FORM)
    return session.finding(check, demanded, shown(answer), "fail", step)


def streamed_reply(session: Session) -> Finding:
    """A reply as the model chooses it: its deltas make the message that comes without streaming."""
    messages, tools = session.request(SCENES[0])
    # Without the cache both are computed in the same batches, and so are the same.
    whole = session.served.reply(messages, tools, cache_prompt=False)
    answer = session.served.streamed(messages, tools, cache_prompt=False)
    demanded = "deltas that make the message of the same request without streaming"
    leaked = session.leaks(answer)
    if _essence(whole) == _essence(answer) and not leaked and not answer.error:
        return session.finding("streaming", demanded, f"the same: {shown(answer)}")
    came = f"{leaked} leaked" if leaked else f"{shown(answer)}; without: {shown(whole)}"
    step = mending(answer.error or whole.error, _BROKEN_STREAM)
    return session.finding("streaming", demanded, came, "fail", step)


def reading(session: Session, scene: Scene, answer: Answer) -> Iterator[str]:
    """Where the server reads a reply otherwise than tooldrill does.

    A reply that is cut off, or that is malformed for both, says nothing of the server.
    """
    if answer.finish == "length":
        return
    for call in answer.calls:
        if _arguments(call) is None:
            yield f"the arguments of {call.name} do not parse: {shorten(call.arguments)}"
            return
    raw = session.raw(answer)
    ours = session.protocol.parse(raw, Registry.from_openai(scene.tools))
    if is_malformed(ours):
        return
    # Without tools in the request the server reads no calls, and it may give only the first.
    theirs = [Call(call.name, _arguments(call) or {}) for call in answer.calls]
    expected = list(ours.calls) if scene.tools else []
    if theirs not in (expected, expected[:1]) or (expected and not theirs):
        yield f"{shorten(raw)!r} became {shown(answer)}"


def as_meant(_session: Session, message: Message, answer: Answer) -> str:
    """What a replayed message came back as instead; "" when it is that message."""
    calls, content = calls_of(message), str(message["content"])
    if calls:
        return _not_the_call(answer, content, calls[0])
    if answer.error or answer.calls or answer.content.strip() != content:
        return shown(answer)
    return ""


def _not_the_call(answer: Answer, thought: str, call: Call) -> str:
    """What a replayed call came back as instead; "" when it is that call."""
    if answer.error:
        return f"the server says: {answer.error}"
    if not answer.calls:
        return f"no tool_calls; content is {shorten(answer.content)!r}"
    unreadable = [one for one in answer.calls if _arguments(one) is None]
    if unreadable:
        return f"arguments that do not parse: {shorten(unreadable[0].arguments)}"
    if [Call(one.name, _arguments(one) or {}) for one in answer.calls] != [call]:
        return f"another call: {shown(answer)}"
    if answer.content.strip() != thought:
        return f"content is {shorten(answer.content)!r}, not {thought!r}"
    return ""


def _arguments(call: ToolCall) -> dict[str, Any] | None:
    try:
        value = json.loads(call.arguments)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _essence(answer: Answer) -> tuple[Any, ...]:
    """A message without its ids, which are drawn at random."""
    calls = [(call.name, call.arguments) for call in answer.calls]
    return answer.content, answer.reasoning, calls, answer.finish
