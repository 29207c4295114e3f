"""SHA-256 of large files, remembered: a model of 20 GB is read once for it, and not at each start.

What is remembered lies in the cache folder, a small file for each path. It is never believed of a
file that has another size or other times than then; that of its last change is the file system's
own, and cannot be set. Whoever wants the bytes themselves to be read asks `hashing.sha256_file`.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tooldrill.agent.atomic import write_text
from tooldrill.agent.cache import cache_folder
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file

SMALLEST = 64 * 2**20
"""Bytes from which on a hash is remembered; below that reading takes no time."""
_NS = 10**9
# A file system may keep time in steps as long as this: a change within one of them is not seen.
_COARSEST_NS = 2 * _NS


class KnownHash(BaseModel):
    """What was found of a file, and how it was recognised then. Times in nanoseconds."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str


def known_sha256(path: Path, smallest: int = SMALLEST) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits, read only when it is not known.

    Args:
        smallest: bytes of a file that is worth remembering.

    Raises:
        OSError: when the file cannot be read.
    """
    path = path.resolve()
    before = path.stat()
    if before.st_size < smallest:
        return sha256_file(path)
    record = cache_folder() / "hashes" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()}.json"
    known = _remembered(record)
    if known is not None and known == _described(path, before, known.sha256):
        return known.sha256
    found = _described(path, before, sha256_file(path))
    if found == _described(path, path.stat(), found.sha256) and _is_settled(found):
        # A cache folder that cannot be written to costs time and nothing else.
        with suppress(OSError, TooldrillError):
            write_text(record, found.model_dump_json() + "\n")
    return found.sha256


def _remembered(record: Path) -> KnownHash | None:
    try:
        return KnownHash.model_validate_json(record.read_bytes())
    except (OSError, ValidationError):
        return None


def _described(path: Path, status: os.stat_result, sha256: str) -> KnownHash:
    return KnownHash(
        path=os.fsdecode(path).encode("utf-8", "backslashreplace").decode(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        sha256=sha256,
    )


def _is_settled(found: KnownHash) -> bool:
    """Whether it was last changed so long ago that the next change gets another time."""
    return max(found.mtime_ns, found.ctime_ns) < time.time_ns() - _COARSEST_NS
