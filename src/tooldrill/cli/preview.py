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
from tooldrill.agent.protocols.catalog import PROTOCOLS
from tooldrill.agent.render import BUNDLED_TEMPLATES, ChatTemplate, bundled_template
from tooldrill.data.corrupt.damage import is_expressible
from tooldrill.data.sets.preview import previews, to_html, to_text
from tooldrill.data.sets.reading import PAIR_COLUMNS, SFT_COLUMNS, read_rows
from tooldrill.data.sets.segments import Segment
from tooldrill.data.sets.stats import Spread, stats
from tooldrill.pipeline import Run

Entry = tuple[str, Sequence[Segment]]

_COUNTED = 1000  # rows whose tokens are counted
_LISTED = 20  # values of a column that are listed


def show_examples(
    run: Run,
    count: int,
    *,
    pairs: bool,
    wanted: str | None = None,
    html: Path | None = None,
    protocol: str | None = None,
) -> None:
    """Shows rows as the model will see them, in the terminal or as a page.

    Args:
        count: how many of the first rows.
        wanted: a trace's id, or an example's as training names it (`ID/protocol`); only its rows
            are shown.
        html: where to write a page instead of printing.
        protocol: shown in this one; otherwise in those that training uses.

    Raises:
        TooldrillError: when the data set was not built, or holds no such trace.
    """
    protocols = [protocol] if protocol else _protocols(run, pairs)
    if wanted:
        trace_id, _, named = wanted.rpartition("/")
        if named in PROTOCOLS:
            wanted, protocols = trace_id, [named]
    chosen = _chosen(run, count, pairs, wanted)
    entries = _entries(run, chosen, protocols)
    if html is not None:
        write_text(html, to_html(entries))
        typer.echo(f"{len(chosen)} examples written to {html}", err=True)
        return
    console = Console(highlight=False)
    colours = console.is_terminal and not console.no_color
    for title, pieces in entries:
        console.print(Rule(title, align="left"))
        console.print(to_text(pieces, colours=colours), soft_wrap=not console.is_terminal)
    console.print(Rule(align="left"))
    legend = [Segment("learned", True), Segment("  context", False)]
    console.print(to_text(legend, colours=colours))


def _chosen(run: Run, count: int, pairs: bool, wanted: str | None) -> list[dict[str, Any]]:
    rows = _rows(run, pairs)
    if wanted is None:
        return rows[:count]
    found = [row for row in rows if row["trace_id"] == wanted]
    if not found:
        kind, other = ("pair", "leave out --pairs") if pairs else ("trace", "add --pairs")
        raise TooldrillError(
            f"no {kind} has the id {wanted!r}",
            f"take one from the column trace_id or from an error; {other} to look at the others",
        )
    return found


def _entries(run: Run, rows: Sequence[dict[str, Any]], protocols: Sequence[str]) -> Iterator[Entry]:
    template = _template(run)
    for row in rows:
        for name in protocols:
            protocol = template.protocol(name)
            if not is_expressible(row, protocol):
                continue  # training leaves it out too
            for title, pieces in previews(row, template, protocol):
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
            shown = list(counts.items())[:_LISTED]
            for number, (value, count) in enumerate(shown):
                table.add_row(column if number == 0 else "", value or "(none)", str(count))
            rest = list(counts.values())[_LISTED:]
            if rest:
                table.add_row("", f"{len(rest)} others (data_card.md has all)", str(sum(rest)))
            table.add_section()
        for name in ("steps", "tools", "characters"):
            table.add_row(name, _spread(getattr(found, name)), "")
        lengths = _tokens(run, rows, pairs)
        table.add_row("tokens", _spread(Spread.of(lengths)), str(len(lengths)))
        longest = run.config.training.max_length
        too_long = sum(length > longest for length in lengths)
        table.add_row("", f"more than training.max_length ({longest})", str(too_long))
        table.add_row("turns", "learned", str(found.learned_turns))
        table.add_row("", "context only", str(found.unlearned_turns))
        table.add_row("duplicates", "", str(found.duplicates))
        console.print(table)


def _tokens(run: Run, rows: Sequence[dict[str, Any]], pairs: bool) -> list[int]:
    """Lengths of rows spread over the set, in the tokens of the run's own model.

    A row has one length in each protocol, a pair one for each of its replies.
    """
    from tooldrill.training.base_model import load_tokenizer
    from tooldrill.training.find_base import resolve

    tokenizer = load_tokenizer(resolve(run.config.model))
    sample = rows[:: -(-len(rows) // _COUNTED)]
    entries = _entries(run, sample, _protocols(run, pairs))
    texts = ("".join(p.text for p in pieces) for _, pieces in entries)
    return [len(tokenizer(text)["input_ids"]) for text in texts]


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
    if model.chat_template in BUNDLED_TEMPLATES:
        return ChatTemplate(bundled_template(model.chat_template))
    base = resolve(model)
    tokenizer = load_tokenizer(base)
    source = chat_template(base, model, tokenizer)
    return ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")


def _spread(spread: Spread) -> str:
    return f"{spread.smallest} to {spread.largest}, median {spread.median:g}"
