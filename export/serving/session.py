"""What every check needs, and what all protocols demand: training's tokens, and replies that end.

Why the server's own word is not enough: llama-server drops the text of control tokens. A turn's end
that it does not know shows as nothing at all, and the model goes on, speaking for the user too. So
the generated ids are looked at, and the token that training ends a turn with is forced
(`logit_bias`): the reply must end there, whatever this model would have said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tooldrill.agent.engines.wire.request import Memory, api_messages
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, user
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.settings import ProtocolName
from tooldrill.export.serving.client import Answer, ServedModel
from tooldrill.export.serving.findings import Finding, Verdict
from tooldrill.export.serving.reference import Reference
from tooldrill.export.serving.scenes import WRITTEN, Scene

_FORCED = 100.0  # added to a logit: more than any two differ by
_OTHER_TEMPLATE = (
    "serve the template that the model was trained with: export again (tooldrill export CONFIG), "
    "or start llama-server with --chat-template-file"
)
_NUMBERS = (
    "where numbers with a point matter: train with model.chat_template=tooldrill, or react_json"
)
_THINKING = (
    "the server opens the thinking that training's prompts leave out: start it with --reasoning off"
)
# How the server was started, as it tells in its refusals (llama.cpp: tools/server).
_REFUSED = {
    "context size": "start llama-server with a longer context (--ctx-size 4096), as the agent's",
    "requires --jinja": "start llama-server with --jinja, and without --no-jinja",
}


@dataclass(frozen=True)
class Session:
    """A served model beside what training made of it, in one protocol."""

    served: ServedModel
    reference: Reference
    name: ProtocolName
    protocol: CallProtocol

    def finding(
        self, check: str, demanded: str, came: str, verdict: Verdict = "ok", next_step: str = ""
    ) -> Finding:
        """A finding of this protocol."""
        return Finding(
            protocol=self.name,
            check=check,
            demanded=demanded,
            came=came,
            verdict=verdict,
            next_step=next_step,
        )

    def request(self, scene: Scene) -> tuple[list[Message], Tools | None]:
        """A scene in the API's form; no tools where it offers none or the prompt shows them."""
        chat, tools = self.protocol.to_chat(scene.messages, scene.tools)
        return api_messages(chat, Memory()), tools or None

    def prompt_ids(self, scene: Scene) -> list[int]:
        """Training's tokens of a scene.

        Raises:
            TooldrillError: when the template refuses it.
        """
        return self.reference.prompt_ids(scene.messages, scene.tools, self.protocol)

    @cached_property
    def tokens_of_calls(self) -> frozenset[int]:
        """The tokens of calls as training writes them; in some dialects special ones are among."""
        texts = [self.protocol.write(call_message(call, said)) for said, call in WRITTEN.values()]
        return frozenset(token for text in texts for token in self.reference.tokenize(text))

    def forced_end(self) -> dict[str, Any]:
        """What makes the model end its reply as soon as it may."""
        tokens = self.reference.ending[1]
        token = tokens[0] if len(tokens) == 1 else self.reference.eos
        return {"logit_bias": {str(token): _FORCED}}

    def raw(self, answer: Answer) -> str:
        """What the model wrote. The server leaves special tokens out of its own account of it."""
        return self.reference.reply_text(answer.tokens) or answer.raw

    def leaks(self, answer: Answer) -> str:
        """The special token that got into a reply; "" when there is none.

        Looked for among the ids, where only the last one and those of a call may be special, and in
        every text.
        """
        control = self.reference.control_tokens
        inside = [
            control[token]
            for token in answer.tokens[:-1]
            if token in control and token not in self.tokens_of_calls
        ]
        texts = (answer.content, answer.reasoning, *(call.arguments for call in answer.calls))
        marks = (*control.values(), self.reference.ending[0])
        inside += [mark for mark in marks if mark and any(mark in text for text in texts)]
        return inside[0] if inside else ""


def stop_token(session: Session) -> Finding:
    """The token that ends a turn in training ends a reply of the server."""
    text, tokens = session.reference.ending
    demanded = f"{text or 'the end of a turn'} ends a reply"
    if not tokens:
        came = "the chat template does not tell how it ends a turn"
        return session.finding("stop token", demanded, came, "note")
    bias = {str(tokens[0]): _FORCED}
    answer = session.served.reply([user("Hello")], max_tokens=4, logit_bias=bias)
    if answer.finish == "stop" and len(answer.tokens) == 1 and not answer.content:
        return session.finding("stop token", demanded, f"stopped at token {tokens[0]}")
    came = answer.error or (
        f"the server went on for {len(answer.tokens)} tokens (finish_reason {answer.finish}, "
        f"content {answer.content!r})"
    )
    step = (
        f"set tokenizer.ggml.eot_token_id to {tokens[0]} in the GGUF, or export it again "
        "(tooldrill export CONFIG)"
    )
    return session.finding("stop token", demanded, came, "fail", mending(answer.error, step))


def prompt(session: Session, scene: Scene) -> Finding:
    """The server makes the tokens of training from the same messages and tools."""
    check = f"prompt: {scene.name}"
    try:
        expected = session.prompt_ids(scene)
    except TooldrillError as error:
        return session.finding(check, "training's tokens", error.message, "fail", error.next_step)
    request = session.request(scene)
    found = same_tokens(session, check, expected, session.served.prompt_ids(*request))
    if found.verdict == "fail":
        without = session.served.prompt_ids(*request, thinking=False)
        if without == expected:
            return found.model_copy(update={"next_step": _THINKING})
    return found


def numbers(session: Session, scene: Scene) -> Finding:
    """As `prompt`, for numbers with a point: told, not judged.

    `tojson` in llama-server's templates writes 20.0 as 20 and keeps six digits, so that with a
    template of a model's own nothing mends it. The bundled templates write numbers themselves.
    """
    found = prompt(session, scene)
    if found.verdict != "fail":
        return found
    return found.model_copy(update={"verdict": "note", "next_step": _NUMBERS})


def same_tokens(
    session: Session, check: str, expected: list[int], given: list[int] | str
) -> Finding:
    """Whether the server's prompt is training's; `given` may be what it said instead."""
    demanded = f"training's {len(expected)} tokens"
    if given == expected:
        return session.finding(check, demanded, "the same")
    if isinstance(given, str):
        step = mending(given, _OTHER_TEMPLATE)
        return session.finding(check, demanded, f"the server says: {given}", "fail", step)
    came = session.reference.parting(expected, given)
    return session.finding(check, demanded, came, "fail", _OTHER_TEMPLATE)


def mending(error: str, otherwise: str) -> str:
    """The next step after a check in which the server said `error`; mostly the check's own."""
    steps = (step for words, step in _REFUSED.items() if words in error)
    return next(steps, otherwise)


def shown(answer: Answer) -> str:
    """A message in a line."""
    if answer.error:
        return f"the server says: {answer.error}"
    parts = [f"{call.name}({shorten(call.arguments)})" for call in answer.calls]
    if answer.content or not parts:
        parts.insert(0, repr(shorten(answer.content)))
    return " ".join(parts)


def shorten(text: str, length: int = 100) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
