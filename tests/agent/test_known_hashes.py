"""A file's hash is remembered, and never believed of another content."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from tooldrill.agent import known_hashes
from tooldrill.agent.hashing import sha256_file
from tooldrill.agent.known_hashes import SMALLEST, known_sha256

OLD = time.time_ns() - 3600 * 10**9


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hashes"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read."""
    files: list[Path] = []

    def reading(path: Path) -> str:
        files.append(path)
        return sha256_file(path)

    monkeypatch.setattr(known_hashes, "sha256_file", reading)
    return files


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that has been as it is for some time: its own times cannot be set back."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"a" * 100)
    monkeypatch.setattr(known_hashes, "_COARSEST_NS", -3600 * 10**9)
    return path


def test_a_known_file_is_not_read_again(model: Path, read: list[Path]) -> None:
    found = [known_sha256(model, smallest=1) for _ in range(3)]
    assert found == [sha256_file(model)] * 3
    assert read == [model]
    linked = model.with_name("link.gguf")
    linked.symlink_to(model)
    assert known_sha256(linked, smallest=1) == found[0]
    assert read == [model]


def rewritten(path: Path) -> None:
    path.write_bytes(b"b" * 100)


def rewritten_with_the_old_time(path: Path) -> None:
    kept = path.stat()
    path.write_bytes(b"b" * 100)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def replaced_with_the_old_time(path: Path) -> None:
    kept = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"b" * 100)
    os.utime(other, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    other.replace(path)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"b")


@pytest.mark.parametrize(
    "change", [rewritten, rewritten_with_the_old_time, replaced_with_the_old_time, grown]
)
def test_a_changed_file_is_read_again(model: Path, change) -> None:
    before = known_sha256(model, smallest=1)
    time.sleep(0.02)  # the kernel's clock for files ticks in milliseconds
    change(model)
    assert known_sha256(model, smallest=1) == sha256_file(model) != before


@pytest.mark.parametrize("field", ["size", "mtime_ns", "ctime_ns", "inode", "path"])
def test_each_mark_must_be_the_same(model: Path, cache: Path, read: list[Path], field: str) -> None:
    known_sha256(model, smallest=1)
    (record,) = cache.iterdir()
    told = json.loads(record.read_text())
    told["sha256"] = "0" * 64
    record.write_text(json.dumps(told))
    assert known_sha256(model, smallest=1) == "0" * 64  # it is this record that is believed
    told[field] = "elsewhere" if field == "path" else told[field] + 1
    record.write_text(json.dumps(told))
    assert known_sha256(model, smallest=1) == sha256_file(model)
    assert read == [model, model]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"sha256": 5}', "\udcff"])
def test_a_damaged_record_is_none(model: Path, cache: Path, damage: str) -> None:
    known_sha256(model, smallest=1)
    (record,) = cache.iterdir()
    record.write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert known_sha256(model, smallest=1) == sha256_file(model)
    assert json.loads(record.read_text())["sha256"] == sha256_file(model)


def test_what_was_written_a_moment_ago_is_not_remembered(
    model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second change within the same step of the file system's clock would not be seen."""
    monkeypatch.setattr(known_hashes, "_COARSEST_NS", 2 * 10**9)
    model.write_bytes(b"c" * 100)
    os.utime(model, ns=(OLD, OLD))
    assert known_sha256(model, smallest=1) == sha256_file(model)
    assert not cache.exists()


def test_what_changes_while_it_is_read_is_not_remembered(
    model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(path: Path) -> str:
        found = sha256_file(path)
        grown(path)
        return found

    monkeypatch.setattr(known_hashes, "sha256_file", reading)
    known_sha256(model, smallest=1)
    assert not cache.exists()


def test_small_files_leave_nothing(tmp_path: Path, cache: Path) -> None:
    small = tmp_path / "adapter.gguf"
    small.write_bytes(b"a" * 1000)
    assert known_sha256(small) == sha256_file(small)
    assert SMALLEST > 1000
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_to_is_no_end(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(model))  # a file where a folder should be
    assert known_sha256(model, smallest=1) == sha256_file(model)


def test_a_missing_file_is_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        known_sha256(tmp_path / "nothing")


def test_many_at_once_leave_one_whole_record(model: Path, cache: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(known_sha256(model, smallest=1)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sha256_file(model)] * 8
    assert [path.suffix for path in cache.iterdir()] == [".json"]
