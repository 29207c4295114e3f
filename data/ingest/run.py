"""`tooldrill data ingest`: sources in, `sft.jsonl` and `sft.parquet` out, and a balance.

The files appear whole or not at all; without a single row there are none.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.data.ingest.contract import ends_with_several, to_row
from tooldrill.data.ingest.conversation import DroppedError, Given
from tooldrill.data.ingest.formats import AUTO, import_record, require_format
from tooldrill.data.ingest.reading import read_records
from tooldrill.data.ingest.report import Report
from tooldrill.data.sets.writing import SetWriter

_TELL_EVERY = 500
_SUFFIXES = (".jsonl", ".parquet")


def ingest(
    sources: Sequence[str],
    out: Path,
    given: Given | None = None,
    form: str = AUTO,
    progress: Progress = silent,
) -> Report:
    """Imports every source into one SFT set in the folder `out`.

    Args:
        sources: files, folders, or names of data sets on the hub.
        out: gets `sft.jsonl` and `sft.parquet`, replacing those that are there.
        given: tools, prompt and protocol of records that do not say them.
        form: a format, or `auto` to tell it record by record.

    Returns:
        The balance; when `kept` is 0 nothing was written.

    Raises:
        TooldrillError: when a source cannot be read, or there is no such format.
    """
    require_format(form)
    report = Report()
    with new_set(out, "sft") as rows:
        for done, source in enumerate(sources):
            for record in read_records(source):
                try:
                    found, conversation = import_record(record, form, given or Given())
                    name = f"{found}-{report.kept + 1:06d}:{record.id}"
                    row = to_row(conversation, name, found)
                    if not rows.add(row):
                        raise DroppedError("duplicate")
                except DroppedError as error:
                    report.drop(record.id, error)
                else:
                    report.keep(found)
                    report.cut += ends_with_several(conversation)
                if report.read % _TELL_EVERY == 0:
                    progress(done, len(sources), f"{report.read} read, {report.kept} kept")
            progress(done + 1, len(sources), f"{report.read} read, {report.kept} kept")
    return report


@contextmanager
def new_set(out: Path, name: str) -> Iterator[SetWriter]:
    """A set that is written aside and put into the folder `out` when the block ends well."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}.") as folder:
        with SetWriter(Path(folder) / name) as rows:
            yield rows
        for suffix in _SUFFIXES:
            made = Path(folder) / f"{name}{suffix}"
            if made.is_file():
                made.replace(out / made.name)


def require_new(out: Path, names: Sequence[str], *, force: bool) -> None:
    """Refuses to write over a set that is there.

    Raises:
        TooldrillError: unless `force`.
    """
    there = next(
        (out / f"{n}{s}" for n in names for s in _SUFFIXES if (out / f"{n}{s}").exists()), None
    )
    if there is not None and not force:
        raise TooldrillError(f"{there} is there already", "add --force, or give another --out")
