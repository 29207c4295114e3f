"""How a chat template wants its messages: the dialect it writes, and in which form it takes calls.

Nothing is known here of any model: the template is given a probe conversation, and the dialect is
the one that writes exactly what the template wrote. Rendering itself is the work of `render`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tooldrill.agent.call import Call
from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import calls_message, conclusion_message, observation_message, user
from tooldrill.agent.protocols.base import Tools
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.agent.protocols.dialects.catalog import all_variants
from tooldrill.agent.protocols.json_text import dump
from tooldrill.agent.protocols.native import Native

Text = Callable[[Sequence[Message], Tools], str]
"""Renders messages and tools as they are; raises TooldrillError where the template refuses."""

Fold = Callable[[Sequence[Message]], list[Message]]
"""Lays a conversation out in other turns."""

_TOOL = "probe_notes"
_PARAMETERS: dict[str, Any] = {
    "text": {"type": "string", "description": "What to keep."},
    "count": {"type": "integer", "description": "How often."},
    "ratio": {"type": "number", "description": "How much."},
    "flag": {"type": "boolean", "description": "Whether."},
    "tags": {"type": "array", "items": {"type": "string"}, "description": "Which."},
    "more": {"type": "object", "description": "The rest."},
}
_TOOLS: Tools = [
    {
        "type": "function",
        "function": {
            "name": _TOOL,
            "description": "Keeps a note.",
            "parameters": {"type": "object", "properties": _PARAMETERS, "required": ["text"]},
        },
    }
]
_GIVEN: dict[str, Any] = {"count": 3, "ratio": 0.5, "flag": True}
# What a template must escape, where its dialect has escapes.
_AWKWARD = Call(
    _TOOL,
    {
        "text": 'say "é ☃" <b>\nit\'s \\ & done',
        **_GIVEN,
        "tags": ["it's", "☃", True, None],
        "more": {"k": {"z": False, "n": None}},
    },
)
_PLAIN = Call(_TOOL, {"text": "a note", **_GIVEN, "tags": ["a", "b"], "more": {"k": {"z": 1}}})
_QUESTION = user("Please keep a note.")


@dataclass(frozen=True)
class TemplateForm:
    """What a template writes, and what it takes.

    Attributes:
        dialect: how it writes calls; None when it writes none, or in a way that is not known.
        shows_tools: whether it shows the tools that it is given.
        writes_calls: whether it writes calls at all.
        arguments_as_text: it wants arguments as JSON text, not as objects.
        in_content: it writes calls without escapes, so that what it wrote could not be read; they
            are given to it as the text of the turn, written by the dialect.
        several: it writes several calls in one turn.
        beside_text: it writes calls in a turn that also has text.
    """

    dialect: Dialect | None = None
    shows_tools: bool = False
    writes_calls: bool = False
    arguments_as_text: bool = False
    in_content: bool = False
    several: bool = True
    beside_text: bool = True

    def messages(self, messages: Sequence[Message]) -> list[Message]:
        """The conversation as the template takes it: calls in its form, every call with an id."""
        shaped: list[Message] = []
        waiting: list[str] = []
        number = 0
        for message in messages:
            calls = message.get("tool_calls") or ()
            if calls:
                ids = [call_id(number + place) for place in range(1, len(calls) + 1)]
                number, waiting = number + len(calls), list(ids)
                shaped.append(self._calling(message, ids))
            elif message["role"] == "tool":
                shaped.append({"tool_call_id": waiting.pop(0) if waiting else "", **message})
            else:
                shaped.append(message)
        return shaped

    def _calling(self, message: Message, ids: Sequence[str]) -> Message:
        calls = message["tool_calls"]
        if self.dialect is not None and self.dialect.lead is None:
            message = {**message, "content": ""}
        refused = (len(calls) > 1 and not self.several) or (
            bool(message.get("content")) and not self.beside_text
        )
        if self.dialect is not None and (self.in_content or refused):
            kept = {key: value for key, value in message.items() if key != "tool_calls"}
            if not self.dialect.frame.answer[0]:
                return {**kept, "content": Native(self.dialect).write(message)}
            # A text of its own would be an answer here; the first call is the one carried out.
            calls = calls[:1]
        items = []
        for item, name in zip(calls, ids[: len(calls)], strict=True):
            function = item["function"]
            if self.arguments_as_text:
                function = {**function, "arguments": dump(function["arguments"])}
            items.append({"id": name, **item, "function": function})
        return {**message, "tool_calls": items}


def find_form(text: Text) -> TemplateForm:
    """The form of the template that `text` renders with."""
    shows = _shows_tools(text)
    for as_text in (False, True):
        form = TemplateForm(shows_tools=shows, writes_calls=True, arguments_as_text=as_text)
        for dialect in _writers(text, form, _AWKWARD):
            return _with_several(text, form, dialect)
    form = TemplateForm(shows_tools=shows, writes_calls=True)
    for dialect in _writers(text, form, _PLAIN):
        found = TemplateForm(dialect, shows, writes_calls=True, in_content=True)
        written = conclusion_message(dialect.write([_PLAIN]))
        if _rendered(text, found, [_PLAIN]) == _try(text, [_QUESTION, written, _observed()]):
            return found
    return TemplateForm(shows_tools=shows, writes_calls=_writes_something(text))


def _without_system(messages: Sequence[Message]) -> list[Message]:
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return list(messages)
    first = {**messages[1], "content": f"{messages[0]['content']}\n{messages[1]['content']}"}
    return [first, *messages[2:]]


def _alternating(messages: Sequence[Message]) -> list[Message]:
    joined: list[Message] = []
    for message in messages:
        if message["role"] == "user" and joined and joined[-1]["role"] in ("user", "tool"):
            content = f"{joined[-1]['content']}\n\n{message['content']}"
            joined[-1] = {**joined[-1], "content": content}
        else:
            joined.append(message)
    return joined


FOLDS: tuple[Fold, ...] = (
    list,
    _without_system,
    _alternating,
    lambda messages: _alternating(_without_system(messages)),
)
"""The same conversation for templates that refuse its roles, in the order to be tried: as it is;
without a system turn, its text before the first user's, as llama.cpp does it; without two user
turns in a row, or a user turn right after a tool's result (the loop's hints are such), by joining
them; both."""


def _shows_tools(text: Text) -> bool:
    shown, hidden = _try(text, [_QUESTION]), _try(text, [_QUESTION], [])
    return shown is not None and _TOOL in shown and _TOOL not in (hidden or "")


def _writers(text: Text, form: TemplateForm, call: Call) -> Iterator[Dialect]:
    """The dialects that write the call exactly as the template does."""
    rendered = _rendered(text, form, [call])
    if rendered is None:
        return
    for dialect in all_variants():
        written = dialect.write([call])
        if written not in rendered:
            continue
        # Without marks, only a turn that is nothing but the call tells that it stands alone.
        said = [_QUESTION, conclusion_message(written), _observed()]
        if dialect.marks[0] or rendered == _try(text, said):
            yield dialect


def _with_several(text: Text, form: TemplateForm, dialect: Dialect) -> TemplateForm:
    calls = [_AWKWARD, _PLAIN]
    rendered = _rendered(text, form, calls)
    several = rendered is not None and dialect.write(calls) in rendered
    rendered = _rendered(text, form, calls[:1], "I look first.")
    return TemplateForm(
        dialect,
        form.shows_tools,
        writes_calls=True,
        arguments_as_text=form.arguments_as_text,
        several=several,
        beside_text=rendered is not None and dialect.write(calls[:1]) in rendered,
    )


def _writes_something(text: Text) -> bool:
    silent = _try(text, [_QUESTION, conclusion_message(""), _observed()])
    for as_text in (False, True):
        form = TemplateForm(arguments_as_text=as_text)
        rendered = _rendered(text, form, [_PLAIN])
        if rendered is not None and rendered.count("a note") > (silent or "").count("a note"):
            return True
    return False


def _observed() -> Message:
    return observation_message(_TOOL, "Kept.")


def _rendered(
    text: Text, form: TemplateForm, calls: Sequence[Call], thought: str = ""
) -> str | None:
    """The probe conversation with these calls; None where the template refuses it."""
    plain = TemplateForm(arguments_as_text=form.arguments_as_text)
    observations = [_observed() for _ in calls]
    return _try(text, plain.messages([_QUESTION, calls_message(calls, thought), *observations]))


def _try(text: Text, messages: Sequence[Message], tools: Tools = _TOOLS) -> str | None:
    try:
        return text(messages, tools)
    except TooldrillError:
        return None
