"""`react_json` over plain chat completions: no tools in the request, one JSON object per reply.

Nothing has to be recognised here; the server must leave the object alone. So an object as training
writes it is replayed (see `played`) and must come back as it is, and one that a schema
forces must be readable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message, conclusion_message, user
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.export.serving.client import Answer
from tooldrill.export.serving.findings import Finding
from tooldrill.export.serving.played import play, replay
from tooldrill.export.serving.scenes import CONFIRMED, SCENES, WRITTEN, Scene
from tooldrill.export.serving.session import Session, mending, prompt, shorten, shown, stop_token

_CHANGED = "start llama-server with --jinja and without --reasoning-format, or report its version"
_ASKED = user("Go on.")
_OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "enum": ["I confirm."]},
        "action": {"type": "string", "enum": [CONFIRMED.name]},
        "args": {
            "type": "object",
            "properties": {"answer": {"type": "string", "enum": ["yes"]}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
    "required": ["thought", "action", "args"],
    "additionalProperties": False,
}


def react_findings(session: Session) -> Iterator[Finding]:
    """All checks of `react_json`, as they are made."""
    yield stop_token(session)
    for name, (thought, call) in WRITTEN.items():
        yield untouched(session, name, session.protocol.write(call_message(call, thought)))
    yield untouched(
        session, "a conclusion", session.protocol.write(conclusion_message('Done: "ä"\n☃'))
    )
    yield forced_object(session, streaming=False)
    yield forced_object(session, streaming=True)
    for scene in SCENES:
        yield prompt(session, scene)
        yield from replay(session, scene, same_object)
        yield from play(session, scene, reading)


def same_object(session: Session, message: Message, answer: Answer) -> str:
    """What the object came back as instead; "" when it is what training writes."""
    text = session.protocol.write(message)
    return "" if answer.content == text and not answer.calls else shown(answer)


def untouched(session: Session, name: str, text: str) -> Finding:
    """An object as training writes it comes back as `content`, character for character."""
    replayed = [_ASKED, {"role": "assistant", "content": text}]
    answer = session.served.reply(replayed, max_tokens=1, **session.forced_end())
    check, demanded = f"object: {name}", f"content is {shorten(text, 80)}"
    if answer.content == text and not answer.calls:
        return session.finding(check, demanded, "the same")
    step = mending(answer.error, _CHANGED)
    return session.finding(check, demanded, shown(answer), "fail", step)


def forced_object(session: Session, *, streaming: bool) -> Finding:
    """The only object that a schema allows comes, and is read as the call it is."""
    schema = {"type": "json_schema", "json_schema": {"name": "reply", "schema": _OBJECT}}
    ask = session.served.streamed if streaming else session.served.reply
    answer = ask([user("Confirm, please.")], response_format=schema)
    check = "streaming: the only possible object" if streaming else "the only possible object"
    demanded = f"an object that calls {CONFIRMED.name}, forced by response_format"
    calls = session.protocol.parse(answer.content).calls
    if calls == (CONFIRMED,) and not session.leaks(answer):
        return session.finding(check, demanded, shorten(answer.content))
    step = mending(answer.error, _CHANGED)
    return session.finding(check, demanded, shown(answer), "fail", step)


def reading(session: Session, _scene: Scene, answer: Answer) -> Iterator[str]:
    """A reply that is an object must be one in `content` too, and no tool call."""
    if answer.calls:
        yield f"tool calls without tools: {answer.calls[0].name}"
    raw = session.raw(answer)
    parse = session.protocol.parse
    if not is_malformed(parse(raw)) and is_malformed(parse(answer.content)):
        yield f"{shorten(raw)!r} became {shorten(answer.content)!r}"
