"""What `run --dry-run` shows: the stages, whether each has to run, and what it will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from tooldrill.cli.display import gigabytes, minutes
from tooldrill.estimates import Estimate, estimate
from tooldrill.machine import this_machine
from tooldrill.pipeline import Run, Stage, status

_LESS = "set training.hardware.gradient_checkpointing=true or a smaller training.hardware.tokens"
_ADVICE = {
    "sft": _LESS,
    "dpo": _LESS,
    "rounds": f"{_LESS}, or a smaller eval.engine.parallel",
    "eval": "set a smaller eval.engine.parallel or eval.engine.context",
}
_GENERAL = "close other programs, or give a smaller model.path"


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
    found = [estimates[stage.name] for stage in waiting]
    yield from _notes(run, found)
    yield from _too_much(waiting, found)


def _notes(run: Run, found: Sequence[Estimate]) -> Iterator[RenderableType]:
    """What the numbers take for granted; what a `?` is for, and how it goes away."""
    path = run.config.model.path
    yield from (escape(note) for note in dict.fromkeys(one.note for one in found) if note)
    if any(one.processes is None for one in found):
        yield "memory is that of one process: how many the launcher starts is in its own config"
    if any(one.memory is None and one.seconds is None for one in found):
        if Path(path).expanduser().is_dir():
            yield f"? the config.json of {escape(path)} names its sizes in a way not known here"
        else:
            yield (
                f"? {escape(path)} is not on this machine yet, so its memory and time cannot be "
                f"told; `hf download {escape(path)}` once, and they can"
            )
    elif any(one.seconds is None for one in found):
        yield "? how long the GPU takes cannot be told before it has begun"


def _too_much(stages: Sequence[Stage], found: Sequence[Estimate]) -> Iterator[RenderableType]:
    """A line for each stage that needs more than is free where it works."""
    for stage, one in zip(stages, found, strict=True):
        free = one.free if one.gpu or one.free is not None else this_machine().available
        if one.memory is None or free is None or one.memory <= free:
            continue
        there = "the GPU has" if one.gpu else "are free"
        each = " for each process" if one.processes != 1 else ""
        size = f"{gigabytes(free)} {there}" if not one.gpu else f"{there} {gigabytes(free)}"
        yield (
            f"[yellow]{stage.name} needs {gigabytes(one.memory)}{each}, and {size}:[/] "
            f"{_ADVICE.get(stage.name, _GENERAL)}"
        )


def _cells(found: Estimate) -> tuple[str, str, str]:
    return (
        "" if found.tokens is None else f"{found.tokens:,}",
        "?" if found.seconds is None else minutes(found.seconds),
        _memory(found),
    )


def _memory(found: Estimate) -> str:
    """Of all processes on this machine; of one where their number is not known."""
    if found.memory is None:
        return "?"
    times = "" if found.processes in (None, 1) else f"{found.processes} x "
    return f"{times}{gigabytes(found.memory)}{' GPU' if found.gpu else ''}"
