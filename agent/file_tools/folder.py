"""One folder that no name leads out of: not `..`, not a link, not a folder swapped for a link.

Every part of a name is opened relative to the open folder before it, and never through a link; a
link is read and followed here, as part of the name. So what was checked is what is opened, whatever
others change in between. Needs nothing of the kernel but `openat`.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tooldrill.agent.environment import ToolError
from tooldrill.agent.file_tools.way import FOLDER_FLAGS, Place, Way

# A pipe without a writer would be waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
# Their settings and hooks are programs that run when a person looks at what was changed.
VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ANY_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_PERMISSIONS = 0o777


class Entry(NamedTuple):
    """What a folder lists."""

    name: str
    is_folder: bool


class Folder:
    """A folder, its files read and written by name.

    Args:
        root: it must exist.
        most_bytes: size of a file that is read or written.
        closed: names, in small letters, at and below which nothing is written.
    """

    def __init__(
        self, root: Path, most_bytes: int = 10_000_000, closed: frozenset[str] = VERSION_CONTROL
    ) -> None:
        self.root = root.resolve()
        self._most = most_bytes
        self._closed = closed
        # Absolute names are understood in both spellings.
        self._spellings = (str(self.root), os.path.abspath(root))  # noqa: PTH100 - keeps links
        self._descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._closing = weakref.finalize(self, os.close, self._descriptor)

    def close(self) -> None:
        """Lets go of the folder; it may be called again."""
        self._closing()

    def kind(self, name: str) -> str:
        """`file`, `folder`, `missing`, or `other` for pipes and devices."""
        with self._at(name) as place:
            mode = _mode(place) if place is not None else None
        if mode is None:
            return "missing"
        return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            ToolError: when there is none, or it is too large.
        """
        with self._at(name) as place:
            if place is None or (mode := _mode(place)) is None:
                raise ToolError(f"no such file: {name}")
            if stat.S_ISDIR(mode):
                raise ToolError(f"is a folder: {name}")
            try:
                descriptor = os.open(place.name, _FILE, dir_fd=place.folder)
            except OSError as error:
                raise ToolError(f"cannot read {name}: {error.strerror}") from None
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ToolError(f"not a file: {name}")
            data = file.read(self._most + 1)
        if len(data) > self._most:
            raise ToolError(f"{name} is too large: more than {self._most} bytes")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Replaces or creates a file in one step, and the folders above it.

        Raises:
            ToolError: when it cannot.
        """
        if len(data) > self._most:
            raise ToolError("the file would be too large")
        shown = name
        try:
            with self._at(name, make=True) as place:
                assert place is not None
                shown = "/".join(place.path)
                _replace(place, data)
        except OSError as error:
            raise ToolError(f"cannot write {shown}: {error.strerror}") from None

    def has_parent(self, name: str) -> bool:
        """Whether the folder that a file would be in is there."""
        with self._at(name) as place:
            return place is not None

    def path(self, name: str) -> str:
        """The name from the root, without links and dots; empty for the root itself."""
        with self._at(name) as place:
            return "" if place is None else "/".join(place.path)

    def entries(self, name: str) -> list[Entry]:
        """What is in a folder, sorted by name; links count as what they are, not what they name.

        Raises:
            ToolError: when there is no such folder.
        """
        with self._opened(name) as descriptor, os.scandir(descriptor) as found:
            return sorted(Entry(e.name, e.is_dir(follow_symlinks=False)) for e in found)

    def walk(self, name: str, skipped: frozenset[str] = frozenset()) -> list[str]:
        """Names of all files at or below, links left out, sorted part by part.

        Args:
            skipped: names of folders that are not entered.

        Raises:
            ToolError: when there is nothing of that name.
        """
        with self._at(name) as place:
            mode = _mode(place) if place is not None else None
            if place is None or mode is None:
                raise ToolError(f"no such file or folder: {name}")
            base = place.path
        if not stat.S_ISDIR(mode):
            return ["/".join(base)] if stat.S_ISREG(mode) else []
        found: list[tuple[str, ...]] = []
        with self._opened(name) as descriptor:
            for path, folders, files, here in os.fwalk(".", dir_fd=descriptor):
                folders[:] = [folder for folder in folders if folder not in skipped]
                parts = tuple(part for part in path.split("/") if part != ".")
                found += [(*base, *parts, file) for file in files if _is_plain(file, here)]
        return ["/".join(parts) for parts in sorted(found)]

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        with self._at(name) as place:
            if place is None:
                raise ToolError(f"no such folder: {name}")
            try:
                descriptor = os.open(place.name or ".", FOLDER_FLAGS, dir_fd=place.folder)
            except OSError:
                raise ToolError(f"no such folder: {name}") from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _at(self, name: str, make: bool = False) -> Iterator[Place | None]:
        """Where a name leads to; None when a folder on the way is missing.

        Args:
            make: make missing folders on the way.

        Raises:
            ToolError: when it leads out, or is no name at all.
        """
        if not name or "\0" in name:
            raise ToolError("`path` is empty or not a name")
        way = Way(self._descriptor, self._spellings, name, self._closed if make else frozenset())
        try:
            try:
                place = way.to_the_end(make)
            except (FileNotFoundError, NotADirectoryError):
                if make:
                    raise
                place = None
            except FileExistsError:
                raise
            except (OSError, UnicodeEncodeError):
                raise ToolError(f"not a usable path: {name[:80]}") from None
            yield place
        finally:
            way.close()


def _mode(place: Place) -> int | None:
    """The kind and permissions of what is there; None for nothing."""
    try:
        return os.stat(place.name or ".", dir_fd=place.folder, follow_symlinks=False).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_plain(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False  # gone since it was listed


def _replace(place: Place, data: bytes) -> None:
    """A new file under a name of its own, then renamed: nobody sees half of it."""
    mode = _mode(place)
    if not place.name or (mode is not None and stat.S_ISDIR(mode)):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    # In the place of a link or a device nothing is put by accident.
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError(errno.EEXIST, "it is not a file")
    # Renaming asks nothing of the file that it replaces.
    if mode is not None and not mode & _ANY_WRITES:
        raise PermissionError(errno.EACCES, "it is read-only")
    temporary = f".{place.name[:40]}.{secrets.token_hex(6)}"
    descriptor = os.open(temporary, _NEW, 0o666, dir_fd=place.folder)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            if mode is not None:
                os.fchmod(descriptor, mode & _PERMISSIONS)
            file.write(data)
        os.rename(temporary, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=place.folder)
        raise
