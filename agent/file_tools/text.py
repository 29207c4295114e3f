"""Text in files as tools see it: lines, line ends, encodings, and what is no text at all.

A line ends with a line feed, as editors and `grep` count, perhaps after a carriage return; other
characters that Unicode calls line ends are part of it. Where a file lies is the work of `folder`.
"""

from __future__ import annotations

import codecs
import re
import sys

from tooldrill.agent.environment import ToolError

MARK = "\ufeff"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LOOKED_AT = 8192
_NATIVE = "le" if sys.byteorder == "little" else "be"
# Encodings that write a byte-order mark, and how a file that has one goes on.
_MARKED = {
    "utf-8-sig": ((b"", "utf-8"),),
    "utf-16": (
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", f"utf-16-{_NATIVE}"),
    ),
    "utf-32": (
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", f"utf-32-{_NATIVE}"),
    ),
}


def lines_of(text: str) -> list[str]:
    """The lines without their ends, as they are shown; no byte-order mark before the first."""
    return [line.rstrip("\n").removesuffix("\r") for line in whole_lines(text.removeprefix(MARK))]


def whole_lines(text: str) -> list[str]:
    """The lines with their ends; joined they are the text."""
    return _LINE.findall(text)


def ending_of(text: str) -> str:
    """How a file ends its lines, by its first one."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def ended_like(text: str, ending: str) -> str:
    """The text with a file's own line ends, so that none has two kinds of them."""
    return text.replace("\r\n", "\n").replace("\n", ending) if ending == "\r\n" else text


def decoded(data: bytes, encoding: str) -> str:
    """The text; what is not of the encoding is replaced.

    Raises:
        ToolError: when there is no such encoding.
    """
    try:
        return data.decode(encoding, errors="replace")
    except UnicodeError:
        raise
    except (LookupError, ValueError):  # a name with a null character is no value
        raise _no_encoding(encoding) from None


def encoded(text: str, encoding: str) -> bytes:
    """The bytes of the text.

    Raises:
        ToolError: when there is no such encoding.
        UnicodeError: when it has no bytes for a character.
    """
    try:
        return text.encode(encoding)
    except UnicodeError:
        raise
    except (LookupError, ValueError):
        raise _no_encoding(encoding) from None


def is_text(data: bytes, encoding: str) -> bool:
    """Whether bytes can be shown: none are zero, but where an encoding makes them of characters."""
    return encoded("\n", encoding) != b"\n" or b"\0" not in data[:_LOOKED_AT]


def appended(before: bytes, content: str, encoding: str, ensure_newline: bool) -> bytes:
    """A file's bytes with text added at their end, in their own line ends and byte order.

    Args:
        ensure_newline: what is added starts and ends on a line of its own.

    Raises:
        ToolError: when there is no such encoding.
        UnicodeError: when it has no bytes for a character.
    """
    encoded("", encoding)
    inner = _going_on(before, encoding) if before else encoding
    text = decoded(before, inner).removeprefix(MARK)
    ending = ending_of(text)
    if ensure_newline:
        content = content if content.endswith("\n") else content + "\n"
        if text and not text.endswith("\n"):
            before += encoded(ending, inner)
    return before + encoded(ended_like(content, ending), inner)


def _going_on(before: bytes, encoding: str) -> str:
    """The encoding without its mark: there is one at the beginning, and none belongs later."""
    choices = _MARKED.get(codecs.lookup(encoding).name, ())
    return next((inner for mark, inner in choices if before.startswith(mark)), encoding)


def _no_encoding(encoding: str) -> ToolError:
    return ToolError(f"no such encoding: {encoding}")
