"""What a stage was made from and what it made: the `manifest.json` in its folder.

A manifest is written last, so its presence says that the stage is whole. Files are compared by
SHA-256; a file whose size and modification time are those noted before is not read again, which is
what makes asking cheap for GGUF files of many gigabytes.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tooldrill.agent.atomic import write_text
from tooldrill.agent.hashing import sha256_file

MANIFEST = "manifest.json"
STARTED = "started.json"
RECORDED_PACKAGES = (
    "tooldrill", "torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "datasets",
    "gguf", "llama-cpp-python", "faker", "botocore", "google-api-python-client",
)  # fmt: skip


class FileStamp(BaseModel):
    """A file as it was: its hash, and what lets us skip hashing it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size: int
    mtime_ns: int


class Manifest(BaseModel):
    """The record of one stage.

    Attributes:
        config: the part of the run's config that the stage depends on.
        inputs: what it read, by path relative to the run's folder (absolute when outside).
        outputs: what it wrote, by path relative to the stage's folder.
        seconds: working time of all attempts that ended in order; attempts: how many there were.
        peak_memory: most resident memory while it worked, in bytes.
    """

    model_config = ConfigDict(extra="forbid")

    stage: str
    config: dict[str, Any]
    inputs: dict[str, FileStamp]
    seed: int | None = None
    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    attempts: int = 1
    peak_memory: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, FileStamp] = Field(default_factory=dict)

    def write(self, path: Path) -> None:
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Manifest | None:
        """The manifest at `path`; None when there is none, or none that this version can read."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None


def stamp(path: Path, known: FileStamp | None = None) -> FileStamp:
    """The file's stamp; `known` spares the hashing when size and time are the same.

    Raises:
        FileNotFoundError: when there is no such file.
    """
    status = path.stat()
    if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return known
    return FileStamp(sha256=sha256_file(path), size=status.st_size, mtime_ns=status.st_mtime_ns)


def stamp_all(
    paths: Mapping[str, Path], known: Mapping[str, FileStamp] | None = None
) -> dict[str, FileStamp]:
    """Stamps of named files."""
    known = known or {}
    return {name: stamp(path, known.get(name)) for name, path in sorted(paths.items())}


def output_files(folder: Path) -> dict[str, Path]:
    """What a stage left: every file but its records, hidden files and training checkpoints."""
    return {str(path.relative_to(folder).as_posix()): path for path in _walk(folder)}


def config_difference(old: Any, new: Any, path: str = "") -> str | None:
    """The first difference as `training.sft.epochs: 1.0 -> 2.0`; None when they are equal."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            here = f"{path}.{key}" if path else str(key)
            if key not in old or key not in new:
                return f"{here}: {'new' if key in new else 'gone'}"
            found = config_difference(old[key], new[key], here)
            if found:
                return found
        return None
    return None if old == new else f"{path}: {old} -> {new}"


def input_difference(old: Mapping[str, FileStamp], new: Mapping[str, FileStamp]) -> str | None:
    """The first input that is not what it was."""
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            return f"{name} is {'new' if name in new else 'gone'}"
        if old[name].sha256 != new[name].sha256:
            return f"{name} changed"
    return None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    found = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in _children(folder):
        if path.name.startswith((".", "checkpoint")) or path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.name not in (MANIFEST, STARTED):
            yield path


def _children(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()
