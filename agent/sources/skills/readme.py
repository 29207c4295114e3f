"""The sentence of a README that says what the thing is: its first line of prose.

Titles, badges, tables, lists, code, comments and front matter are passed over. Markdown is parsed
by markdown-it; what is decided here is which of it is prose.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\n(?:.*\n)*?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)")
# Of HTML, what holds no prose, with all that is inside; then the tags around the rest.
_HTML_NOT_PROSE = re.compile(
    r"<!--.*?(?:-->|\Z)|<(h[1-6]|script|style|pre|table|summary|[uo]l)\b.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_HTML_TAG = re.compile(r"</?[A-Za-z!][^<>]*>")

# Blocks whose text is not prose. A quotation may be: some write the description as one.
_NOT_PROSE = frozenset({"heading", "bullet_list", "ordered_list", "table"})


def first_prose_line(text: str) -> str:
    """The first line of prose as plain text; empty when there is none."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    text = _FRONT_MATTER.sub("", text, count=1) if _FRONT_MATTER.match(text) else text
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    for line in _lines(tokens):
        plain = " ".join(line.split())
        # `[!NOTE]` opens a call-out; a line of dots or dashes says nothing.
        if any(c.isalnum() for c in plain) and not re.fullmatch(r"\[!\w+\]", plain):
            return plain
    return ""


def _lines(tokens: list[Token]) -> Iterator[str]:
    depth = 0
    for token in tokens:
        if token.type.removesuffix("_open").removesuffix("_close") in _NOT_PROSE:
            depth += token.nesting
        elif depth == 0 and token.type == "html_block":
            yield from _html_lines(token.content)
        elif depth == 0 and token.type == "inline":
            yield from _inline_text(token.children or []).split("\n")


def _html_lines(content: str) -> list[str]:
    """The lines of an HTML block without comments, tags, titles and lists."""
    prose = _HTML_NOT_PROSE.sub("", content)
    return html.unescape(_HTML_TAG.sub("", prose)).split("\n")


def _inline_text(children: list[Token]) -> str:
    """Text without its markup; images and HTML tags have none."""
    parts = []
    for child in children:
        if child.type in ("text", "code_inline", "text_special"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
    return "".join(parts)
