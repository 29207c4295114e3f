"""`data_card.md`: what the data set is, how it was made, and what is in it, in numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tooldrill.data.sets.stats import Spread, Stats
from tooldrill.data.settings import DataSettings

_INTRO = """# Data card

Tool-call traces and preference pairs made by tooldrill. Every trace was carried out in a sandboxed
world and its end state checked; every wrong reply was read back by the checker that names its
violation. No text of a benchmark and no output of another model is in it.

- `sft.parquet`, `sft.jsonl`: `messages` and `tools` in OpenAI shape, as TRL reads them. Assistant
  turns with `weight: 0` are context and are not to be learned.
- `dpo.parquet`, `dpo.jsonl`: `prompt`, `chosen`, `rejected`, `tools`; the two replies differ in the
  violation alone.
- A turn with `malformed: true` holds text that cannot be read as a call, written as the native
  protocol would be damaged; its `damage` record says how, so that other protocols damage theirs.
- The Parquet files hold the same rows as the JSONL files; nested columns are JSON values, so
  arguments keep their types: `datasets.load_dataset("parquet", data_files=...)`.
"""


def data_card(settings: DataSettings, sft: Stats, dpo: Stats | None) -> str:
    """The page for one build."""
    parts = [_INTRO, _settings(settings), _section("SFT traces", sft)]
    if dpo is not None:
        parts.append(_section("DPO pairs", dpo))
    return "\n".join(parts)


def _settings(settings: DataSettings) -> str:
    lines = ["## Settings", "", "| key | value |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in settings.model_dump(mode="json").items()]
    return "\n".join(lines) + "\n"


def _section(title: str, found: Stats) -> str:
    return "\n".join([f"## {title}", "", *_lines(found)]) + "\n"


def _lines(found: Stats) -> Iterator[str]:
    yield from ("| | smallest | median | largest | mean |", "|---|---|---|---|---|")
    for name in ("steps", "tools", "characters"):
        spread: Spread = getattr(found, name)
        yield (
            f"| {name} | {spread.smallest} | {spread.median:g} | {spread.largest} "
            f"| {spread.mean:g} |"
        )
    yield ""
    yield (
        f"{found.rows} rows, {found.duplicates} duplicates; {found.learned_turns} learned turns, "
        f"{found.unlearned_turns} with weight 0."
    )
    for column, counts in found.counts.items():
        yield from ("", f"| {column} | rows |", "|---|---|")
        for value, number in counts.items():
            yield f"| {value or '(none)'} | {number} |"
