"""The folder in which an export is made, and the moment when its files get their names.

Killed at any time, an export leaves files under their final names that are whole and verified, or
none; what else it leaves begins with a dot and goes with the next export. The summary, which says
that the export is whole, goes first and comes last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from tooldrill.export.records import ExportSummary
from tooldrill.export.settings import Quantization

SUMMARY = "export.json"
_BUILDING = ".building-"


@contextmanager
def building(out: Path) -> Iterator[Path]:
    """A folder inside `out`, gone when the block ends; what a killed export left goes first."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in (*out.glob(f".{SUMMARY}.*.tmp"), *out.glob(".verify.json.*.tmp")):
        left.unlink(missing_ok=True)
    folder = out / f"{_BUILDING}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(files: Iterable[Path], out: Path, name: str) -> None:
    """Gives verified files their names in `out`; what an earlier export had besides is removed.

    Args:
        files: in the folder where they were made, or in `out` already.
        name: the model's, with which the names of its quantizations begin.
    """
    obsolete = {f"{name}-{quantization}.gguf" for quantization in get_args(Quantization)}
    obsolete |= _listed(out)
    (out / SUMMARY).unlink(missing_ok=True)
    for path in files:
        obsolete.discard(path.name)
        if path.parent != out:
            path.replace(out / path.name)
    for left in obsolete:
        (out / left).unlink(missing_ok=True)


def _listed(out: Path) -> set[str]:
    """Files of the earlier export, by its own summary."""
    try:
        summary = ExportSummary.model_validate_json((out / SUMMARY).read_bytes())
    except (OSError, ValidationError):
        return set()
    names = [file.file for file in summary.files]
    names += [summary.adapter_gguf.file] if summary.adapter_gguf else []
    return {name for name in names if Path(name).name == name}
