"""Texts on which a model is compared with what is made of it: conversations nobody trained on.

A sample is a conversation as training renders and cuts it, with the positions at which logits are
compared: all that a learned token follows, and some of the others. Comparing is `compare`'s work.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.sets.segments import renderings
from tooldrill.export.records import SampleFacts, SampleOrigin
from tooldrill.training.examples import IGNORED, Encoder, Row

CONVERSATIONS = 3
# Of which the shortest are taken: every token is computed five times and more.
DRAWN, READ = 6, 12
MAX_TOKENS = 320  # of a conversation; more where its first learned turn ends later
SHOWN = 8  # tokens
LEARNED_POSITIONS, OTHER_POSITIONS = 96, 48  # most of each, of a conversation

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


@dataclass(frozen=True)
class Sample:
    """One text of n tokens.

    Attributes:
        tokens: ids.
        positions: after which of them logits are compared, ascending.
        learned: for each of the positions, the learned token that follows, or -100.
    """

    text: str
    tokens: list[int]
    positions: list[int]
    learned: list[int]


@dataclass(frozen=True)
class Samples:
    """What is compared on.

    Attributes:
        template: the chat template that the conversations were rendered with; None: neutral text.
    """

    origin: SampleOrigin
    items: list[Sample]
    tokenizer: Any
    template: str | None = None

    def shown(self, tokens: Sequence[int]) -> str:
        """The end of a text, to find the place by."""
        text: str = self.tokenizer.decode(list(tokens[-SHOWN:]))
        return text

    @property
    def texts(self) -> list[str]:
        return [sample.text for sample in self.items]

    @property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return max(len(sample.tokens) for sample in self.items)

    @property
    def facts(self) -> SampleFacts:
        return SampleFacts(
            origin=self.origin,
            texts=len(self.items),
            tokens=sum(len(sample.tokens) for sample in self.items),
            positions=sum(len(sample.positions) for sample in self.items),
            learned=sum(t != IGNORED for sample in self.items for t in sample.learned),
        )


def read_samples(path: Path | None, template: ChatTemplate, tokenizer: Any) -> Samples:
    """A few conversations as the model reads them.

    Args:
        path: a JSONL of rows with `messages` and `tools`, taken evenly over the file; None:
            conversations in the held-out worlds, the same every time.
        template: of the training.

    Raises:
        TooldrillError: when the file is missing, is empty, or holds no conversations.
    """
    origin: SampleOrigin
    if path is None:
        origin, rows = "held-out worlds", _drawn_rows()
    else:
        origin, rows = "file", _file_rows(path)
    encoder = Encoder(tokenizer, template, max_length=1 << 30)
    protocol = _protocol(template)
    found = [_rendered(row, template, protocol, encoder, tokenizer) for row in rows]
    found = [sample for sample in found if sample.positions]
    if not found:
        raise TooldrillError(f"{path} holds no text", "build it again: tooldrill data build CONFIG")
    shortest = sorted(found, key=_cost)[:CONVERSATIONS]
    return Samples(origin, shortest, tokenizer, template.source)


def neutral_samples(tokenizer: Any, texts: Sequence[str] = NEUTRAL) -> Samples:
    """Plain text, of which every token counts as learned.

    Raises:
        TooldrillError: when there is no text of two tokens.
    """
    encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    items = [
        _sample(text, Row(ids, ids, [1.0] * len(ids)))
        for text, ids in zip(texts, encoded, strict=True)
        if len(ids) > 1
    ]
    if not items:
        raise TooldrillError("there is no text to verify with", "give samples that are not empty")
    return Samples("neutral", items, tokenizer)


def _drawn_rows() -> list[dict[str, Any]]:
    """Oracle traces in the held-out worlds, with few tools: what they compute is not cheap."""
    from tooldrill.data.tasks.making import make_tasks
    from tooldrill.data.tasks.task import Split
    from tooldrill.data.traces import record
    from tooldrill.data.worlds.catalog import world_names

    worlds = world_names(Split.HELDOUT)
    tasks = make_tasks(worlds, DRAWN, "export", (3, 4), recovery=0.2, restraint=0.0)
    traces = (record(task, random.Random("export")) for task in tasks)
    return [trace.row() for trace in traces if trace is not None]


def _file_rows(path: Path) -> list[dict[str, Any]]:
    try:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise TooldrillError(
            f"cannot read the samples in {path}: {error.strerror}",
            "build them: tooldrill data build CONFIG",
        ) from error
    if not lines:
        raise TooldrillError(f"{path} is empty", "build it again: tooldrill data build CONFIG")
    step = max(1, len(lines) // READ)
    return [_row(line, path) for line in lines[::step][:READ]]


def _row(line: str, path: Path) -> dict[str, Any]:
    try:
        row = json.loads(line)
        messages, tools = _unpacked(row["messages"]), _unpacked(row.get("tools")) or []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TooldrillError(
            f"{path} holds a row that is no conversation: {line[:60]!r}",
            "build it again: tooldrill data build CONFIG --force",
        ) from error
    return {"trace_id": str(row.get("trace_id", "?")), "messages": messages, "tools": tools}


def _unpacked(value: Any) -> Any:
    """Columns whose shape differs between rows are kept as JSON text in Parquet."""
    return json.loads(value) if isinstance(value, str) else value


def _protocol(template: ChatTemplate) -> CallProtocol:
    """How calls are written: by the template where it can."""
    form = template.form
    native = form.dialect is not None and form.shows_tools
    return template.protocol("native" if native else "react_json")


def _rendered(
    row: dict[str, Any],
    template: ChatTemplate,
    protocol: CallProtocol,
    encoder: Encoder,
    tokenizer: Any,
) -> Sample:
    """The row as training would learn it; where nothing of it can be learned, as it is read."""
    try:
        tokens = encoder.example(row, protocol).sequences[0]
        text = "".join(piece.text for piece in renderings(row, template, protocol)[0])
    except TooldrillError:
        text = template.render(row["messages"], row["tools"], protocol, add_generation_prompt=False)
        ids = tokenizer.encode(text, add_special_tokens=False)
        tokens = Row(ids, [IGNORED] * len(ids), [0.0] * len(ids))
    return _sample(text, tokens)


def _sample(text: str, row: Row) -> Sample:
    """Cuts the row off and picks its positions."""
    following = row.labels[1:]
    end = min(len(following), max(MAX_TOKENS, _end_of_first_turn(following)))
    learned = [at for at in range(end) if following[at] != IGNORED]
    others = [at for at in range(end) if following[at] == IGNORED]
    chosen = sorted([*_spread(learned, LEARNED_POSITIONS), *_spread(others, OTHER_POSITIONS)])
    # The last position's own token is read; the one that follows it is only expected.
    return Sample(text, row.input_ids[:end], chosen, [following[at] for at in chosen])


def _cost(sample: Sample) -> tuple[int, int]:
    """What reading it takes; of those that are cut off alike the shortest is first."""
    return len(sample.tokens), len(sample.text)


def _end_of_first_turn(labels: Sequence[int]) -> int:
    """Where the first run of learned tokens ends; 0 where there is none."""
    begin = next((at for at, label in enumerate(labels) if label != IGNORED), None)
    if begin is None:
        return 0
    return next((at for at in range(begin, len(labels)) if labels[at] == IGNORED), len(labels))


def _spread(places: list[int], most: int) -> list[int]:
    """At most `most` of them, evenly over the text."""
    if len(places) <= most:
        return places
    return [places[index * len(places) // most] for index in range(most)]
