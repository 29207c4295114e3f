"""The marks in which models write a name and its JSON arguments (`named_json`), model by model.

Only marks: how they are read and written is the dialect's work.
"""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tooldrill.agent.protocols.thinking import PLAIN, Frame

_NAME = r"([^\s\[\]{}<>|｜:]+)"


@dataclass(frozen=True, repr=False)
class Layout:
    """What stands around names and arguments; white space at the ends of a mark is not read.

    Attributes:
        name: the dialect's.
        opening: before the tool's name.
        arguments: between the name and its arguments.
        closing: after the arguments.
        between: between two calls of a reply.
        section: before the first call and after the last one.
        numbered: the name carries the number of its call.
        names: the pattern of a tool's name, as one group.
        heading: the pattern of all that stands before the arguments, where it has several forms;
            every group of it is a name.
        begun: the pattern with which a reply begins that makes calls, where that is no mark.
        lead: see `Dialect`; frame likewise.
    """

    name: str
    opening: str
    arguments: str
    closing: str = ""
    between: str = ""
    section: tuple[str, str] = ("", "")
    numbered: bool = False
    names: str = _NAME
    heading: str = ""
    begun: str = ""
    lead: str | None = ""
    frame: Frame = field(default=PLAIN)

    def __repr__(self) -> str:
        return self.name

    def head(self, name: str, identity: str) -> str:
        """What stands before the arguments."""
        return f"{self.opening}{name}{identity}{self.arguments}"

    def head_pattern(self) -> re.Pattern[str]:
        """The same as it is read."""
        if self.heading:
            return re.compile(self.heading)
        number = r":\d+\s*" if self.numbered else r"(?:\[CALL_ID\]\s*\w*\s*)?"
        opening, arguments = re.escape(self.opening), re.escape(self.arguments.strip())
        return re.compile(rf"{opening}\s*{self.names}\s*{number}{arguments}")


MISTRAL = Layout("named_json", "[TOOL_CALLS]", "[ARGS]", names=r"([^\[\]{}\s]+)")
DEEPSEEK = Layout(
    "deepseek",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>",
    "<｜tool▁call▁end｜>",
    section=("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
)
DEEPSEEK_R1 = Layout(
    "deepseek_r1",
    "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
    "\n```json\n",
    "\n```<｜tool▁call▁end｜>",
    between="\n",
    section=DEEPSEEK.section,
)
KIMI = Layout(
    "kimi",
    "<|tool_call_begin|>functions.",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
    section=("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
    numbered=True,
)

# gpt-oss: each message of a reply names its channel; a call also names the tool as its recipient.
_AGAIN = r"(?:<\|start\|>assistant)?"
_CHANNEL = r"<\|channel\|>(?:commentary|analysis)"
_RECIPIENT = rf"\s*+to=functions\.{_NAME}\s*+"
_FORMAT = r"\s*+(?:(?:<\|constrain\|>)?\w+)?\s*+<\|message\|>"
HARMONY = Layout(
    "harmony",
    " to=functions.",
    "<|channel|>commentary json<|message|>",
    between="<|call|><|start|>assistant",
    heading=(
        rf"(?:<\|call\|>)?{_AGAIN}"
        rf"(?:{_RECIPIENT}{_CHANNEL}|\s*+{_CHANNEL}{_RECIPIENT}){_FORMAT}"
    ),
    begun=rf"\s*+(?:<\|call\|>)?{_AGAIN}\s*+(?:{_CHANNEL})?\s*+to=",
    lead="<|start|>assistant",
    frame=Frame(
        # A message in the commentary channel that calls nothing is a preamble.
        begin=rf"{_AGAIN}(?:\s*to=assistant)?{_CHANNEL}<\|message\|>",
        end="<|end|>",
        thought=("<|channel|>analysis<|message|>", "<|end|>"),
        answer=(rf"{_AGAIN}<\|channel\|>final(?:\s*+(?:<\|constrain\|>)?\w+)?<\|message\|>", ""),
        marks=r"<\|(?:start|channel|message|constrain|end|call|return)\|>",
    ),
)
LAYOUTS = (MISTRAL, DEEPSEEK, DEEPSEEK_R1, KIMI, HARMONY)
