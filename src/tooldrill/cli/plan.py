"""What `run --dry-run` shows: the stages, whether each has to run, and what it will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from tooldrill.cli.display import gigabytes, minutes
from tooldrill.estimates import Estimate, estimate
from tooldrill.machine import this_machine
from tooldrill.pipeline import Run, Stage, status


def plan_table(run: Run, stages: Sequence[Stage], force: bool) -> Iterator[RenderableType]:
    """A table of the stages, and warnings under it."""
    estimates = estimate(run.config)
    table = Table(title=f"Stages of {run.folder}", title_justify="left", title_style="bold")
    for heading in ("stage", "what happens", "tokens", "time", "peak memory"):
        table.add_column(
            heading, justify="left" if heading in ("stage", "what happens") else "right"
        )
    waiting: list[Stage] = []
    for stage in stages:
        now = status(stage, run, waiting)
        if now.done and not force:
            table.add_row(stage.name, now.reason, "", "", "")
            continue
        waiting.append(stage)
        reason = "forced" if force else now.reason
        table.add_row(stage.name, f"to run: {reason}", *_cells(estimates[stage.name]))
    seconds = [estimates[stage.name].seconds for stage in waiting]
    if waiting:
        known = sum(value for value in seconds if value is not None)
        prefix = "more than " if None in seconds else ""
        table.add_section()
        table.add_row("all", "", "", f"{prefix}{minutes(known)}", "")
    yield table
    if waiting:
        yield "estimates from a 0.3 s probe of this machine; expect a factor of two"
        yield from _untold(run, waiting, estimates)
    need = max((estimates[stage.name].memory or 0 for stage in waiting), default=0)
    machine = this_machine()
    if need > machine.available:
        yield (
            f"[yellow]{gigabytes(need)} are needed and {gigabytes(machine.available)} are free:[/] "
            "lower training.sft.batch_size, training.dpo.batch_size or eval.engine.parallel"
        )


def _untold(
    run: Run, waiting: Sequence[Stage], estimates: dict[str, Estimate]
) -> Iterator[RenderableType]:
    """What a `?` in the table is for, and how it goes away."""
    found = [estimates[stage.name] for stage in waiting]
    path = run.config.model.path
    if any(one.memory is None and one.seconds is None for one in found):
        yield (
            f"? {escape(path)} is not on this machine yet, so its memory and time cannot be told; "
            f"`hf download {escape(path)}` once, and they can"
        )
    elif any(one.seconds is None for one in found):
        yield "? how long the GPU takes cannot be told before it has begun"


def _cells(found: Estimate) -> tuple[str, str, str]:
    return (
        "" if found.tokens is None else f"{found.tokens:,}",
        "?" if found.seconds is None else minutes(found.seconds),
        "?" if found.memory is None else gigabytes(found.memory),
    )
