"""Where a name leads to, below an open folder: every part opened relative to the one before it.

No part is opened through a link: a link is read and followed here, as part of the name, and one
that leads out is refused. What is done at the end of the way is decided in `folder`.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from tooldrill.agent.environment import ToolError

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40
# Every part is held open on the way.
_MOST_PARTS = 200


class Place(NamedTuple):
    """An open folder and a name in it; the name is empty for the folder itself.

    Attributes:
        path: the name from the root, without links.
    """

    folder: int
    name: str
    path: tuple[str, ...]


class Way:
    """One way from the root along a name, with an open folder for every part of it.

    Args:
        root: the open folder.
        spellings: its absolute names.
        closed: names of files and folders, in small letters, that the way does not go through.
    """

    def __init__(
        self, root: int, spellings: tuple[str, ...], name: str, closed: frozenset[str]
    ) -> None:
        self._given = name
        self._spellings = spellings
        self._closed = closed
        self._open = [os.dup(root)]
        self._path: list[str] = []
        self._links = 0
        self._rest: deque[str] = deque()
        try:
            self._go_on(name)
        except ToolError:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def to_the_end(self, make: bool) -> Place:
        """The place that the name leads to; it is open until `close`.

        Args:
            make: make missing folders on the way.

        Raises:
            ToolError: when it leads out.
            OSError: when a folder on the way is missing, is none, or links go round in circles.
        """
        while self._rest:
            part = self._rest.popleft()
            if part == "..":
                self._up()
            elif (target := self._link(part)) is not None:
                self._go_on(target)
            elif not self._rest:
                return Place(self._open[-1], part, (*self._path, part))
            else:
                self._down(part, make)
        return Place(self._open[-1], "", tuple(self._path))

    def _go_on(self, name: str) -> None:
        """Puts a name, or what a link says, before what is left of the way."""
        if name.startswith("/"):
            inside = next((s for s in self._spellings if f"{name}/".startswith(f"{s}/")), None)
            if inside is None:
                raise self._outside()
            name = name[len(inside) :]
            while self._path:
                self._up()
        parts = [part for part in name.split("/") if part not in ("", ".")]
        # Before anything is made on the way.
        closed = next((part for part in parts if part.casefold() in self._closed), None)
        if closed is not None:
            raise ToolError(f"not changed by these tools: {self._given} ({closed})")
        if len(parts) > _MOST_PARTS:
            raise ToolError(f"not a usable path: {name[:80]}")
        self._rest.extendleft(reversed(parts))

    def _link(self, part: str) -> str | None:
        try:
            target = os.readlink(part, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None  # not a link, or nothing
            raise
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return target

    def _up(self) -> None:
        if not self._path:
            raise self._outside()
        self._path.pop()
        os.close(self._open.pop())

    def _down(self, part: str, make: bool) -> None:
        here = self._open[-1]
        if make:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=here)
        try:
            self._open.append(os.open(part, FOLDER_FLAGS, dir_fd=here))
        except NotADirectoryError:
            if not make:
                raise
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        self._path.append(part)

    def _outside(self) -> ToolError:
        return ToolError(f"outside the folder: {self._given}")
