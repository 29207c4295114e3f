"""`data_card.md`: what the data set is, how it was made, and what is in it, in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from tooldrill.data.sets.stats import Spread, Stats
from tooldrill.data.settings import DataSettings

_INTRO = """# Data card

Tool-call traces and preference pairs made by tooldrill. Every wrong reply was read back by the
checker that names its violation.

- `sft.parquet`, `sft.jsonl`: `messages` and `tools` in OpenAI shape, as TRL reads them. Assistant
  turns with `weight: 0` are context and are not to be learned.
- `dpo.parquet`, `dpo.jsonl`: `prompt`, `chosen`, `rejected`, `tools`; the two replies differ in the
  violation alone.
- A turn with `malformed: true` holds text that cannot be read as a call, written as the native
  protocol would be damaged; its `damage` record says how, so that other protocols damage theirs.
- The Parquet files hold the same rows as the JSONL files; nested columns are JSON values, so
  arguments keep their types: `datasets.load_dataset("parquet", data_files=...)`. Of JSON lines
  `datasets` reads some decimals as their neighbours (1.95 as 1.9500000000000002); Parquet is exact.
"""


def data_card(settings: DataSettings, sft: Stats, dpo: Stats | None) -> str:
    """The page for one build."""
    parts = [_INTRO, _sources(settings), _settings(settings), _made_with(settings)]
    parts.append(_section("SFT traces", sft))
    if dpo is not None:
        parts.append(_section("DPO pairs", dpo))
    return "\n".join(parts)


def _sources(settings: DataSettings) -> str:
    mixture, lines = settings.mixture, ["## Sources", ""]
    if mixture.worlds:
        lines.append("- worlds: carried out in a sandbox, the end state checked.")
    if mixture.forge:
        lines.append("- forge: generated worlds, carried out and checked in the same way.")
    if mixture.harvest:
        lines.append(
            "- harvest: real schemas of installed packages; single calls that were checked against "
            "their schema and not carried out."
        )
    lines += [
        f"- {file.path}: made elsewhere (imported, a teacher's, or a model's own failures); taken "
        "as it is, under the licence of its origin."
        for file in settings.files
    ]
    if not settings.files:
        lines += ["", "No text of a benchmark and no output of another model is in it."]
    return "\n".join(lines) + "\n"


def _settings(settings: DataSettings) -> str:
    lines = ["## Settings", "", "| key | value |", "|---|---|"]
    # How many processes made it says nothing about the data.
    shown = settings.model_dump(mode="json", exclude={"workers"})
    lines += [f"| {key} | {value} |" for key, value in shown.items()]
    return "\n".join(lines) + "\n"


def _made_with(settings: DataSettings) -> str:
    versions = {"faker": metadata.version("faker")}
    if settings.mixture.harvest > 0:
        from tooldrill.data.harvest import package_versions

        versions |= package_versions()
    lines = ["## Made with", "", "These settings and versions give these bytes.", ""]
    lines += ["| package | version |", "|---|---|"]
    lines += [f"| {name} | {version} |" for name, version in versions.items()]
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
