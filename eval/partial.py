"""Finished episodes of an evaluation that is still under way, so that a killed one goes on.

A line-by-line file beside the results: first what is being evaluated, then one finished episode a
line. It is used again only for the very same model, tasks and condition, and it is not a results
file: nothing but `run` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tooldrill.agent.atomic import write_text
from tooldrill.agent.episode import Episode, Outcome


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float
    episode: Episode


class PartialResults:
    """The finished episodes so far.

    Args:
        path: the file; one that holds something else, or nothing readable, is started anew.
        identity: what is being evaluated, as plain JSON.

    Attributes:
        episodes: by task id, in the order they were finished. Those whose engine failed are not
            taken over from an earlier run: they get another chance.
        seconds: wall time spent so far, earlier runs included.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self._path = path
        self.episodes: dict[str, Episode] = {}
        self.seconds = 0.0
        header = json.dumps(identity, sort_keys=True)
        kept = [line for line in self._read(header) if line.episode.outcome is not Outcome.FAILED]
        for line in kept:
            self.episodes[line.episode.task] = line.episode
            self.seconds = max(self.seconds, line.seconds)
        # Written anew, since the last line of a killed run may be cut short.
        text = "".join(f"{row}\n" for row in [header, *(_dump(line) for line in kept)])
        write_text(path, text)

    def append(self, episode: Episode) -> None:
        """Adds a finished episode; `seconds` must be up to date."""
        self.episodes[episode.task] = episode
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_dump(_Line(seconds=self.seconds, episode=episode)) + "\n")

    def remove(self) -> None:
        """The results are whole: the file may go."""
        self._path.unlink(missing_ok=True)

    def _read(self, header: str) -> list[_Line]:
        if not self._path.is_file():
            return []
        # Split at newlines only: a reply may hold other characters that count as line ends.
        first, *rest = self._path.read_text("utf-8", errors="replace").split("\n")
        if first != header:
            return []
        lines = []
        for row in filter(None, rest):
            try:
                lines.append(_Line.model_validate_json(row))
            except ValidationError:
                break  # cut short when the run was killed: that episode is run again
        return lines


def _dump(line: _Line) -> str:
    return line.model_dump_json(by_alias=True)
