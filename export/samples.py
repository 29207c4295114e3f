"""Texts on which a GGUF is compared with its model: a few conversations, or neutral text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate

CONVERSATIONS = 3

NEUTRAL = (
    "The harbour wakes before the town does. By five the first boats are back, and the ice that "
    "was loaded at midnight has turned to grey water around the crates. Nobody speaks much.",
    "def moving_average(values, width):\n    total = sum(values[:width])\n    yield total / width\n"
    "    for old, new in zip(values, values[width:]):\n        total += new - old\n"
    "        yield total / width\n",
    '{"order": 4711, "items": [{"sku": "A-12", "count": 3}, {"sku": "B-07", "count": 1}], '
    '"ship_to": {"city": "Lyon", "country": "FR"}, "paid": true}',
    "Mix 500 g of flour with 320 g of water and leave it covered for 30 minutes. Add 10 g of salt "
    "and 2 g of yeast, knead for 8 minutes, then let the dough rest at 24 degrees.",
)


def sample_texts(samples: Path | None, template: ChatTemplate) -> list[str]:
    """A few rows of a JSONL of conversations (`messages`, `tools`) as the model reads them.

    Rows are taken evenly over the file. Without a file: `NEUTRAL`.

    Raises:
        TooldrillError: when the file is missing, is empty, or holds no conversations.
    """
    if samples is None:
        return list(NEUTRAL)
    try:
        lines = [line for line in samples.read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise TooldrillError(
            f"cannot read the samples in {samples}: {error.strerror}",
            "build them: tooldrill data build CONFIG",
        ) from error
    if not lines:
        raise TooldrillError(f"{samples} is empty", "build it again: tooldrill data build CONFIG")
    step = max(1, len(lines) // CONVERSATIONS)
    return [_render(line, template, samples) for line in lines[::step][:CONVERSATIONS]]


def _render(line: str, template: ChatTemplate, samples: Path) -> str:
    try:
        row = json.loads(line)
        messages, tools = _unpacked(row["messages"]), _unpacked(row.get("tools"))
    except (ValueError, KeyError, TypeError) as error:
        raise TooldrillError(
            f"{samples} holds a row that is no conversation: {line[:60]!r}",
            "build it again: tooldrill data build CONFIG --force",
        ) from error
    protocol = get_protocol("native")
    return template.render(messages, tools, protocol, add_generation_prompt=False)


def _unpacked(value: Any) -> Any:
    """Columns whose shape differs between rows are kept as JSON text in Parquet."""
    return json.loads(value) if isinstance(value, str) else value
