"""A whole reply as GBNF, for each protocol: thinking, text, a call, a conclusion.

`call` binds from the call's opening on and leaves everything before it free. `full` also refuses
replies that say nothing, thinking without an end, and text that holds the marks of another
dialect's calls, a closing mark without its opening, or begins as a bare JSON object. Both are one
grammar for the whole reply, not a lazy one: llama.cpp ends the process when the token that
completes a lazy grammar's opening already breaks its first rule.
"""

from __future__ import annotations

from typing import Literal

from tooldrill.agent.constrain.calls import CALLS, CallRules, can_be_written
from tooldrill.agent.constrain.free_text import free_text, until
from tooldrill.agent.constrain.rules import NOTHING, Rules, literal
from tooldrill.agent.constrain.writing import SURROGATES, JsonWriting, json_character
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
    *("<start_function_call>", "<tool_call>", "<arg_key>", "<minimax:tool_call>"),
    "<|START_ACTION|>",
)
_BLANK = "".join(filter(str.isspace, map(chr, range(0x3001))))
# White space after a call: a model that goes on with it has nothing more to say.
_END = r"[ \t\r\n]{0,4}"
# Characters that are no white space anywhere (Unicode's White_Space property).
_VISIBLE = (
    r"[!#-\[\]-~\u00A1-\u167F\u1681-\u1FFF\u200B-\u2027\u202A-\u202E\u2030-\u205E\u2060-\u2FFF"
    r"\u3001-\uD7FF\uE000-\U0010FFFF]"
)

_HEX = "[0-9a-fA-F]"
# Of their escapes, those whose first digits tell that it is one of them.
_VISIBLE_ESCAPE = (
    f'"u" ("00" [3-7b-fB-F] {_HEX} | ("0" | "2" | "3") [1-9a-fA-F] {_HEX}{{2}} | '
    f'"1" [0-57-9a-fA-F] {_HEX}{{2}} | "30" [1-9a-fA-F] {_HEX} | '
    f"[4-9a-cefA-CEF] {_HEX}{{3}} | {SURROGATES})"
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
        elif isinstance(protocol, Native) and can_be_written(protocol.dialect):
            body, thought_body = self._native(protocol)
        else:
            raise TooldrillError(
                f"replies written as {protocol.shape} cannot be constrained",
                "set loop.constrain=off",
            )
        rules.define(root, f"{self._thinking} {body}")
        rules.define(in_thought, thought_body)
        self.loose: set[ViolationClass] = self._calls.loose

    @property
    def _ended(self) -> str:
        """Thinking from after its opening to its end."""
        return self._rules.once("ended", lambda _: until(self._rules, "thought", END_THINK))

    @property
    def _thinking(self) -> str:
        """Thinking with its tags, any number of times."""
        begun = f"{self._space} {literal(THINK)} {self._ended}"
        return self._rules.once("thinking", lambda name: f"{begun} {name} | {NOTHING}")

    def _native(self, protocol: Native) -> tuple[str, str]:
        """The reply after its thinking, and the reply to a prompt that has opened the thinking."""
        dialect = protocol.dialect
        opening, closing = dialect.marks
        write = CALLS[type(dialect)]
        call = write(self._calls, dialect) if len(self._calls.registry) else None
        if not opening:
            return self._bare(call)
        marks = {opening: f"{call} {self._end}"} if call else {}
        absent = [] if call else [opening]
        if self._full:
            forbidden = [mark for mark in (closing, THINK, *_FOREIGN) if mark]
            text = free_text(self._rules, "reply", marks, forbidden, not_first=_BLANK + "{")
            body = f"{self._space} {text}"
            absent += [closing] if closing else []
        else:
            body = free_text(self._rules, "reply", marks, absent)
        # A mark that opens a call is read as one in such thinking too.
        marks |= {END_THINK: f"{self._thinking} {body}"}
        inside = free_text(self._rules, "inside", marks, absent, may_end=not self._full)
        return body, inside

    def _bare(self, call: str | None) -> tuple[str, str]:
        """What begins as an object is a call; everything else is an answer.

        An answer with the end of thinking in it is read as thinking, with a reply after it.
        """
        reply = self._rules.reserve("bare-reply")
        forbidden = [THINK, *_FOREIGN] if self._full else []
        after = {END_THINK: reply}
        answer = free_text(self._rules, "reply", after, forbidden, not_first=_BLANK + "{")
        ways = [answer] if self._full else [answer, NOTHING]
        ways += [f"{call} {self._end}"] if call else []
        self._rules.define(reply, f"{self._thinking} {self._space} ({' | '.join(ways)})")
        return reply, f"{self._ended} {reply}"

    def _react(self) -> tuple[str, str]:
        string = JsonWriting().string(self._rules)
        gap = self._space
        thought = f'[\\x22] "thought" [\\x22] {gap} ":" {gap} {string} {gap} "," {gap}'
        kinds = [f'[\\x22] "conclusion" [\\x22] {gap} ":" {gap} {self._nonblank()} {gap} "}}"']
        if len(self._calls.registry):
            kinds.append(self._calls.json_object("action", "args"))
        rest = self._rules.add("react", f"({thought})? ({' | '.join(kinds)}) {self._end}")
        body = f'{gap} "{{" {gap} {rest}'
        if not self._full:
            body = free_text(self._rules, "reply", {"{": f"{gap} {rest}"})
        return body, f"{self._ended} {self._thinking} {body}"

    def _nonblank(self) -> str:
        """A string that holds more than white space."""
        character = json_character(self._rules)
        lead = r"([ ] | [\\] [nrt]){0,8}"
        first = rf"({_VISIBLE} | [\\] ([\x22\\/] | {_VISIBLE_ESCAPE}))"
        return self._rules.add("nonblank", rf"[\x22] {lead} {first} {character}* [\x22]")
