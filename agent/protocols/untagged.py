"""Calls written without the tags they need: as bare JSON, or in the marks of another dialect.

Such a reply is an attempt to call, and must not pass for a conclusion. A conclusion that holds
records, code or the word "action" must not pass for a call either: what counts is an object that
names a tool *and* gives it arguments, or a mark that no ordinary text carries.
"""

from __future__ import annotations

import json
import re

# Marks of other dialects. One right after a backtick is being talked about.
_MARKS = re.compile(
    r"""(?<!`)(?:
      \[TOOL_CALLS\]                                          # Mistral
    | <function=[\w.-]+ | <function_calls?> | <invoke\ name=  # Llama, Qwen coder, Anthropic
    | <\|python_tag\|> | <\|tool_calls?(?:_start|_begin|_section_begin)?\|?>
    | <[|\uff5c](?:DSML[|\uff5c])?(?:tool▁calls?▁begin|function_calls?|invoke)  # DeepSeek
    | <tool_use> | <tool_code> | <tool_calls> | <TOOLCALL> | <start_function_call>
    | <arg_key> | <minimax:tool_call> | <\|START_ACTION\|>      # GLM, MiniMax, Cohere
    | <\|channel\|>commentary\ to=functions\.                 # Harmony
    | \bto=functions\.[\w.-]+\s*<\|(?:channel|message)\|>
    )
    | ^[ \t]*```[ \t]*tool_(?:calls?|code)\b                  # Gemma and others
    | ^[ \t]*Action[ \t]*:[^\n]*\n\s*Action[ _]?Input[ \t]*:  # ReAct as plain text
    """,
    re.VERBOSE | re.MULTILINE,
)
# The whole reply is one call in Python's syntax, with named arguments.
_PYTHON_CALL = re.compile(r"(?:\[\s*)?[A-Za-z_][\w.]*\(\s*[A-Za-z_]\w*\s*=(?!=)[^\n]*\)(?:\s*\])?")

_FENCE = "```"
_FENCE_OPENING = re.compile(r"\A```\w*\s*")
# Languages of a fence whose content may be a call; in others an object is part of a listing.
_DATA_LANGUAGES = frozenset({"", "json", "jsonc", "json5", "xml", "text", "txt", "plaintext"})


# What has been seen of one object, as bits of a plain int (an enum's flags take ten times as long).
_NAME = 1  # "name": a string, as records have it too
_TOOL = 2  # "tool", "action"...: a string
_ARGUMENTS = 4  # an object (or its JSON text) that can only be arguments
_PARAMETERS = 8  # arguments, or the schema of a tool's definition
_INPUT = 16  # arguments only beside _TOOL or _TOOL_USE
_TOOL_USE = 32
_DESCRIPTION = 64  # together with _PARAMETERS: it defines a tool
_PROPERTIES = 128  # it is a schema
_CALLS = 256  # "tool_calls" and the like
_CODE = 512  # it is assigned or passed in a listing

_TEXT, _OBJECT = r"(?=\s*[\"'])", r"(?=\s*[\"']?\s*\{)"
# A key with the value it must have; keys that ordinary code uses must be quoted.
_KEYS: tuple[tuple[int, str, str, str], ...] = (
    (_NAME, "name", _TEXT, "?"),
    (_TOOL, "tool|tool_name|function|function_name|action", _TEXT, ""),
    (_ARGUMENTS, "arguments", _OBJECT, "?"),
    (_ARGUMENTS, "args|kwargs|tool_input|action_input|tool_args", _OBJECT, ""),
    (_PARAMETERS, "parameters", _OBJECT, ""),
    (_INPUT, "input|params", _OBJECT, ""),
    (_TOOL_USE, "type", r"(?=\s*[\"']tool_use[\"'])", ""),
    (_DESCRIPTION, "description", "", ""),
    (_PROPERTIES, "properties", _OBJECT, ""),
    (_CALLS, "tool_calls", r"(?=\s*\[\s*\{)", ""),
    (_CALLS, "tool_call|function_call", r"(?=\s*\{)", ""),
)
_TOKEN = re.compile(
    r"(?P<open>\{)|(?P<close>\})|"
    + "|".join(
        rf"(?P<k{i}>(?<![\w\"'])[\"']{quote}\b(?:{words})[\"']{quote}\s*:{value})"
        for i, (_, words, value, quote) in enumerate(_KEYS)
    )
    # A string that is not closed ends with its line, so that none is looked at twice.
    + r'|(?P<string>"(?:[^"\\\n]|\\.)*"?)',
)
_ANY_NAME = re.compile("name|tool|function|action")
_CUT_IN_ARGUMENTS = re.compile(r",\s*[\"']?ar(?:g\w*)?[\"']?\s*:?\s*\Z")
_TOOL_WORDS = "tool|tool_name|tool_call|function|function_name|function_call|action"
_TOOL_FIRST = re.compile(rf"(?:\[\s*)?\{{\s*[\"']?(?:{_TOOL_WORDS})[\"']?\s*:\s*[\"'{{]")
_THOUGHT_FIRST = re.compile(r"(?:\[\s*)?\{\s*[\"']?thought[\"']?\s*:")
_TOOL_KEY = re.compile(rf"[\"'](?:{_TOOL_WORDS})[\"']\s*:\s*[\"'{{]")
_NAME_FIRST = re.compile(r"(?:\[\s*)?\{\s*[\"']?name[\"']?\s*:\s*[\"']")


def is_untagged_call(text: str) -> bool:
    """Whether a reply without tags is an attempt to call a tool; linear in its length."""
    prose = _without_listings(text)
    return (
        _MARKS.search(prose) is not None
        or _PYTHON_CALL.fullmatch(text.strip()) is not None
        or find_call_object(prose) is not None
        or _is_bare_object_with_a_tool(text)
    )


def find_call_object(text: str) -> int | None:
    """Index of the first object in `text` that names a tool and gives it arguments."""
    stack: list[tuple[int, int]] = []
    at = text.find("{") if _ANY_NAME.search(text) else -1
    while at >= 0:
        token = _TOKEN.search(text, at)
        if token is None:
            break
        at = token.end()
        kind = token.lastgroup or ""
        if kind == "open":
            stack.append((token.start(), _opening(text, token.start(), stack)))
        elif kind == "close":
            start, holds = stack.pop()
            if _calls_a_tool(holds):
                return start
        elif kind != "string":
            _note(stack, _KEYS[int(kind[1:])][0])
        if not stack:
            at = text.find("{", at)
    return next((start for start, holds in stack if _is_call_when_cut(text, start, holds)), None)


def _opening(text: str, start: int, stack: list[tuple[int, int]]) -> int:
    before = start - 2 if text.startswith(" ", start - 1) else start - 1
    if before >= 0 and text[before] in "=(":
        return _CODE
    return stack[-1][1] & _CODE if stack else 0


def _calls_a_tool(holds: int) -> bool:
    """Whether an object that holds this is a call."""
    if holds & _CODE:
        return False
    if holds & _CALLS:
        return True
    defines = holds & (_DESCRIPTION | _PROPERTIES)
    if holds & _ARGUMENTS or (holds & _PARAMETERS and not defines):
        return bool(holds & (_NAME | _TOOL))
    return bool(holds & _INPUT and holds & (_TOOL | _TOOL_USE))


def _note(stack: list[tuple[int, int]], holds: int) -> None:
    start, known = stack[-1]
    stack[-1] = (start, known | holds)
    # "properties" inside "parameters" tell that the object around it defines a tool.
    if holds == _PROPERTIES and len(stack) > 1:
        outer, known = stack[-2]
        stack[-2] = (outer, known | holds)


def _is_call_when_cut(text: str, start: int, holds: int) -> bool:
    """Whether an object that the text leaves open is a call."""
    if _calls_a_tool(holds):
        return True
    if not holds & (_NAME | _TOOL) or holds & _CODE:
        return False
    return _CUT_IN_ARGUMENTS.search(text, max(start, len(text) - 40)) is not None


def _without_listings(text: str) -> str:
    """The text without the fenced blocks of a programming language.

    A block that is nothing but an object stays, whatever its language.
    """
    parts = text.split(_FENCE)
    kept = parts[:1]
    for i, part in enumerate(parts[1:], 1):
        language, _, content = part.partition("\n")
        word = language.strip().lower()
        listing = i % 2 and word not in _DATA_LANGUAGES and not word.startswith(("tool", "{", "["))
        kept.append("\n" if listing and content.lstrip()[:1] not in ("{", "[") else part)
    return _FENCE.join(kept)


def _is_bare_object_with_a_tool(text: str) -> bool:
    """Whether the reply begins with an object that names a tool, though perhaps no arguments.

    An object with a "name" and other keys is a record where it can be read, and a call that broke
    off or broke down where it cannot.
    """
    body = text.strip()
    if body.startswith(_FENCE):
        body = _FENCE_OPENING.sub("", body, count=1)
    if _TOOL_FIRST.match(body) or (_THOUGHT_FIRST.match(body) and _TOOL_KEY.search(body)):
        return True
    if _NAME_FIRST.match(body) is None:
        return False
    try:
        value, _ = json.JSONDecoder().raw_decode(body)
    except (ValueError, RecursionError):
        return True
    return isinstance(value, dict) and value.keys() == {"name"}
