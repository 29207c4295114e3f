"""What stands around a turn in a model's own chat template, and the bundled template to match.

A model has learned one way to mark who speaks. A template of ours must use the same marks, or they
are plain text to the model and its replies do not end. They are found by rendering: what the own
template writes between known texts. Nothing here knows the name of any model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import (
    BUNDLED_TEMPLATES,
    CHATML,
    ChatTemplate,
    bundled_template,
    with_turns,
)

FITTING = "tooldrill"
_SYSTEM, _TEXTS = "the system", ("a question", "a reply", "another question", "another reply")
_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Turns:
    """What a template writes around the texts of a conversation.

    Attributes:
        opening: before everything: the beginning-of-text token, or nothing.
        system: before and after a system message; None where it has no turn of its own.
        user, reply: before and after a user's message and the model's.
    """

    opening: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    reply: tuple[str, str]

    def to_jinja(self) -> str:
        """As the files of the bundled templates write it; a tool's result is a user's turn."""
        before, after = self.user
        tool = (f"{before}<tool_response>\n", f"\n</tool_response>{after}")
        named = {"user": self.user, "reply": self.reply, "tool": tool}
        lines = [
            "{#- Turns of the model's own chat template, which knows no tools. -#}",
            f"{{%- set opening = {_literal(self.opening)} -%}}",
            f"{{%- set system_turn = {_pair(self.system) if self.system else 'none'} -%}}",
            *(f"{{%- set {name}_turn = {_pair(marks)} -%}}" for name, marks in named.items()),
        ]
        return "\n".join(lines) + "\n"


def fitting_template(
    own: str | None, bos: str, eos: str, is_token: Callable[[str], bool]
) -> tuple[str, str]:
    """The bundled template whose turns are the model's own.

    A template of the model decides; without one, the family whose marks are tokens of the model.
    Turns of no family are written into a template of their own, named `tooldrill`.

    Args:
        own: the model's chat template.
        bos, eos: how its beginning-of-text and end-of-text tokens are written, or "".
        is_token: whether a text is one token of the model.

    Returns:
        The name and the text; ChatML when there is nothing to go by.
    """
    families = {name: bundled_template(name) for name in BUNDLED_TEMPLATES}
    template = _compiled(own, bos, eos)
    if template is not None:
        marks = _marks(template)
        for name, source in families.items():
            if marks is not None and marks == _marks(ChatTemplate(source, bos, eos)):
                return name, source
        turns = read_turns(template, bos, eos)
        made = with_turns(turns.to_jinja()) if turns else ""
        if made and _marks(ChatTemplate(made, bos, eos)) == marks:
            return FITTING, made
    for name, source in families.items():
        if all(map(is_token, _MARK.findall("".join(_pieces(ChatTemplate(source)) or ())))):
            return name, source
    return CHATML, families[CHATML]


def read_turns(template: ChatTemplate, bos: str, eos: str) -> Turns | None:
    """The turns of a template; None where it does not write them one after the other.

    Args:
        bos, eos: what the template was made with.
    """
    pieces = _pieces(template)
    if pieces is None:
        return None
    start, to_reply, to_user, _, end = pieces
    # What ends the last reply is no part of the next user's turn.
    before_user = _common_end(start, to_user.removeprefix(_beginning(to_user, end, eos)))
    after_reply = to_user.removesuffix(before_user)
    alone = _render(template, [_message(0)], prompt=False)
    if not before_user or not after_reply.strip() or alone is None:
        return None
    after_user = _beginning(to_reply, alone.rsplit(_TEXTS[0], 1)[-1], eos)
    own_bos = bool(bos) and start.startswith(bos) and not before_user.startswith(bos)
    return Turns(
        opening=bos if own_bos else "",
        system=_system_turn(template, bos if own_bos else "", before_user),
        user=(before_user, after_user),
        reply=(to_reply[len(after_user) :], after_reply),
    )


def reply_end(template: ChatTemplate, bos: str = "", eos: str = "") -> str | None:
    """What a template writes after a reply, white space left out: it holds the end-of-turn token.

    `<|im_end|>`, `<end_of_turn>`, `<|eot_id|>`... None where it cannot be told.
    """
    turns = read_turns(template, bos, eos)
    return turns.reply[1].strip() if turns else None


def _beginning(text: str, end: str, eos: str) -> str:
    """`end` where the text begins with it; some templates write the end-of-text token after it."""
    return next((one for one in (end, end.removesuffix(eos)) if text.startswith(one)), "")


def _common_end(left: str, right: str) -> str:
    """The end that both texts have, without the rest of a mark that only one of them has whole."""
    pairs = zip(reversed(left), reversed(right), strict=False)
    length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    cut = len(left) - length
    return left[next((m.end() for m in _MARK.finditer(left) if m.start() < cut < m.end()), cut) :]


def _system_turn(template: ChatTemplate, opening: str, before_user: str) -> tuple[str, str] | None:
    text = _render(template, [{"role": "system", "content": _SYSTEM}, _message(0)], prompt=False)
    if text is None or text.count(_SYSTEM) != 1 or _TEXTS[0] not in text:
        return None
    before, rest = text.removeprefix(opening).split(_SYSTEM)
    between = rest.split(_TEXTS[0])[0]
    has_turn = before and not before.startswith(before_user) and between.endswith(before_user)
    return (before, between.removesuffix(before_user)) if has_turn else None


def _pieces(template: ChatTemplate) -> list[str] | None:
    """What stands before, between and after two questions and two replies (5 texts)."""
    text = _render(template, [_message(index) for index in range(len(_TEXTS))], prompt=False)
    asked = _render(template, [_message(0)], prompt=True)
    if text is None or asked is None or any(text.count(known) != 1 for known in _TEXTS):
        return None
    found = re.split("|".join(map(re.escape, _TEXTS)), text)
    return found if asked == found[0] + _TEXTS[0] + found[1] else None


def _marks(template: ChatTemplate) -> list[str] | None:
    """What tells families apart: what stands between the texts, without white space."""
    pieces = _pieces(template)
    return [_SPACE.sub("", piece) for piece in pieces[1:4]] if pieces else None


def _message(index: int) -> Message:
    return {"role": "assistant" if index % 2 else "user", "content": _TEXTS[index]}


def _compiled(source: str | None, bos: str, eos: str) -> ChatTemplate | None:
    """None without a template, and for one that is broken: it says nothing."""
    try:
        return None if source is None else ChatTemplate(source, bos, eos)
    except TooldrillError:
        return None


def _render(template: ChatTemplate, chat: list[Message], *, prompt: bool) -> str | None:
    """The text; None where the template refuses the conversation."""
    try:
        return template.text(chat, None, add_generation_prompt=prompt)
    except TooldrillError:
        return None


def _pair(marks: tuple[str, str]) -> str:
    return f"[{', '.join(map(_literal, marks))}]"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
