"""Writing a folder that is whole or says that it is not, without a second copy of large files.

Large files are hard links where the disk allows it. `SHA256SUMS` goes away before anything changes
and is written last: where it lies, all that it names is there. Nothing that it does not name is
ever touched.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tooldrill.agent.atomic import atomic_path, write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export.disk import require_space

SUMS = "SHA256SUMS"
# What link() says where source and target are on two disks, or the disk has no hard links.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES)
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class Linked:
    """A file that lies elsewhere already; `sha256` spares the hashing where it is known."""

    source: Path
    sha256: str | None = None


Contents = Mapping[str, "str | Linked"]
"""What a folder holds: names relative to it, with slashes, to a text or to a file elsewhere."""


def write_folder(out: Path, contents: Contents) -> bool:
    """Makes `out` hold these files and their sums; False when it does already.

    Files of an earlier call that are no longer wanted are removed.

    Raises:
        TooldrillError: when the disk is full.
    """
    before = read_sums(out)
    if before is not None and set(before) == set(contents) and _up_to_date(out, contents, before):
        return False
    out.mkdir(parents=True, exist_ok=True)
    (out / SUMS).unlink(missing_ok=True)
    for name in set(before or ()) - set(contents):
        _remove(out / name, out)
    for name, content in contents.items():
        if isinstance(content, str):
            write_text(out / name, content)
        elif not _is(out / name, content.source):
            _link(content.source, out / name)
    sums = {name: _sha256(content) for name, content in contents.items()}
    write_text(out / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
    return True


def read_sums(folder: Path) -> dict[str, str] | None:
    """SHA-256 by name; None where there is no list, or one that names what lies elsewhere."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    found = [_LINE.fullmatch(line) for line in lines]
    sums = {match[2]: match[1] for match in found if match}
    return sums if len(sums) == len(lines) and all(map(_inside, sums)) else None


def require_ours(out: Path) -> None:
    """Refuses a folder with files in it that no release has written.

    Raises:
        TooldrillError: naming it.
    """
    if out.is_dir() and any(out.iterdir()) and read_sums(out) is None:
        raise TooldrillError(
            f"{out} holds files and is no release: it has no {SUMS}",
            "name a folder that is new or empty",
        )
    if out.exists() and not out.is_dir():
        raise TooldrillError(f"{out} is a file", "name a folder")


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _remove(path: Path, out: Path) -> None:
    """Takes a file away, and its folder in `out` when nothing else is in it."""
    path.unlink(missing_ok=True)
    if path.parent != out and path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _up_to_date(out: Path, contents: Contents, sums: Mapping[str, str]) -> bool:
    return all(
        _is(out / name, content.source)
        if isinstance(content, Linked)
        else _text_is(out / name, content)
        for name, content in contents.items()
    ) and all(
        sums[name] == (content.sha256 or sums[name])
        for name, content in contents.items()
        if isinstance(content, Linked)
    )


def _text_is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _is(path: Path, source: Path) -> bool:
    """Whether `path` is the file at `source`, or the copy that was made of it."""
    try:
        ours, theirs = path.stat(), source.stat()
    except FileNotFoundError:
        return False
    if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
        return True
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _link(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        try:
            # A link to the file itself, not to a link to it.
            os.link(source.resolve(), temporary)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            require_space(target, source.stat().st_size)
            shutil.copy2(source, temporary)


def _sha256(content: str | Linked) -> str:
    if isinstance(content, str):
        return hashlib.sha256(content.encode()).hexdigest()
    return content.sha256 or sha256_file(content.source)
