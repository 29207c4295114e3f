"""A whole reply as GBNF, for each protocol: thinking, text, a call, a conclusion.

`call` binds from the call's opening on and leaves everything before it free. `full` also refuses
replies that say nothing, and text that holds the marks of another dialect's calls, a closing mark
without its opening, or begins as a bare JSON object. Both are one grammar for the whole reply, not
a lazy one: llama.cpp ends the process when the token that completes a lazy grammar's opening
already breaks its first rule.
"""

from __future__ import annotations

from typing import Literal

from tooldrill.agent.constrain.calls import CALLS, CallRules
from tooldrill.agent.constrain.free_text import free_text, until
from tooldrill.agent.constrain.rules import NOTHING, Rules, literal
from tooldrill.agent.constrain.writing import JsonWriting
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.agent.protocols.thinking import END_THINK, THINK
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass

Binding = Literal["call", "full"]

ROOT, IN_THOUGHT = "root", "root-in-thought"
"""Where a reply begins; the second where the prompt has opened the thinking already."""

# ASCII marks of other dialects that `protocols.untagged` takes for an attempt to call.
_FOREIGN = (
    *("[TOOL_CALLS]", "<function=", "<function_call", "<invoke name=", "<|python_tag|>"),
    *("<|tool_call", "<tool_use>", "<tool_code>", "<tool_calls>", "<TOOLCALL>"),
    *("<start_function_call>", "<tool_call>"),
)
_BLANK = " \t\r\n"
# White space after a call: a model that goes on with it has nothing more to say.
_END = r"[ \t\r\n]{0,4}"
# Characters that are no white space anywhere (Unicode's White_Space property).
_VISIBLE = (
    r"[!#-\[\]-~\u00A1-\u167F\u1681-\u1FFF\u200B-\u2027\u202A-\u202E\u2030-\u205E\u2060-\u2FFF"
    r"\u3001-\uD7FF\uE000-\U0010FFFF]"
)


class ReplyRules:
    """The rules of every reply to a registry in one protocol.

    Attributes:
        loose: classes of violation that a call which fits the grammar may still have.

    Raises:
        TooldrillError: when the protocol's calls, or one of the tools, cannot be constrained.
    """

    def __init__(
        self, rules: Rules, registry: Registry, protocol: CallProtocol, binding: Binding
    ) -> None:
        self._rules = rules
        self._full = binding == "full"
        self._calls = CallRules(rules, registry)
        self._space = self._calls.space
        self._end = rules.add("end", _END)
        root, in_thought = rules.reserve(ROOT), rules.reserve(IN_THOUGHT)
        if isinstance(protocol, ReactJson):
            body, thought_body = self._react()
        elif isinstance(protocol, Native) and type(protocol.dialect) in CALLS:
            body, thought_body = self._native(protocol)
        else:
            raise TooldrillError(
                f"replies written as {protocol.shape} cannot be constrained",
                "set loop.constrain=off",
            )
        thinking = rules.reserve("thinking")
        ended = until(rules, "thought", END_THINK)
        begun = f"{self._space} {literal(THINK)} {ended}"
        rules.define(thinking, f"{begun} {thinking} | {NOTHING}")
        rules.define(root, f"{thinking} {body}")
        rules.define(in_thought, thought_body or f"{ended} {thinking} {body}")
        self.loose: set[ViolationClass] = self._calls.loose

    def _native(self, protocol: Native) -> tuple[str, str | None]:
        """The reply after its thinking, and after a prompt that has opened it where that differs.

        A tag that opens a call is read as one in such thinking too, so nothing differs.
        """
        dialect = protocol.dialect
        opening, closing = dialect.marks
        write = CALLS[type(dialect)]
        call = write(self._calls, dialect) if len(self._calls.registry) else None
        if not opening:
            return self._bare(call), None
        marks = {opening: f"{call} {self._end}"} if call else {}
        if not self._full:
            text = free_text(self._rules, "reply", marks, [] if call else [opening])
            return text, text
        forbidden = [mark for mark in (closing, *_FOREIGN) if mark]
        text = free_text(self._rules, "reply", marks, forbidden, not_first=_BLANK + "{")
        body = f"{self._space} {text}"
        return body, body

    def _bare(self, call: str | None) -> str:
        """What begins as an object is a call; everything else is an answer."""
        forbidden = _FOREIGN if self._full else ()
        answer = free_text(self._rules, "reply", {}, forbidden, not_first=_BLANK + "{")
        ways = [answer] if self._full else [answer, NOTHING]
        ways += [f"{call} {self._end}"] if call else []
        return f"{self._space} {self._rules.add('bare-reply', ' | '.join(ways))}"

    def _react(self) -> tuple[str, str | None]:
        string = JsonWriting().string(self._rules)
        gap = self._space
        thought = f'[\\x22] "thought" [\\x22] {gap} ":" {gap} {string} {gap} "," {gap}'
        kinds = [f'[\\x22] "conclusion" [\\x22] {gap} ":" {gap} {self._nonblank()} {gap} "}}"']
        if len(self._calls.registry):
            kinds.append(self._calls.json_object("action", "args"))
        rest = self._rules.add("react", f"({thought})? ({' | '.join(kinds)}) {self._end}")
        if self._full:
            return f'{gap} "{{" {gap} {rest}', None
        return free_text(self._rules, "reply", {"{": f"{gap} {rest}"}), None

    def _nonblank(self) -> str:
        """A string that holds more than white space."""
        character = self._rules.add("character", self._rules.bodies["character"])
        lead = r"([ ] | [\\] [nrt]){0,8}"
        return self._rules.add(
            "nonblank",
            rf"[\x22] {lead} ({_VISIBLE} | [\\] [\x22\\/]) {character}* [\x22]",
        )
