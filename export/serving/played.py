"""Conversations played with the model: what must hold of any reply, and what it chose to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tooldrill.agent.call import Reply
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.agent.protocols.json_text import dump
from tooldrill.export.serving.client import Answer
from tooldrill.export.serving.findings import Finding, Verdict
from tooldrill.export.serving.scenes import Scene
from tooldrill.export.serving.session import Session, shorten

Reading = Callable[[Session, Scene, Answer], Iterator[str]]
"""What is wrong with how the server read a reply, in one protocol."""


def play(session: Session, scene: Scene, reading: Reading) -> Iterator[Finding]:
    """Asks for the scene's reply: one finding about the mechanics, one about the behaviour."""
    messages, tools = session.request(scene)
    answer = session.served.reply(messages, tools)
    wrong = [*_mechanics(session, scene, answer)]
    if not wrong:
        wrong = [*reading(session, scene, answer)]
    demanded = "a reply read as tooldrill reads it, without special tokens"
    cut = " (cut off)" if answer.finish == "length" else ""
    came = "; ".join(wrong) or f"{shorten(session.raw(answer))!r}{cut}"
    step = "see the server's log, and the failures above" if wrong else ""
    yield session.finding(scene.name, demanded, came, "fail" if wrong else "ok", step)
    if not answer.error:
        yield _behaviour(session, scene, answer)


def _mechanics(session: Session, scene: Scene, answer: Answer) -> Iterator[str]:
    if answer.error:
        yield f"the server says: {answer.error}"
        return
    try:
        expected = session.prompt_ids(scene)
    except TooldrillError:
        expected = []  # told by the check of the prompt
    if expected and answer.prompt_tokens != len(expected):
        yield f"the prompt had {answer.prompt_tokens} tokens, training's has {len(expected)}"
    leaked = session.leaks(answer)
    if leaked:
        yield f"{leaked} leaked into the reply"


def _behaviour(session: Session, scene: Scene, answer: Answer) -> Finding:
    """What the model did beside what a disciplined one would have done."""
    reply = session.protocol.parse(session.raw(answer))
    name = f"behaviour: {scene.name}"
    hoped = f"calls {scene.hoped}" if scene.hoped else "finishes without a call"
    verdict: Verdict = "ok" if _as_hoped(scene, reply) else "note"
    return session.finding(name, hoped, _told(reply), verdict)


def _as_hoped(scene: Scene, reply: Reply) -> bool:
    if not scene.hoped:
        return reply.conclusion is not None
    if len(reply.calls) != 1:
        return False
    (call,) = reply.calls
    return call.name == scene.hoped and scene.told in dump(call.arguments)


def _told(reply: Reply) -> str:
    if reply.calls:
        return shorten(" ".join(f"{call.name}({dump(call.arguments)})" for call in reply.calls))
    if is_malformed(reply):
        return f"malformed: {shorten(reply.text)!r}"
    return f"concludes: {shorten(reply.conclusion or '')!r}"
