"""Conversations played with the model: what must hold of any reply, and what it chose to do.

Each is played twice. First the reply of a disciplined model is *replayed* in it, so that what the
server makes of a right reply does not hang on how clever the model is: the text is given as the
beginning of the assistant's turn (llama-server continues a last assistant message), the token that
ends a turn is forced after it, and the whole goes through the parser that every agent meets. Then
the model writes a reply of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tooldrill.agent.call import Reply
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import is_malformed
from tooldrill.agent.protocols.json_text import dump
from tooldrill.export.serving.client import Answer
from tooldrill.export.serving.findings import Finding, Verdict
from tooldrill.export.serving.scenes import Scene
from tooldrill.export.serving.session import Session, mending, shorten, shown

Reading = Callable[[Session, Scene, Answer], Iterator[str]]
"""What is wrong with how the server read a reply, in one protocol."""
Judge = Callable[[Session, Message, Answer], str]
"""What a replayed message came back as instead; "" when it is that message."""


def replay(session: Session, scene: Scene, judge: Judge) -> Iterator[Finding]:
    """The disciplined reply in the scene, read by the server: as a whole, and in pieces."""
    messages, tools = session.request(scene)
    text = session.protocol.write(scene.reply)
    begun: list[Message] = [*messages, {"role": "assistant", "content": text}]
    for how, ask in (("replayed", session.served.reply), ("streamed", session.served.streamed)):
        answer = ask(begun, tools, max_tokens=1, **session.forced_end())
        wrong = judge(session, scene.reply, answer) or _unended(session, answer)
        check, demanded = f"{how}: {scene.name}", f"{shorten(text, 80)!r}, read as it was meant"
        if wrong:
            step = mending(answer.error, "see the failures above, and the server's log")
            yield session.finding(check, demanded, wrong, "fail", step)
        else:
            yield session.finding(check, demanded, shown(answer))


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
    step = mending(answer.error, "see the server's log, and the failures above") if wrong else ""
    yield session.finding(scene.name, demanded, came, "fail" if wrong else "ok", step)
    if not answer.error:
        yield _behaviour(session, scene, answer)


def _unended(session: Session, answer: Answer) -> str:
    """What an agent would not take for the end of a reply, or not for a reply's words."""
    expected = "tool_calls" if answer.calls else "stop"
    if answer.finish != expected:
        return f"finish_reason is {answer.finish!r}, not {expected!r}"
    leaked = session.leaks(answer)
    return f"{leaked} leaked into the reply" if leaked else ""


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
    hoped = f"calls {scene.hoped.name}" if scene.hoped else "finishes without a call"
    verdict: Verdict = "ok" if _as_hoped(scene, reply) else "note"
    return session.finding(name, hoped, _told(reply), verdict)


def _as_hoped(scene: Scene, reply: Reply) -> bool:
    if not scene.hoped:
        return reply.conclusion is not None
    if len(reply.calls) != 1:
        return False
    (call,) = reply.calls
    return call.name == scene.hoped.name and scene.told in dump(call.arguments)


def _told(reply: Reply) -> str:
    if reply.calls:
        return shorten(" ".join(f"{call.name}({dump(call.arguments)})" for call in reply.calls))
    if is_malformed(reply):
        return f"malformed: {shorten(reply.text)!r}"
    return f"concludes: {shorten(reply.conclusion or '')!r}"
