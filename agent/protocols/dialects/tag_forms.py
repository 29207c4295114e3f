"""The tags in which models write a call with a tag for each argument (`tagged`), model by model.

Only tags: how they are read and written is the dialect's work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tooldrill.agent.protocols.dialects.base import Notation

_LINE = r"(?=[^<>\n]*[^<>\s])[^<>\n]++"
_WORD = r"[^\s<>{}()\[\]\"',:]++"
_QUOTED = r"(?=[^<>\n\"]*[^<>\s\"])[^<>\n\"]++"


@dataclass(frozen=True, repr=False)
class TagForm:
    """What stands around a call, its tool's name, its arguments' names and their values.

    Attributes:
        name: the dialect's; notation likewise.
        section: around a call.
        shared: one section holds all calls of a reply, not one each.
        function: around the tool's name; empty where it stands right after the section's opening.
        end_function: after the last argument, or nothing.
        parameter: before an argument's name, after it, and before its value.
        end_value: after the value.
        names: the pattern of a tool's or an argument's name.
    """

    name: str
    notation: Notation
    section: tuple[str, str]
    function: tuple[str, str]
    end_function: str
    parameter: tuple[str, str, str]
    end_value: str
    names: str = _LINE
    shared: bool = False

    def __repr__(self) -> str:
        return self.name

    @property
    def end(self) -> str:
        """What ends the arguments."""
        return self.end_function or self.section[1]

    def shape(self) -> str:
        """How a call is written, for messages."""
        name, key = "name".join(self.function), "{}key{}{}".format(*self.parameter)
        opening, closing = self.section
        return f"{opening}{name}{key}value{self.end_value}{self.end_function}{closing}"

    def head_pattern(self) -> re.Pattern[str]:
        """The tool's name between its tags, as read after the section's opening."""
        before, after = map(re.escape, self.function)
        # Without tags of its own a name ends where the next tag begins.
        return re.compile(rf"{before}({self.names})" + (after or r"(?=\s*<)"))

    def key_pattern(self) -> re.Pattern[str]:
        """An argument's name between its tags, up to its value."""
        before, after, value = map(re.escape, self.parameter)
        return re.compile(rf"{before}({self.names}){after}" + (rf"\s*{value}" if value else ""))


QWEN = TagForm(
    "tagged",
    "tags",
    ("<tool_call>", "</tool_call>"),
    ("<function=", ">"),
    "</function>",
    ("<parameter=", ">", ""),
    "</parameter>",
)
GLM = TagForm(
    "glm",
    "keys",
    ("<tool_call>", "</tool_call>"),
    ("", ""),
    "",
    ("<arg_key>", "</arg_key>", "<arg_value>"),
    "</arg_value>",
    names=_WORD,
)
MINIMAX = TagForm(
    "minimax",
    "invokes",
    ("<minimax:tool_call>", "</minimax:tool_call>"),
    ('<invoke name="', '">'),
    "</invoke>",
    ('<parameter name="', '">', ""),
    "</parameter>",
    names=_QUOTED,
    shared=True,
)
