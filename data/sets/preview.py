"""A row shown as the model will see it, coloured by what is learned: terminal and HTML.

It draws the same segments that training masks by, so what is seen is what is learned.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.sets.segments import Segment, renderings, segments, side_row

LEARNED_STYLE = "black on green"
CONTEXT_STYLE = "dim"
LEARNED_BRACKETS = ("\u27e6", "\u27e7")  # white square brackets: no conversation has them

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>tooldrill data preview</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; color: #222; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #ccc; padding: 1rem;
  border-radius: 6px; color: #666; }}
mark {{ background: #c9efcf; color: #0b3d17; border-radius: 3px; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #161616; color: #ddd; }} pre {{ color: #999; border-color: #444; }}
  mark {{ background: #1d5129; color: #d9f7df; }}
}}
</style></head><body>
<p><mark>Marked</mark> text is learned; the rest is context.</p>
{body}
</body></html>
"""


def previews(
    row: Mapping[str, Any], template: ChatTemplate, protocol: CallProtocol
) -> list[tuple[str, list[Segment]]]:
    """Titles and segments: of an SFT row its text or texts, of a pair both sides."""
    note = " ".join(str(row[key]) for key in ("trace_id", "violation") if row.get(key))
    if "messages" in row:
        texts = renderings(row, template, protocol)
        if len(texts) == 1:
            return [(note, texts[0])]
        return [(f"{note} turn {n} of {len(texts)}", text) for n, text in enumerate(texts, 1)]
    return [
        (f"{note} {side}", segments(side_row(row, side), template, protocol))
        for side in ("chosen", "rejected")
    ]


def to_text(pieces: Sequence[Segment], *, colours: bool = True) -> Text:
    """The segments for a terminal: learned ones stand out, the rest is dim.

    Args:
        colours: False puts brackets around what is learned instead.
    """
    text = Text()
    for piece in pieces:
        if piece.learned and not colours:
            text.append(f"{LEARNED_BRACKETS[0]}{piece.text}{LEARNED_BRACKETS[1]}")
        else:
            text.append(piece.text, LEARNED_STYLE if piece.learned else CONTEXT_STYLE)
    return text


def to_html(entries: Iterable[tuple[str, Sequence[Segment]]]) -> str:
    """One self-contained page with every titled entry."""
    parts = []
    for title, pieces in entries:
        inside = "".join(_span(piece) for piece in pieces)
        parts.append(f"<h2>{html.escape(title)}</h2>\n<pre>{inside}</pre>")
    return _PAGE.format(body="\n".join(parts))


def _span(piece: Segment) -> str:
    text = html.escape(piece.text)
    return f"<mark>{text}</mark>" if piece.learned else text
