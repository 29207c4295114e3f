"""Drawing the training data: examples as the model sees them, and counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.data.sets.preview import CONTEXT_STYLE, LEARNED_STYLE, previews, to_html, to_text
from tooldrill.data.sets.reading import PAIR_COLUMNS, SFT_COLUMNS, read_rows
from tooldrill.data.sets.segments import Segment
from tooldrill.data.sets.stats import Spread, stats
from tooldrill.pipeline import Run

Entry = tuple[str, Sequence[Segment]]

_COUNTED = 1000  # rows whose tokens are counted


def show_examples(
    run: Run, count: int, *, pairs: bool, wanted: str | None = None, html: Path | None = None
) -> None:
    """Shows rows as the model will see them, in the terminal or as a page.

    Args:
        count: how many of the first rows.
        wanted: a trace's id; only its rows are shown.
        html: where to write a page instead of printing.

    Raises:
        TooldrillError: when the data set was not built, or holds no such trace.
    """
    rows = _rows(run, pairs)
    chosen = [row for row in rows if row["trace_id"] == wanted] if wanted else rows[:count]
    if not chosen:
        raise TooldrillError(
            f"no {'pair' if pairs else 'trace'} has the id {wanted!r}",
            "take an id from the data set, or one that an error names",
        )
    entries = _entries(run, chosen, pairs)
    if html is not None:
        write_text(html, to_html(entries))
        typer.echo(f"{len(chosen)} examples written to {html}", err=True)
        return
    console = Console(highlight=False)
    for title, pieces in entries:
        console.print(Rule(title, align="left"))
        console.print(to_text(pieces))
    console.print(Rule(align="left"))
    console.print(f"[{LEARNED_STYLE}]learned[/]  [{CONTEXT_STYLE}]context[/]")


def _entries(run: Run, rows: Sequence[dict[str, Any]], pairs: bool) -> Iterator[Entry]:
    template = _template(run)
    for row in rows:
        for name in _protocols(run, pairs):
            for title, pieces in previews(row, template, get_protocol(name)):
                yield f"{title} ({name})", pieces


def _protocols(run: Run, pairs: bool) -> Sequence[str]:
    training = run.config.training
    return training.dpo.protocols if pairs else training.sft.protocols


def show_statistics(run: Run) -> None:
    """Prints counts of both sets.

    Raises:
        TooldrillError: when the data set was not built.
    """
    console = Console(highlight=False)
    for pairs in (False, True) if run.config.data.pairs else (False,):
        rows = _rows(run, pairs)
        found = stats(rows)
        table = Table(
            title=f"{'Pairs' if pairs else 'Traces'}: {found.rows}",
            title_justify="left",
            title_style="bold",
        )
        for heading in ("", "value", "rows"):
            table.add_column(heading, justify="right" if heading == "rows" else "left")
        for column, counts in found.counts.items():
            for number, (value, count) in enumerate(counts.items()):
                table.add_row(column if number == 0 else "", value or "(none)", str(count))
            table.add_section()
        for name in ("steps", "tools", "characters"):
            table.add_row(name, _spread(getattr(found, name)), "")
        lengths, counted = _tokens(run, rows, pairs)
        table.add_row("tokens", _spread(lengths), str(counted))
        table.add_row("turns", "learned", str(found.learned_turns))
        table.add_row("", "context only", str(found.unlearned_turns))
        table.add_row("duplicates", "", str(found.duplicates))
        console.print(table)


def _tokens(run: Run, rows: Sequence[dict[str, Any]], pairs: bool) -> tuple[Spread, int]:
    """Lengths of rows spread over the set, in the tokens of the run's own model."""
    from tooldrill.training.base_model import load_tokenizer
    from tooldrill.training.find_base import resolve

    tokenizer = load_tokenizer(resolve(run.config.model))
    sample = rows[:: -(-len(rows) // _COUNTED)]
    texts = ("".join(p.text for p in pieces) for _, pieces in _entries(run, sample, pairs))
    lengths = [len(tokenizer(text)["input_ids"]) for text in texts]
    return Spread.of(lengths), len(sample)


def _rows(run: Run, pairs: bool) -> list[dict[str, Any]]:
    path = run.stage_folder("data") / ("dpo.parquet" if pairs else "sft.parquet")
    if not path.is_file():
        raise TooldrillError(
            f"no data set at {path}", f"run `tooldrill data build {run.config_path}` first"
        )
    return read_rows(path, PAIR_COLUMNS if pairs else SFT_COLUMNS)


def _template(run: Run) -> ChatTemplate:
    """The template that training will use."""
    from tooldrill.training.base_model import chat_template, load_tokenizer
    from tooldrill.training.find_base import resolve

    model = run.config.model
    if model.chat_template == "tooldrill":
        return ChatTemplate(bundled_template())
    base = resolve(model)
    tokenizer = load_tokenizer(base)
    source = chat_template(base, model, tokenizer)
    return ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")


def _spread(spread: Spread) -> str:
    return f"{spread.smallest} to {spread.largest}, median {spread.median:g}"
