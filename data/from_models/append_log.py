"""What a long run has finished so far, one JSON object a line: a killed run goes on from it.

The first line says what makes the file; one that something else began is never gone on with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError

HEADER = "made_by"

Entry = TypeVar("Entry", bound=BaseModel)


class AppendLog(Generic[Entry]):
    """The entries so far, in memory and on disk.

    Args:
        path: the file; made when there is none.
        identity: what makes it, as plain JSON.
        kind: the model of an entry; key: what an entry is found by.

    Attributes:
        done: the entries, by key, in the order they were finished.

    Raises:
        TooldrillError: when the file was begun with another identity.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        kind: type[Entry],
        key: Callable[[Entry], str],
    ) -> None:
        self._path, self._kind, self._key = path, kind, key
        header = json.dumps({HEADER: dict(identity)}, sort_keys=True, ensure_ascii=False)
        # Split at newlines only: text may hold other characters that count as line ends.
        lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else []
        if lines and lines[0] != header:
            raise TooldrillError(
                f"{path} was begun by another model or with other settings",
                "give another --out, or remove that file to begin afresh",
            )
        self.done = {key(entry): entry for entry in self._whole(lines[1:])}
        # Written anew, since the last line of a killed run may be cut short.
        kept = [header, *(_dump(entry) for entry in self.done.values())]
        write_text(path, "".join(f"{line}\n" for line in kept))

    def append(self, entry: Entry) -> None:
        """Keeps a finished one."""
        self.done[self._key(entry)] = entry
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_dump(entry) + "\n")

    def _whole(self, lines: list[str]) -> Iterator[Entry]:
        for line in filter(None, lines):
            try:
                yield self._kind.model_validate_json(line)
            except ValidationError:
                return  # cut short when the run was killed: that one is done again


def _dump(entry: BaseModel) -> str:
    return entry.model_dump_json(by_alias=True)
