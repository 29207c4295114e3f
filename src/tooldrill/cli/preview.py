"""Drawing the training data: examples as the model sees them, and counts."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.data.preview import CONTEXT_STYLE, LEARNED_STYLE, previews, to_text
from tooldrill.data.reading import PAIR_COLUMNS, SFT_COLUMNS, read_rows
from tooldrill.data.stats import Spread, stats
from tooldrill.pipeline import Run


def show_examples(run: Run, count: int, *, pairs: bool) -> None:
    """Prints the first rows, rendered with the model's own chat template.

    Raises:
        TooldrillError: when the data set was not built.
    """
    rows = _rows(run, pairs)
    training = run.config.training
    names = training.dpo.protocols if pairs else training.sft.protocols
    template = _template(run)
    console = Console(highlight=False)
    for row in rows[:count]:
        for name in names:
            for title, pieces in previews(row, template, get_protocol(name)):
                console.print(Rule(f"{title} ({name})", align="left"))
                console.print(to_text(pieces))
    console.print(Rule(align="left"))
    console.print(f"[{LEARNED_STYLE}]learned[/]  [{CONTEXT_STYLE}]context[/]")


def show_statistics(run: Run) -> None:
    """Prints counts of both sets.

    Raises:
        TooldrillError: when the data set was not built.
    """
    console = Console(highlight=False)
    for pairs in (False, True) if run.config.data.pairs else (False,):
        found = stats(_rows(run, pairs))
        table = Table(
            title=f"{'Pairs' if pairs else 'Traces'}: {found.rows}",
            title_justify="left",
            title_style="bold",
        )
        for heading in ("", "value", "rows"):
            table.add_column(heading, justify="right" if heading == "rows" else "left")
        for column, counts in found.counts.items():
            for number, (value, rows) in enumerate(counts.items()):
                table.add_row(column if number == 0 else "", value or "(none)", str(rows))
            table.add_section()
        for name in ("steps", "tools", "characters"):
            table.add_row(name, _spread(getattr(found, name)), "")
        table.add_row("turns", "learned", str(found.learned_turns))
        table.add_row("", "context only", str(found.unlearned_turns))
        table.add_row("duplicates", "", str(found.duplicates))
        console.print(table)


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
