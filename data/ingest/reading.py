"""Records out of files and hub data sets, one by one: memory does not grow with the source.

`.json`, `.jsonl` and `.parquet`, each maybe gzipped (`.gz`); a folder stands for the files in it;
`OWNER/NAME[:CONFIG][@SPLIT]` is a data set on the hub.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from tooldrill.agent.errors import TooldrillError
from tooldrill.data.from_models.append_log import HEADER
from tooldrill.data.ingest.conversation import Record
from tooldrill.data.ingest.react_log import steps_of

_KINDS = (".json", ".jsonl", ".parquet")
_HUB = re.compile(r"(?P<name>[\w.\-]+/[\w.\-]+)(?::(?P<config>[\w.\-]+))?(?:@(?P<split>[\w.\-]+))?")
_ROWS = 256  # of a Parquet file, held at once
_CHUNK = 2**20  # characters of a JSON file, read at once
_BETWEEN = re.compile(r"[\s,]*")
_AFTER = frozenset(" \t\r\n,]")
_EPISODES = "episodes"


def read_records(source: str) -> Iterator[Record]:
    """The records of a file, a folder of files or a hub data set.

    A line that is not JSON is a record with a problem; a file that is none at all is an error.

    Raises:
        TooldrillError: when there is no such source, or it is of another kind or broken.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _kind(file))
        if not files:
            raise TooldrillError(f"{path} holds no data files", f"they end in {', '.join(_KINDS)}")
        for file in files:
            yield from _file(file)
    elif path.is_file():
        yield from _file(path)
    elif (hub := _HUB.fullmatch(source)) and _kind(path) is None:
        yield from _hub_rows(hub["name"], hub["config"], hub["split"] or "train")
    else:
        raise TooldrillError(
            f"no file at {source}",
            "give a .json, .jsonl or .parquet file, or OWNER/NAME for a data set on the hub",
        )


def _kind(path: Path) -> str | None:
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    return suffix if suffix in _KINDS else None


def _file(path: Path) -> Iterator[Record]:
    kind = _kind(path)
    if kind is None:
        raise TooldrillError(
            f"{path} is neither .json, .jsonl nor .parquet", "give it the ending of what it holds"
        )
    try:
        with _opened(path) as file:
            yield from _READERS[kind](path, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TooldrillError(
            f"{path} is not a whole gzip file: {error}", "fetch it again, or leave it out"
        ) from error


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _json(path: Path, file: BinaryIO) -> Iterator[Record]:
    text = io.TextIOWrapper(file, "utf-8-sig")
    try:
        begun = text.read(_CHUNK)
        if begun.lstrip().startswith("["):
            yield from _array(path, array_elements(begun, text))
        else:
            yield from _one_value(path, begun + text.read())
    except (ValueError, RecursionError) as error:
        raise TooldrillError(f"{path} is not JSON: {error}", "mend it, or leave it out") from None


def _array(path: Path, elements: Iterator[Any]) -> Iterator[Record]:
    """A list of records, or the list of steps that is one ReAct log."""
    first = next(elements, None)
    if steps_of([first]) is not None:
        yield Record(path.name, [first, *elements], _prompt_beside(path))
        return
    yield from _elements(path, chain([] if first is None else [first], elements))


def _one_value(path: Path, text: str) -> Iterator[Record]:
    try:
        value = json.loads(text)
    except ValueError:
        lines = text.encode().splitlines()
        if len(lines) > 1 and _is_json(lines[0]):
            yield from _lines(path, lines)  # a JSONL file by another name
            return
        raise
    if isinstance(value, dict) and isinstance(value.get(_EPISODES), list):
        yield from _elements(path, value[_EPISODES])
    else:
        yield Record(path.name, value, _prompt_beside(path))


def array_elements(begun: str, rest: TextIO) -> Iterator[Any]:
    """The elements of a JSON list, each as soon as it is read: published sets are of 250 MB.

    Args:
        begun: the text up to where `rest` goes on; begins with the list.

    Raises:
        ValueError: when it is no whole list.
    """
    decoder = json.JSONDecoder()
    buffer, at, more = begun, begun.index("[") + 1, True
    while True:
        at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]
        if buffer.startswith("]", at):
            break
        try:
            value, end = decoder.raw_decode(buffer, at)
            whole = buffer[end : end + 1] in _AFTER  # else a number may go on
        except ValueError:
            whole = False
            if not more:
                raise
        if whole or not more:
            yield value
            at = end
            continue
        chunk = rest.read(_CHUNK)
        buffer, at, more = buffer[at:] + chunk, 0, bool(chunk)
    if (buffer[at + 1 :] + rest.read()).strip():
        raise ValueError("something follows the list")


def _elements(path: Path, values: Iterable[Any]) -> Iterator[Record]:
    for number, value in enumerate(values, 1):
        yield Record(f"{path.name}:{number}", value)


def _jsonl(path: Path, file: BinaryIO) -> Iterator[Record]:
    yield from _lines(path, file)


def _lines(path: Path, lines: Iterable[bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name = f"{path.name}:{number}"
        try:
            value = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            yield Record(name, problem="not_json")
            continue
        if isinstance(value, dict) and value.keys() == {HEADER}:
            continue  # the first line of a log of ours
        # What `tooldrill data teach` keeps: an episode beside its task.
        inner = value.get("episode") if isinstance(value, dict) else None
        yield Record(name, value if inner is None else inner)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _prompt_beside(path: Path) -> str | None:
    """The text of `FILE.prompt.txt` beside `FILE.json`."""
    stem = path.name.removesuffix(".gz").removesuffix(".json")
    beside = path.with_name(f"{stem}.prompt.txt")
    return beside.read_text("utf-8").strip() if beside.is_file() else None


def _parquet(path: Path, file: BinaryIO) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
        decoders = {field.name: _decoder(field.type) for field in parquet.schema_arrow}
        number = 0
        for batch in parquet.iter_batches(batch_size=_ROWS):
            for row in batch.to_pylist():
                number += 1
                value = {name: decoders[name](cell) for name, cell in row.items()}
                yield Record(f"{path.name}:{number}", value)
    except (pa.ArrowException, OSError) as error:
        raise TooldrillError(
            f"{path} is not a whole Parquet file: {str(error).splitlines()[0]}",
            "fetch it again, or leave it out",
        ) from error


def _decoder(kind: Any) -> Callable[[Any], Any]:
    """How a cell becomes what was written; the nulls that Arrow gives to structs are left out."""
    import pyarrow as pa

    if isinstance(kind, pa.JsonType):
        return lambda text: None if text is None else json.loads(text)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _decoder(kind.value_type)
        return lambda values: None if values is None else [inner(value) for value in values]
    if pa.types.is_struct(kind):
        inners = {field.name: _decoder(field.type) for field in kind}
        return lambda cell: _without_nulls(cell, inners)
    return lambda value: value


def _without_nulls(
    cell: dict[str, Any] | None, inners: dict[str, Callable[[Any], Any]]
) -> dict[str, Any] | None:
    if cell is None:
        return None
    return {name: inners[name](value) for name, value in cell.items() if value is not None}


def _hub_rows(name: str, config: str | None, split: str) -> Iterator[Record]:
    import datasets

    # The client tells of every attempt; what comes of them is told below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        # Without a network there is still what was fetched before, which cannot be streamed.
        stream = not datasets.config.HF_HUB_OFFLINE
        rows = datasets.load_dataset(name, config, split=split, streaming=stream)
        for number, row in enumerate(rows, 1):
            yield Record(f"{name}:{number}", row)
    # The hub's client fails in many ways; all mean that the set cannot be had from here.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise TooldrillError(
            f"the data set {name} cannot be read from the hub: {reason}",
            f"check the name and the network (`hf auth login` for a gated one), or fetch it with "
            f"`hf download {name} --repo-type dataset --local-dir DIR` and give DIR",
        ) from error


_READERS: dict[str, Callable[[Path, BinaryIO], Iterator[Record]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
