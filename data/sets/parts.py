"""Blocks made by several processes, kept as files until all are there: killed, it goes on.

The order in which blocks are finished does not matter; they are read in the order of their places.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from tooldrill import agent, data
from tooldrill.agent.atomic import write_text
from tooldrill.agent.progress import Progress
from tooldrill.data.sets.blocks import make_block
from tooldrill.data.sets.mixing import BlockPlan
from tooldrill.data.sets.writing import line
from tooldrill.data.settings import DataSettings

# Starting a process costs as much as a few blocks.
_WORTH_A_PROCESS = 4
_SETTINGS = "settings.json"
# Packages whose content ends up in rows.
_MADE_WITH = ("faker", "botocore", "google-api-python-client")


@contextmanager
def parts_folder(settings: DataSettings, plans: Sequence[BlockPlan], out: Path) -> Iterator[Path]:
    """The folder beside `out` for the blocks of these plans, removed once they are used.

    What an interrupted build of the same blocks by the same code left there is kept; anything else
    is not.
    """
    folder = out.with_name(f".{out.name}.parts")
    text = _made_from(settings, plans)
    marker = folder / _SETTINGS
    if not (marker.is_file() and marker.read_text("utf-8") == text):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_text(marker, text)
    yield folder
    shutil.rmtree(folder)


def make_parts(
    settings: DataSettings, plans: Sequence[BlockPlan], folder: Path, progress: Progress
) -> None:
    """Makes the blocks that are not there yet."""
    left = [plan for plan in plans if not _path(folder, plan.index).exists()]
    total = sum(plan.traces for plan in plans)
    done = total - sum(plan.traces for plan in left)
    workers = min(settings.workers or os.cpu_count() or 1, len(left) // _WORTH_A_PROCESS)
    if workers <= 1:
        for plan in left:
            _make(settings, plan, folder)
            done += plan.traces
            progress(done, total, "traces and pairs")
        return
    with _processes(workers) as pool:
        working = {pool.submit(_make, settings, plan, folder): plan for plan in left}
        while working:
            finished, _ = wait(working, return_when=FIRST_COMPLETED)
            for future in finished:
                done += working.pop(future).traces
                future.result()
            progress(done, total, f"traces and pairs, {workers} processes")


def read_part(folder: Path, index: int) -> dict[str, Any]:
    """What `make_block` made: `sft`, `dpo` and `dropped`."""
    with _path(folder, index).open(encoding="utf-8") as file:
        head, *rows = (json.loads(text) for text in file)
    sft = head["sft"]
    return {"sft": rows[:sft], "dpo": rows[sft:], "dropped": head["dropped"]}


def _made_from(settings: DataSettings, plans: Sequence[BlockPlan]) -> str:
    """What blocks follow from, as JSON."""
    return json.dumps(
        {
            # How many processes work at it does not matter to what is made.
            "settings": settings.model_dump(mode="json", exclude={"workers"}),
            "plans": [[dict(plan.counts), plan.pairs] for plan in plans],
            "code": _code_digest(),
            "packages": {name: _version(name) for name in _MADE_WITH},
        }
    )


def _code_digest() -> str:
    """A fingerprint of the code that makes rows: after an update a build starts afresh."""
    digest = hashlib.sha256()
    for package in (agent, data):
        for path in sorted(Path(next(iter(package.__path__))).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _make(settings: DataSettings, plan: BlockPlan, folder: Path) -> None:
    made = make_block(settings, plan)
    head = {"sft": len(made.sft), "dropped": made.dropped}
    write_text(_path(folder, plan.index), "".join(map(line, [head, *made.sft, *made.dpo])))


def _path(folder: Path, index: int) -> Path:
    return folder / f"{index:06d}.jsonl"


@contextmanager
def _processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    # Forking a process that has threads (a progress bar's, torch's) can hang.
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
